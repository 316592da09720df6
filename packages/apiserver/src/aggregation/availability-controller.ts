// Keeps the condition Available of every APIService true to the facts: looks again when the
// APIService, its Service or its endpoints change, half a minute after the last look, and sooner
// while a server does not answer. What is written is decided in `availability-check.ts`.

import { formatTime, transitionTime, withCondition, type KubeObject } from '@keelson/apimachinery';
import type {
  APIService,
  APIServiceCondition,
} from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { ObjectSource } from '../object-source.ts';
import { serviceNameLabel } from '../transport/service-endpoints.ts';
import type { Storage } from '../storage/storage.ts';
import {
  availableCondition,
  backingService,
  isAvailable,
  type ApiServiceTable,
} from './api-service-table.ts';
import {
  checkAvailability,
  type Availability,
  type AvailabilityOptions,
} from './availability-check.ts';

export interface AvailabilityControllerOptions extends AvailabilityOptions {
  readonly apiServices: ObjectSource;
  readonly table: Pick<ApiServiceTable, 'remote'>;
  readonly storage: Storage;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** An extension server was found to be there again, or has changed. */
  readonly onAvailable: (apiService: APIService) => void;
}

const keyPrefix = '/registry/apiregistration.k8s.io/apiservices/';
const recheckMs = 30_000;
const firstRetryMs = 5;
/** Each check is a handful of connections. */
const concurrentChecksMax = 5;

/** Looks at all APIServices, then follows what they depend on until the signal is aborted. */
export function startAvailabilityController(options: AvailabilityControllerOptions): void {
  const controller = new AvailabilityController(options);
  const { apiServices, services, endpointSlices, signal } = options;
  for (const object of apiServices.list()) controller.look(object.metadata.name ?? '');
  const ofService = (namespace: string, name: string) => {
    for (const apiService of options.table.remote()) {
      const service = backingService(apiService);
      if (service?.namespace === namespace && service.name === name)
        controller.look(apiService.metadata.name ?? '');
    }
  };
  const stops = [
    apiServices.subscribe(({ object }) => controller.look(object.metadata.name ?? '')),
    services.subscribe(({ object }) =>
      ofService(object.metadata.namespace ?? '', object.metadata.name ?? ''),
    ),
    endpointSlices.subscribe(({ object }) => {
      const service = object.metadata.labels?.[serviceNameLabel];
      if (service !== undefined) ofService(object.metadata.namespace ?? '', service);
    }),
  ];
  signal.addEventListener(
    'abort',
    () => {
      for (const stop of stops) stop();
      controller.stop();
    },
    { once: true },
  );
}

interface Look {
  running: boolean;
  /** Something changed while the check ran. */
  again: boolean;
  failures: number;
  cancelTimer: () => void;
}

/** A class, because it has a life: checks under way, timers, and an end. */
class AvailabilityController {
  readonly #options: AvailabilityControllerOptions;
  readonly #looks = new Map<string, Look>();
  readonly #waiting: string[] = [];
  readonly #countUnavailable: (name: string, reason: string) => void;
  #running = 0;

  constructor(options: AvailabilityControllerOptions) {
    this.#options = options;
    const { apiServices, metrics } = options;
    metrics
      .gauge(
        'aggregator_unavailable_apiservice',
        '[ALPHA] Gauge of APIServices which are marked as unavailable broken down by APIService name.',
      )
      .collect(() =>
        apiServices
          .list()
          .filter((object) => availableCondition(object as unknown as APIService) !== undefined)
          .map((object) => [
            { name: object.metadata.name ?? '' },
            isAvailable(object as unknown as APIService) ? 0 : 1,
          ]),
      );
    const counter = metrics.counter(
      'aggregator_unavailable_apiservice_total',
      '[ALPHA] Counter of APIServices which are marked as unavailable broken down by APIService name and reason.',
    );
    this.#countUnavailable = (name, reason) => counter.add({ name, reason });
  }

