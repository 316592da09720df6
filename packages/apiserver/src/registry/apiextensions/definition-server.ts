// Serves the custom resources of CustomResourceDefinitions: accepts names, adds and removes endpoints
// as definitions come and go, and removes the objects of a definition that is being deleted. It
// follows the definitions synchronously, so a resource can be used as soon as its definition says
// that it is established.

import { copyJson, isStatusError, nextTurn, type KubeObject } from '@keelson/apimachinery';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import { systemUser } from '../../authentication/system-user.ts';
import type { Logger } from '../../logger.ts';
import { createMetrics, type Metrics } from '../../metrics.ts';
import type { ObjectSource } from '../../object-source.ts';
import { expressionsOf } from '../expressions/expressions.ts';
import type { ResourceEndpoint, ResourceIndex } from '../resource-endpoint.ts';
import { deleteObject } from '../store-delete.ts';
import type { StoreDependencies } from '../store-types.ts';
import { createConversionMetrics } from './conversion/conversion-metrics.ts';
import type { WebhookCaller } from './conversion/webhook-conversion.ts';
import {
  createCustomResourceEndpoints,
  metadataParts,
  originOf,
  type CustomResourceEndpointOptions,
} from './custom-resource-endpoints.ts';
import { isConditionTrue } from './customresourcedefinitions/conditions.ts';
import { updateApprovalCondition, updateSchemaCondition } from './lifecycle/conformance.ts';
import {
  completeCleanup,
  failCleanup,
  isAwaitingCleanup,
  mayHaveObjects,
  startCleanup,
} from './lifecycle/finalizing.ts';
import { establish, updateNames } from './lifecycle/naming.ts';

export interface DefinitionServerOptions {
  readonly definitions: ObjectSource;
  readonly index: ResourceIndex;
  readonly dependencies: StoreDependencies;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Calls conversion webhooks. Absent: conversions by webhook fail. */
  readonly webhooks?: WebhookCaller;
  readonly metrics?: Metrics;
}

/** How long to wait for finalizers of others before looking again. */
const cleanupRetryMs = 200;

/**
 * Serves what is established, then follows every change until the signal is aborted. Whether what
 * was found is as it should be is looked at afterwards, one definition a turn: a thousand of them
 * must not keep the server from starting.
 */
export function startDefinitionServer(options: DefinitionServerOptions): void {
  const server = new DefinitionServer(options);
  const found = options.definitions.list() as unknown as readonly CustomResourceDefinition[];
  for (const crd of found) server.found(crd);
  const stop = options.definitions.subscribe(({ type, object }) => {
    const crd = object as unknown as CustomResourceDefinition;
    if (type === 'DELETED') server.deleted(crd);
    else server.changed(crd);
  });
  options.signal.addEventListener('abort', stop, { once: true });
  void server.review(found.map(({ metadata }) => metadata.name ?? ''));
}

class DefinitionServer {
  readonly #options: DefinitionServerOptions;
  readonly #endpointOptions: CustomResourceEndpointOptions;
  /** By name of the definition. */
  readonly #served = new Map<string, Served>();
  readonly #cleaning = new Set<string>();
  /** Names are shared within a group. */
  readonly #byGroup = new Map<string, Map<string, CustomResourceDefinition>>();

