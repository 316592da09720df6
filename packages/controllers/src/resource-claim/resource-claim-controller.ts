// Claims of devices for pods: makes one from each template that a pod names, takes pods that are done
// out of the claims they used, gives devices back that nobody uses, and deletes the claims that were
// made for a pod that is done (KEP-4381).

import { isStatusError } from '@keelson/apimachinery';
import type { Pod, PodResourceClaimStatus } from '@keelson/apimachinery/types/core.v1';
import type {
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimTemplate,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import { isControlledBy } from '../machinery/ownership.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  podsResource,
  resourceClaimsResource,
  resourceClaimTemplatesResource,
} from '../machinery/resources.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { eventTarget } from '../pods/pod-control.ts';
import { countClaims } from './claim-metrics.ts';
import { createGeneratedClaims, fieldManager, type GeneratedClaims } from './generated-claims.ts';
import { releaseClaim } from './release-claim.ts';

const podKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };
/** `namespace/claim` of pods. */
const byClaim = 'claimName';
const workers = 10;
/** Kubernetes' limit of users of one claim. */
const reservedForMax = 256;

interface Tools {
  readonly context: ControllerContext;
  readonly pods: Informer<Pod>;
  readonly claims: Informer<ResourceClaim>;
  readonly templates: Informer<ResourceClaimTemplate>;
  readonly events: EventRecorder;
  readonly generated: GeneratedClaims;
}

export function createResourceClaimController(context: ControllerContext): Controller {
  const { informers } = context;
  const pods = informers.informer<Pod>(podsResource);
  const claims = informers.informer<ResourceClaim>(resourceClaimsResource);
  const templates = informers.informer<ResourceClaimTemplate>(resourceClaimTemplatesResource);
  pods.addIndex(byClaim, (pod) =>
    claimNames(pod).map((name) => `${pod.metadata.namespace ?? ''}/${name}`),
  );
  const events = createControllerEvents(context, 'resource_claim');
  const generated = createGeneratedClaims(context, { claims, templates });
  const tools: Tools = { context, pods, claims, templates, events, generated };
  return createReconciler(context, {
    failure: 'resource claims not reconciled',
    queue: 'resource_claim',
    workers,
    reads: [pods, claims, templates],
    subscribe(queue) {
      const enqueueClaim = (claim: ResourceClaim) => {
        queue.add(`claim:${keyOf(claim)}`);
        // Pods that chose their node themselves wait for it.
        if (claim.status?.allocation === undefined) return;
        for (const pod of pods.store.byIndex(byClaim, keyOf(claim)))
          if ((pod.spec.nodeName ?? '') !== '') queue.add(`pod:${keyOf(pod)}`);
      };
      const enqueuePod = (pod: Pod) => {
        if ((pod.spec.resourceClaims ?? []).length > 0) queue.add(`pod:${keyOf(pod)}`);
        for (const name of claimNames(pod)) queue.add(`claim:${pod.metadata.namespace}/${name}`);
      };
      const enqueuePodsWith = (template: ResourceClaimTemplate) =>
        pods.store
          .list(template.metadata.namespace)
          .filter(({ spec }) =>
            (spec.resourceClaims ?? []).some(
              ({ resourceClaimTemplateName }) =>
                resourceClaimTemplateName === template.metadata.name,
            ),
          )
          .forEach(enqueuePod);
      return [
        pods.addHandler({ onAdd: enqueuePod, onUpdate: enqueuePod, onDelete: enqueuePod }),
        claims.addHandler({
          onAdd: enqueueClaim,
          onUpdate: enqueueClaim,
          onDelete(claim) {
            generated.forget(claim);
            // One that was generated is made anew, as long as its pod needs it.
            for (const pod of pods.store.byIndex(byClaim, keyOf(claim)))
              queue.add(`pod:${keyOf(pod)}`);
          },
        }),
        templates.addHandler({ onAdd: enqueuePodsWith }),
        countClaims(context.metrics, claims),
      ];
    },
    async reconcile(key, signal) {
      const [kind = '', rest = ''] = [
        key.slice(0, key.indexOf(':')),
        key.slice(key.indexOf(':') + 1),
      ];
      const { namespace, name } = parseKey(rest);
      if (kind === 'pod') await syncPod(tools, pods.store.get(namespace, name), signal);
      else return syncClaim(tools, claims.store.get(namespace, name), signal);
    },
  });
}

/** Claims that the pod uses, as far as it is known which. */
function claimNames({ spec, status }: Pod): string[] {
  return [
    ...(spec.resourceClaims ?? []).flatMap(({ resourceClaimName }) => resourceClaimName ?? []),
    ...(status?.resourceClaimStatuses ?? []).flatMap(
      ({ resourceClaimName }) => resourceClaimName ?? [],
    ),
    // Made by the scheduler, for what the pod asks for by names of resources.
    ...(status?.extendedResourceClaimStatus === undefined
      ? []
      : [status.extendedResourceClaimStatus.resourceClaimName]),
  ];
}

