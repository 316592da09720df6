// Who manages fields in a write: the `fieldManager` parameter, else the first part of the user
// agent. And the marking itself, in the served version, where managed fields are expressed.

import {
  createFieldManager,
  formatApiVersion,
  typeForKind,
  type Clock,
  type FieldManager,
  type FieldManagerContext,
  type GroupVersionKind,
  type KubeObject,
  type StructType,
} from '@keelson/apimachinery';
import { singleHeader } from './negotiation.ts';
import type { ResourceRequest } from './resource-request.ts';

const managerLengthMax = 128;
const plainName = /^[\x21-\x7e]{1,128}$/;

/** COMPAT: prefix of the user agent up to the first slash, printable, at most 128 bytes. */
export function managerName(request: ResourceRequest, given: string): string {
  if (given !== '') return given;
  const agent = singleHeader(request.context.request.headers['user-agent']).split('/')[0] ?? '';
  // What programs call themselves; the rest of this is for the others.
  if (plainName.test(agent)) return agent;
  const printable = [...agent]
    .filter((ch) => !/[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u.test(ch))
    .join('');
  let name = '';
  for (const ch of printable) {
    if (Buffer.byteLength(name + ch) > managerLengthMax) break;
    name += ch;
  }
  return name === '' ? 'unknown' : name;
}

/** The object with `managedFields` brought up to date after an update by this manager. */
export function recordUpdate(
  request: ResourceRequest,
  live: KubeObject,
  object: KubeObject,
  manager: string,
): KubeObject {
  const fieldManager = request.endpoint.fieldManager;
  if (fieldManager === undefined) return object;
  const marked = fieldManager.update(live, object, managerContext(request, manager));
  return request.endpoint.projections.has(request.subresource)
    ? withoutTime(request, marked)
    : marked;
}

const managersOfKinds = new WeakMap<Clock, Map<StructType, FieldManager>>();

/**
 * The same for a body that is answered and not stored. COMPAT: reviews, tokens and evictions have
 * managers too, as webhooks and clients see.
 */
export function recordBody(
  { services, subresource }: ResourceRequest,
  gvk: GroupVersionKind,
  object: KubeObject,
  manager: string,
): KubeObject {
  const { clock } = services;
  const type = typeForKind(gvk);
  if (type === undefined) return object;
  let managers = managersOfKinds.get(clock);
  if (managers === undefined) managersOfKinds.set(clock, (managers = new Map()));
  let fieldManager = managers.get(type);
  if (fieldManager === undefined)
    managers.set(type, (fieldManager = createFieldManager({ type, clock })));
  const apiVersion = formatApiVersion(gvk);
  const empty = { kind: gvk.kind, apiVersion, metadata: {} };
  return fieldManager.update(empty, object, { manager, apiVersion, subresource });
}

/** COMPAT: who scaled is recorded, when is not: a projection's own entries carry no time. */
function withoutTime({ subresource }: ResourceRequest, object: KubeObject): KubeObject {
  const entries = object.metadata.managedFields;
  if (entries === undefined) return object;
  const managedFields = entries.map((entry) => {
    if (entry.subresource !== subresource) return entry;
    const { time: _time, ...timeless } = entry;
    return timeless;
  });
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** A subresource has its own lists of fields that can, or cannot, be owned through it. */
export function managerContext(request: ResourceRequest, manager: string): FieldManagerContext {
  const { strategy } = request.endpoint;
  const part =
    request.subresource === '' ? undefined : strategy.subresources?.[request.subresource];
  const resetFields = request.subresource === '' ? strategy.resetFields : part?.resetFields;
  return {
    manager,
    apiVersion: servedApiVersion(request),
    subresource: request.subresource,
    ...(resetFields === undefined ? {} : { resetFields }),
    ...(part?.ownedFields === undefined ? {} : { ownedFields: part.ownedFields }),
  };
}

export function servedApiVersion(request: ResourceRequest): string {
  const { group, version } = request.endpoint.definition;
  return group === '' ? version : `${group}/${version}`;
}
/** What a new object is compared with: an empty one of its kind. */
export function emptyObject(request: ResourceRequest): KubeObject {
  return {
    kind: request.endpoint.definition.kind,
    apiVersion: servedApiVersion(request),
    metadata: {},
  };
}