  constructor(options: DefinitionServerOptions) {
    this.#options = options;
    const { dependencies, webhooks = noWebhooks, metrics = createMetrics() } = options;
    const { clock, random } = dependencies;
    this.#endpointOptions = {
      dependencies,
      webhooks: { webhooks, clock, random, metrics: createConversionMetrics(metrics) },
      resources: { ...metadataParts(), rules: expressionsOf(dependencies.features).ruleCompiler },
    };
  }

  found(crd: CustomResourceDefinition): void {
    this.#remember(crd);
    if (isConditionTrue(crd, 'Established')) this.#serve(crd);
  }

  async review(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await nextTurn();
      if (this.#options.signal.aborted) return;
      const crd = this.#options.definitions.get('', name);
      if (crd !== undefined) this.changed(crd as unknown as CustomResourceDefinition);
    }
  }

  changed(crd: CustomResourceDefinition): void {
    this.#remember(crd);
    if (this.#desired(crd) !== undefined) this.#writeStatus(crd);
    if (isConditionTrue(crd, 'Established')) this.#serve(crd);
    if (isAwaitingCleanup(crd)) this.#cleanUp(crd);
  }

  deleted(crd: CustomResourceDefinition): void {
    const { name = '' } = crd.metadata;
    const group = this.#byGroup.get(crd.spec.group);
    group?.delete(name);
    if (group?.size === 0) this.#byGroup.delete(crd.spec.group);
    this.#unserve(name);
    this.#offerNames(crd);
  }

  #remember(crd: CustomResourceDefinition): void {
    let group = this.#byGroup.get(crd.spec.group);
    if (group === undefined) this.#byGroup.set(crd.spec.group, (group = new Map()));
    group.set(crd.metadata.name ?? '', crd);
  }

  #others({ spec, metadata }: CustomResourceDefinition): CustomResourceDefinition[] {
    const group = this.#byGroup.get(spec.group) ?? new Map<string, CustomResourceDefinition>();
    return [...group.values()].filter((other) => other.metadata.name !== metadata.name);
  }

  /** Names of `crd` may have become free for those that wanted them. */
  #offerNames(crd: CustomResourceDefinition): void {
    for (const other of this.#others(crd))
      if (!isConditionTrue(other, 'NamesAccepted')) this.changed(other);
  }

  /** The definition with the status that it should have; nothing when it has that. */
  #desired(crd: CustomResourceDefinition): CustomResourceDefinition | undefined {
    const now = this.#options.dependencies.clock.now();
    const copy = { ...crd, status: copyJson(crd.status ?? {}) };
    const changes = [
      updateNames(copy, this.#others(crd), now),
      establish(copy, now),
      updateSchemaCondition(copy, now),
      updateApprovalCondition(copy, now),
    ];
    return changes.includes(true) ? copy : undefined;
  }

  #writeStatus(crd: CustomResourceDefinition): void {
    this.#update(crd, (current) => this.#desired(current) ?? current)
      .then(() => {
        // One that had names before may have given some back.
        if (crd.status?.acceptedNames?.plural) this.#offerNames(crd);
      })
      .catch((error: unknown) => {
        this.#options.logger.error(
          'the status of a CustomResourceDefinition could not be written',
          { name: crd.metadata.name, error: String(error) },
        );
      });
  }

  /** `change` gives the definition to be stored, or nothing to remove it. */
  async #update(
    crd: CustomResourceDefinition,
    change: (current: CustomResourceDefinition) => CustomResourceDefinition | undefined,
  ): Promise<void> {
    await this.#options.dependencies.storage.guaranteedUpdate(this.#keyOf(crd), (current) => {
      if (current === undefined) return undefined;
      return change(current.object as unknown as CustomResourceDefinition) as unknown as
        | KubeObject
        | undefined;
    });
  }

  #keyOf(crd: CustomResourceDefinition): string {
    return `/registry/apiextensions.k8s.io/customresourcedefinitions/${crd.metadata.name}`;
  }

  #serve(crd: CustomResourceDefinition): void {
    const name = crd.metadata.name ?? '';
    const origin = originOf(crd);
    const shape = shapeOf(crd);
    const before = this.#served.get(name);
    if (before?.origin === origin) return;
    // COMPAT: watches outlive all changes but those of the spec and of names.
    const retirement = before?.shape === shape ? before.retirement : new AbortController();
    const endpoints = createCustomResourceEndpoints(crd, this.#endpointOptions, retirement.signal);
    for (const old of before?.endpoints ?? [])
      if (!endpoints.some((e) => isSameResource(e, old)))
        this.#options.index.remove(old.definition);
    for (const endpoint of endpoints) this.#options.index.put(endpoint);
    this.#served.set(name, { origin, shape, endpoints, retirement });
    if (before?.retirement !== retirement) before?.retirement.abort();
  }

  #unserve(name: string): void {
    const served = this.#served.get(name);
    for (const endpoint of served?.endpoints ?? []) this.#options.index.remove(endpoint.definition);
    this.#served.delete(name);
    served?.retirement.abort();
  }

  /** Deletes all objects of a dying definition, then its finalizer, which removes it. */
  #cleanUp(crd: CustomResourceDefinition): void {
    const name = crd.metadata.name ?? '';
    if (this.#cleaning.has(name)) return;
    this.#cleaning.add(name);
    const { clock, logger } = { ...this.#options.dependencies, logger: this.#options.logger };
    const attempt = async (): Promise<void> => {
      const left = mayHaveObjects(crd) ? await this.#deleteInstances(crd) : 0;
      if (this.#options.signal.aborted) return;
      if (left > 0) return void clock.after(cleanupRetryMs, run);
      await this.#finish(crd);
      this.#cleaning.delete(name);
    };
    const run = () => {
      attempt().catch(async (error: unknown) => {
        if (this.#options.signal.aborted) return;
        logger.error('the objects of a CustomResourceDefinition could not be deleted', {
          name,
          error: String(error),
        });
        await this.#rewrite(crd, (next) =>
          failCleanup(next, { step: 'delete', error: String(error) }, clock.now()),
        ).catch(() => {});
        clock.after(cleanupRetryMs, run);
      });
    };
    this.#rewrite(crd, (next) => startCleanup(next, clock.now()))
      .catch(() => {})
      .finally(run);
  }

  #rewrite(
    crd: CustomResourceDefinition,
    change: (next: CustomResourceDefinition) => void,
  ): Promise<void> {
    return this.#update(crd, (current) => {
      const next = copyJson(current);
      change(next);
      return next;
    });
  }

  async #deleteInstances(crd: CustomResourceDefinition): Promise<number> {
    const { signal } = this.#options;
    const [endpoint] = createCustomResourceEndpoints(crd, this.#endpointOptions, signal);
    if (endpoint?.scope === undefined) return 0;
    // Nothing has to be converted to be deleted, so a broken webhook keeps nothing alive.
    const { definition, strategy, keyPrefix } = endpoint.scope;
    const scope = { ...this.#options.dependencies, definition, strategy, keyPrefix };
    const { entries } = await scope.storage.list(`${scope.keyPrefix}/`);
    for (const { object } of entries) {
      const { name = '', namespace = '', deletionTimestamp } = object.metadata;
      if (deletionTimestamp !== undefined) continue;
      await deleteObject(scope, {
        user: systemUser,
        dryRun: false,
        namespace,
        name,
        options: {
          dryRun: false,
          gracePeriodSeconds: undefined,
          orphanDependents: undefined,
          propagationPolicy: undefined,
          uid: undefined,
          resourceVersion: undefined,
        },
        warn: () => {},
        validateAdmission: async () => {},
      }).catch((error: unknown) => {
        if (!isStatusError(error, 'NotFound')) throw error;
      });
    }
    return scope.storage.count(`${scope.keyPrefix}/`);
  }

  #finish(crd: CustomResourceDefinition): Promise<void> {
    return this.#update(crd, (current) => {
      const next = copyJson(current);
      completeCleanup(next, this.#options.dependencies.clock.now());
      return next.metadata.finalizers === undefined ? undefined : next;
    });
  }
}

interface Served {
  readonly origin: string;
  readonly shape: string;
  readonly endpoints: readonly ResourceEndpoint[];
  readonly retirement: AbortController;
}

/** What clients see of a definition: its spec and its names. */
function shapeOf({ metadata, status }: CustomResourceDefinition): string {
  return JSON.stringify([metadata.uid, String(metadata.generation), status?.acceptedNames]);
}

const noWebhooks: WebhookCaller = {
  post: () => Promise.reject(new Error('conversion webhooks are not available in this server')),
};

function isSameResource(a: ResourceEndpoint, b: ResourceEndpoint): boolean {
  const { version, resource } = a.definition;
  return version === b.definition.version && resource === b.definition.resource;
}
