// Controllers of one of several control planes over one storage: those of the controller manager
// and the scheduler each run where their lease is held, and stop where it is lost. A process that
// has lost a lease contends for it again; kube-controller-manager would end and be started anew.

import { hostname } from 'node:os';
import { createUid } from '@keelson/apimachinery';
import type { Lease } from '@keelson/apimachinery/types/coordination.k8s.io.v1';
import {
  createEventRecorder,
  createLeaderElector,
  createLeaderMetrics,
  type LeaseTimes,
} from '@keelson/controllers';
import type { ControllerName } from './controller-list.ts';
import { createInProcessClient } from './in-process-client.ts';
import {
  startControllers,
  type RunningControllers,
  type StartControllersOptions,
} from './start-controllers.ts';

/** As the flags `--leader-elect-*` say. */
export interface LeaderElectionSettings {
  readonly times: LeaseTimes;
  /** Where the leases are; `kube-system` unless said otherwise. */
  readonly namespace?: string;
}

interface Component {
  /** Of the lease, and of the user who holds it, behind `system:`. */
  readonly name: string;
  /** Who speaks in its events. */
  readonly speaker: string;
  has(controller: ControllerName): boolean;
}

const components: readonly Component[] = [
  {
    name: 'kube-controller-manager',
    speaker: 'kube-controller-manager',
    has: (controller) => controller !== 'kube-scheduler',
  },
  {
    name: 'kube-scheduler',
    speaker: 'default-scheduler',
    has: (controller) => controller === 'kube-scheduler',
  },
];

export function startElectedControllers(
  options: StartControllersOptions,
  settings: LeaderElectionSettings,
): RunningControllers {
  const stop = new AbortController();
  const running = components.map((component) => {
    const names = new Set([...options.names].filter((name) => component.has(name)));
    return names.size === 0
      ? Promise.resolve()
      : contend({ ...options, names }, { component, settings }, stop.signal);
  });
  return {
    async stop() {
      stop.abort(new Error('the controllers are being stopped'));
      await Promise.all(running);
    },
  };
}

async function contend(
  options: StartControllersOptions,
  { component, settings }: { component: Component; settings: LeaderElectionSettings },
  signal: AbortSignal,
): Promise<void> {
  const { serve, clock, random, logger, metrics } = options;
  const { name, speaker } = component;
  const user = { name: `system:${name}` };
  const client = createInProcessClient({ serve, user, userAgent: name, clock, random });
  const warn = (message: string, fields: object) =>
    logger.warn(message, { component: name, ...fields });
  const elector = createLeaderElector({
    leases: client.resource<Lease>(leasesResource).namespace(settings.namespace ?? 'kube-system'),
    name,
    identity: `${hostname()}_${createUid(random)}`,
    times: settings.times,
    clock,
    random,
    recorder: createEventRecorder({
      client,
      clock,
      component: speaker,
      onError: (error) => warn('leader election event not written', { error: String(error) }),
    }),
    log: { warn },
    metrics: createLeaderMetrics(metrics),
  });
  await elector.run(async (held) => {
    const controllers = startControllers(options);
    if (!held.aborted)
      await new Promise((resolve) => held.addEventListener('abort', resolve, { once: true }));
    await controllers.stop();
  }, signal);
  client.close();
}

const leasesResource = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' };
