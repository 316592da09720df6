// ComponentStatus: nothing stored, but what the parts of a control plane answer when they are asked
// for their health. Deprecated since 1.19, and still what `kubectl get cs` shows.
//
//   scheduler, controller-manager   /healthz at their ports on this machine, or well when they are
//                                   parts of this process
//   etcd-0                          the storage

import type { Clock, KubeObject } from '@keelson/apimachinery';
import { isStorageError, type Storage } from '../../../storage/storage.ts';
import { readStart } from '../../../transport/answer-body.ts';
import { createOutboundClient, formatAddress, type Route } from '../../../transport/outbound.ts';
import type { ReadHandler } from '../../handlers.ts';
import { plainError } from '../../storage-errors.ts';

export interface ComponentStatusOptions {
  readonly storage: () => Storage;
  readonly clock: Clock;
  readonly route?: Route;
  readonly runsHere?: (component: string) => boolean;
}

interface Health {
  readonly healthy: boolean;
  readonly message: string;
}

const probeTimeoutMs = 20_000;
const answerBytesMax = 10 * 1024;
const ports: Readonly<Record<string, number>> = { 'controller-manager': 10_257, scheduler: 10_259 };

export function createComponentStatuses(options: ComponentStatusOptions): ReadHandler {
  const { runsHere = () => false } = options;
  const probeComponent = async (name: string, port: number): Promise<Health> =>
    runsHere(name) ? { healthy: true, message: 'ok' } : probePort(port, options);
  const probes = new Map<string, () => Promise<Health>>([
    ...Object.entries(ports).map(
      ([name, port]) => [name, () => probeComponent(name, port)] as const,
    ),
    ['etcd-0', () => probeStorage(options.storage())],
  ]);
  return {
    resource: { group: '', resource: 'componentstatuses' },
    list: () =>
      Promise.all([...probes].map(async ([name, probe]) => statusOf(name, await probe()))),
    async get(name) {
      const probe = probes.get(name);
      // COMPAT: an error of no kind.
      if (probe === undefined) throw plainError(`Component not found: ${name}`);
      return statusOf(name, await probe());
    },
  };
}

function statusOf(name: string, { healthy, message }: Health): KubeObject {
  const condition = { type: 'Healthy', status: healthy ? 'True' : 'False', message };
  return {
    kind: 'ComponentStatus',
    apiVersion: 'v1',
    metadata: { name },
    conditions: [condition],
  };
}

async function probeStorage(storage: Storage): Promise<Health> {
  try {
    await storage.get('/registry/health');
    return { healthy: true, message: 'ok' };
  } catch (error) {
    if (!isStorageError(error)) throw error;
    return { healthy: false, message: error.message };
  }
}

/** COMPAT: whatever goes wrong is the message of an unhealthy component. */
async function probePort(port: number, { clock, route }: ComponentStatusOptions): Promise<Health> {
  const client = createOutboundClient({
    tls: { insecureSkipVerify: true },
    ...(route === undefined ? {} : { route }),
  });
  const address = { host: '127.0.0.1', port };
  const timeout = new AbortController();
  const cancel = clock.after(probeTimeoutMs, () => timeout.abort());
  try {
    const { message } = await client.call({
      protocol: 'https',
      address,
      method: 'GET',
      path: '/healthz',
      headers: { host: formatAddress(address), 'user-agent': 'kube-probe' },
      signal: timeout.signal,
    });
    const text = await readStart(message, answerBytesMax);
    const { statusCode = 0 } = message;
    return statusCode >= 200 && statusCode < 400
      ? { healthy: true, message: text }
      : { healthy: false, message: `HTTP probe failed with statuscode: ${statusCode}` };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const url = `https://${formatAddress(address)}/healthz`;
    return { healthy: false, message: `Get ${JSON.stringify(url)}: ${why}` };
  } finally {
    cancel();
    client.close();
  }
}