async function syncPod(tools: Tools, pod: Pod | undefined, signal: AbortSignal): Promise<void> {
  if (pod === undefined || isPodFinished(pod) || pod.metadata.deletionTimestamp !== undefined)
    return;
  const known = pod.status?.resourceClaimStatuses ?? [];
  const added: { name: string; resourceClaimName: string }[] = [];
  for (const { name, resourceClaimTemplateName: template } of pod.spec.resourceClaims ?? []) {
    const status = known.find((other) => other.name === name);
    if (template === undefined || (status && isProvided(tools, pod, status))) continue;
    try {
      const claim = await tools.generated.claimFor({ pod, reference: name, template }, signal);
      if (claim !== status?.resourceClaimName) added.push({ name, resourceClaimName: claim });
    } catch (error) {
      const message = `PodResourceClaim ${name}: ${errorText(error)}`;
      const event = { type: 'Warning', reason: 'FailedResourceClaimCreation', message } as const;
      if (!signal.aborted) tools.events.record(eventTarget(podKind, pod), event);
      throw error;
    }
  }
  if (added.length > 0) {
    const kept = known.filter((other) => !added.some(({ name }) => name === other.name));
    await recordClaims(tools, pod, [...kept, ...added], signal);
  }
  if ((pod.spec.nodeName ?? '') !== '') await reserveForPlaced(tools, pod, signal);
}

async function recordClaims(
  { context }: Tools,
  { metadata }: Pod,
  resourceClaimStatuses: readonly PodResourceClaimStatus[],
  signal: AbortSignal,
): Promise<void> {
  const { name = '', namespace = '', uid = '' } = metadata;
  const applied = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, uid },
    status: { resourceClaimStatuses },
  } as unknown as Pod;
  await context.client
    .resource<Pod>(podsResource)
    .namespace(namespace)
    .apply(applied, { subresource: 'status', fieldManager, force: true, signal });
}

/** None is needed, or the one that the pod names is there and its own. */
function isProvided(
  { claims }: Tools,
  pod: Pod,
  { resourceClaimName }: PodResourceClaimStatus,
): boolean {
  if (resourceClaimName === undefined) return true;
  const claim = claims.store.get(pod.metadata.namespace ?? '', resourceClaimName);
  return claim !== undefined && isControlledBy(claim, pod);
}

/** Whoever bypassed the scheduler may use what is allocated, and nothing is allocated for it. */
async function reserveForPlaced(
  { context, claims }: Tools,
  pod: Pod,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata;
  for (const claimName of claimNames(pod)) {
    const claim = claims.store.get(namespace, claimName);
    const reservedFor = claim?.status?.reservedFor ?? [];
    if (claim?.status?.allocation === undefined || reservedFor.some((other) => other.uid === uid))
      continue;
    if (reservedFor.length >= reservedForMax || !isFor(pod, claim)) continue;
    const status = {
      ...claim.status,
      reservedFor: [...reservedFor, { resource: 'pods', name, uid }],
    };
    await context.client
      .resource<ResourceClaim>(resourceClaimsResource)
      .namespace(namespace)
      .update({ ...claim, status }, { subresource: 'status', signal });
  }
}

/** One that was made for a pod is that pod's alone. */
function isFor(pod: Pod, claim: ResourceClaim): boolean {
  const isNamed = (pod.spec.resourceClaims ?? []).some(
    ({ resourceClaimName }) => resourceClaimName === claim.metadata.name,
  );
  return isNamed || isControlledBy(claim, pod);
}

interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Asked of the server when the cache has none: whoever reserved a claim may have seen it before. */
async function podOf(
  { context, pods }: Tools,
  { namespace, name, uid }: PodName,
  signal: AbortSignal,
): Promise<Pod | undefined> {
  const known = pods.store.get(namespace, name);
  if (known?.metadata.uid === uid) return known;
  try {
    const live = await context.client
      .resource<Pod>(podsResource)
      .namespace(namespace)
      .get(name, { signal });
    return live.metadata.uid === uid ? live : undefined;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

/** One that is going and never had a node will not. */
function needsClaim(pod: Pod | undefined): boolean {
  if (pod === undefined || isPodFinished(pod)) return false;
  return pod.metadata.deletionTimestamp === undefined || (pod.spec.nodeName ?? '') !== '';
}

async function syncClaim(
  tools: Tools,
  claim: ResourceClaim | undefined,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  if (claim === undefined) return;
  const { context } = tools;
  const { namespace = '' } = claim.metadata;
  const resource = context.client
    .resource<ResourceClaim>(resourceClaimsResource)
    .namespace(namespace);
  const reservedFor: ResourceClaimConsumerReference[] = [];
  for (const consumer of claim.status?.reservedFor ?? []) {
    const { apiGroup = '', resource: kind, name, uid } = consumer;
    // Others than pods look after themselves.
    const isPod = apiGroup === '' && kind === 'pods';
    if (!isPod || needsClaim(await podOf(tools, { namespace, name, uid }, signal)))
      reservedFor.push(consumer);
  }
  await releaseClaim(resource, claim, { reservedFor, signal });
  if (reservedFor.length > 0 || claim.metadata.deletionTimestamp !== undefined) return;
  const owner = claim.metadata.ownerReferences?.find(
    ({ apiVersion, kind, controller }) =>
      apiVersion === 'v1' && kind === 'Pod' && controller === true,
  );
  if (owner === undefined) return;
  const pod = await podOf(tools, { namespace, name: owner.name, uid: owner.uid }, signal);
  if (pod !== undefined && !isPodFinished(pod)) return;
  const { name = '', uid = '' } = claim.metadata;
  await resource.delete(name, { preconditions: { uid }, signal });
}
