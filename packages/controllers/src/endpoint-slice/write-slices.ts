// Carries out a plan for slices: everything is tried, the first refusal is thrown.

import { isStatusError } from '@keelson/apimachinery';
import type { EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import type { Client } from '@keelson/client';
import { errorText } from '../machinery/controller.ts';
import type { PendingWrites } from '../machinery/pending-writes.ts';
import { endpointSlicesResource } from '../machinery/resources.ts';
import { isNamespaceTerminating } from '../machinery/status-causes.ts';
import type { SlicePlan } from './plan-slices.ts';

export interface SliceWriter {
  readonly client: Client;
  readonly pending: PendingWrites;
}

export interface SliceWrites {
  readonly key: string;
  /** Whose they are, as messages call it: `Service default/web`. */
  readonly what: string;
  readonly namespace: string;
  readonly plan: SlicePlan;
}

/** A conflict is thrown as it is. */
export async function writeSlices(
  { client, pending }: SliceWriter,
  { key, what, namespace, plan }: SliceWrites,
  signal: AbortSignal,
): Promise<void> {
  const slices = client.resource<EndpointSlice>(endpointSlicesResource).namespace(namespace);
  const create = async (slice: EndpointSlice) =>
    pending.created(key, await slices.create(withoutEmptyLists(slice), { signal }));
  const remove = async (slice: EndpointSlice) => {
    const { name = '', uid = '' } = slice.metadata;
    await slices.delete(name, { preconditions: { uid }, signal });
    pending.deleted(key, slice);
  };
  const update = (slice: EndpointSlice) => slices.update(withoutEmptyLists(slice), { signal });
  const told = (verb: string, slice?: EndpointSlice) => (error: unknown) => {
    if (isStatusError(error, 'Conflict') || isNamespaceTerminating(error)) throw error;
    const name = slice === undefined ? '' : `${slice.metadata.name} `;
    const message = `failed to ${verb} ${name}EndpointSlice for ${what}: ${errorText(error)}`;
    throw new Error(message, { cause: error });
  };
  const results = await Promise.allSettled([
    ...plan.create.map((slice) => create(slice).catch(told('create'))),
    ...plan.update.map((slice) => update(slice).catch(told('update', slice))),
    ...plan.delete.map((slice) => remove(slice).catch(ignoreGone).catch(told('delete', slice))),
  ]);
  const refused = results.find(
    (result) => result.status === 'rejected' && !isNamespaceTerminating(result.reason),
  );
  if (refused?.status === 'rejected') throw refused.reason;
}

function ignoreGone(error: unknown): void {
  if (!isStatusError(error, 'NotFound')) throw error;
}

/** COMPAT: Kubernetes' controllers speak Protobuf, which knows no difference: users see null. */
function withoutEmptyLists({ endpoints, ports, ...rest }: EndpointSlice): EndpointSlice {
  return {
    ...rest,
    ...(endpoints && endpoints.length > 0 && { endpoints }),
    ...(ports && ports.length > 0 && { ports }),
  };
}