  look(name: string): void {
    const { apiServices, signal, backends } = this.#options;
    if (signal.aborted) return;
    const object = apiServices.get('', name) as unknown as APIService | undefined;
    const known = this.#looks.get(name);
    if (object === undefined) {
      known?.cancelTimer();
      this.#looks.delete(name);
      return backends.forget(name);
    }
    // What this server serves itself needs no check, and has its condition from the start.
    if (known === undefined && backingService(object) === undefined && isLocal(object)) return;
    const look = known ?? { running: false, again: false, failures: 0, cancelTimer: () => {} };
    this.#looks.set(name, look);
    if (look.running) {
      look.again = true;
      return;
    }
    look.cancelTimer();
    look.running = true;
    this.#waiting.push(name);
    this.#next();
  }

  stop(): void {
    for (const { cancelTimer } of this.#looks.values()) cancelTimer();
    this.#looks.clear();
    this.#waiting.length = 0;
  }

  #next(): void {
    while (this.#running < concurrentChecksMax) {
      const name = this.#waiting.shift();
      if (name === undefined) return;
      this.#running++;
      void this.#check(name)
        .catch((error: unknown) => this.#failed(name, error))
        .finally(() => {
          this.#running--;
          this.#next();
        });
    }
  }

  #failed(name: string, error: unknown): void {
    const { logger, signal } = this.#options;
    if (signal.aborted) return;
    logger.error('the status of an APIService could not be written', {
      name,
      error: String(error),
    });
    this.#done(name, true);
  }

  async #check(name: string): Promise<void> {
    const { apiServices } = this.#options;
    const object = apiServices.get('', name) as unknown as APIService | undefined;
    if (object === undefined) return;
    const found = await checkAvailability(object, this.#options);
    const now = apiServices.get('', name) as unknown as APIService | undefined;
    // The answer is about an APIService that has changed since: the next look will tell.
    if (now !== undefined && sameSubject(now, object)) await this.#write(name, object, found);
    this.#done(name, found.reason === 'FailedDiscoveryCheck');
  }

  #done(name: string, failed: boolean): void {
    const look = this.#looks.get(name);
    const { clock, signal } = this.#options;
    if (look === undefined || signal.aborted) return;
    look.running = false;
    look.failures = failed ? look.failures + 1 : 0;
    if (look.again) {
      look.again = false;
      return this.look(name);
    }
    const delay = failed ? Math.min(firstRetryMs * 2 ** (look.failures - 1), recheckMs) : recheckMs;
    look.cancelTimer = clock.after(delay, () => this.look(name));
  }

  async #write(name: string, checked: APIService, found: Availability): Promise<void> {
    const { storage, clock, onAvailable, signal } = this.#options;
    if (signal.aborted) return;
    const before = availableCondition(checked);
    const isSame =
      before?.status === found.status &&
      before.reason === found.reason &&
      before.message === found.message;
    if (isSame) return;
    await storage.guaranteedUpdate(keyPrefix + name, (current) => {
      if (current === undefined) return undefined;
      const object = current.object as unknown as APIService;
      if (!sameSubject(object, checked)) return current.object;
      return withAvailability(object, found, formatTime(clock.now()));
    });
    if (found.status === 'True') onAvailable(checked);
    else if (before?.status !== found.status) this.#countUnavailable(name, found.reason);
  }
}

function isLocal(apiService: APIService): boolean {
  return availableCondition(apiService)?.reason === 'Local';
}

function sameSubject(a: APIService, b: APIService): boolean {
  return a.metadata.uid === b.metadata.uid && JSON.stringify(a.spec) === JSON.stringify(b.spec);
}

/** The time of a condition is when its status changed, not its reason. */
function withAvailability(apiService: APIService, found: Availability, now: string): KubeObject {
  const conditions = apiService.status?.conditions ?? [];
  const before = availableCondition(apiService);
  const condition: APIServiceCondition = {
    type: 'Available',
    status: found.status,
    lastTransitionTime: transitionTime(before, found.status, now),
    reason: found.reason,
    message: found.message,
  };
  return {
    ...apiService,
    status: { ...apiService.status, conditions: withCondition(conditions, condition) },
  } as unknown as KubeObject;
}
