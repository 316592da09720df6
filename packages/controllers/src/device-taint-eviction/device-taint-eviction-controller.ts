// Deletes pods whose devices have taints with the effect NoExecute that their claims do not bear,
// or not for longer (KEP-5055). Drivers taint devices in their ResourceSlices, administrators by
// DeviceTaintRules, which say how far their evictions are.

import type { GroupVersionResource, KubeObject } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ResourceClaim, ResourceSlice } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import type { Informer } from '@keelson/client';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { keyOf } from '../machinery/controller.ts';
import { createControllerEvents } from '../machinery/controller-events.ts';
import { createReconciler } from '../machinery/reconciler.ts';
import {
  podsResource,
  resourceClaimsResource,
  resourceSlicesResource,
} from '../machinery/resources.ts';
import type { WorkQueue } from '../machinery/work-queue.ts';
import { createDeletionMetrics } from '../taint-eviction/deletion-metrics.ts';
import { reconcilePod, type PodEvictionTools } from './evict-pod.ts';
import { evictionOfPod } from './eviction-of-pod.ts';
import { createRuleStatus, rulePeriodMs } from './rule-status.ts';

const component = 'device-taint-eviction-controller';
const workers = 8;
export interface DeviceTaintEvictionOptions {
  /** From `servedTaintRules`; without it only slices have taints. */
  readonly taintRules?: GroupVersionResource | undefined;
}

const ruleKey = ({ metadata }: KubeObject) => `rule:${metadata.name}`;
const podKey = (key: string) => `pod:${key}`;

export function createDeviceTaintEvictionController(
  context: ControllerContext,
  { taintRules }: DeviceTaintEvictionOptions,
): Controller {
  const { informers, metrics } = context;
  const pods = informers.informer<Pod>(podsResource);
  const claims = informers.informer<ResourceClaim>(resourceClaimsResource);
  const slices = informers.informer<ResourceSlice>(resourceSlicesResource);
  const rules = taintRules && informers.informer<DeviceTaintRule>(taintRules);
  const about = { context, fieldManager: component, pods, claims, slices };
  const ruleStatus =
    rules && taintRules && createRuleStatus({ ...about, rules, resource: taintRules });
  const read: Read = {
    pods,
    claims,
    slices,
    rules,
    onRuleGone: (rule) => ruleStatus?.forget(rule),
  };
  const taints = () => ({ slices: slices.store.list(), rules: rules?.store.list() ?? [] });
  const deleted = createDeletionMetrics(metrics, {
    subsystem: 'device_taint_eviction_controller',
    controller: 'DeviceTaintEvictionController',
    since: "a device taint effect has been activated and a Pod's deletion",
  });
  let enqueueLater: (rule: DeviceTaintRule) => void = () => {};
  const tools: PodEvictionTools = {
    context,
    pods,
    evictionOf: (pod) => evictionOfPod(pod, claims, taints),
    events: createControllerEvents(context, component),
    evictions: new Map(),
    onChange: (changed) => changed.forEach((rule) => enqueueLater(rule)),
    onEvicted(because, lateMs) {
      deleted(lateMs);
      ruleStatus?.evicted(because);
      because.forEach((rule) => enqueueLater(rule));
    },
  };
  return createReconciler(context, {
    failure: 'pod not evicted from its devices',
    queue: 'device_taint_eviction',
    workers,
    reads: [pods, claims, slices, ...(rules === undefined ? [] : [rules])],
    subscribe(queue) {
      // More changes may come, and counting is dear.
      enqueueLater = (rule) => queue.addAfter(ruleKey(rule), rulePeriodMs);
      return subscribe(queue, read);
    },
    async reconcile(key, signal) {
      const [kind, name = ''] = key.split(':');
      if (kind === 'rule') return ruleStatus?.reconcile(name, signal);
      return reconcilePod(tools, name, signal);
    },
  });
}

interface Read {
  readonly pods: Informer<Pod>;
  readonly claims: Informer<ResourceClaim>;
  readonly slices: Informer<ResourceSlice>;
  readonly rules: Informer<DeviceTaintRule> | undefined;
  onRuleGone(rule: DeviceTaintRule): void;
}

function subscribe(
  queue: WorkQueue,
  { pods, claims, slices, rules, onRuleGone }: Read,
): readonly (() => void)[] {
  const enqueue = (object: KubeObject) => queue.add(podKey(keyOf(object)));
  const enqueueUsers = ({ metadata, status }: ResourceClaim) => {
    for (const { apiGroup = '', resource, name } of status?.reservedFor ?? [])
      if (apiGroup === '' && resource === 'pods')
        queue.add(podKey(`${metadata.namespace}/${name}`));
  };
  /** Slices and rules change seldom, and any claim may be concerned. */
  const enqueueAll = () => claims.store.list().forEach(enqueueUsers);
  /** What a rule says comes before what it does. */
  const onRule = (rule: DeviceTaintRule) => {
    queue.add(ruleKey(rule));
    enqueueAll();
  };
  const onRuleChange = (rule: DeviceTaintRule, old: DeviceTaintRule) => {
    const isSame =
      old.metadata.uid === rule.metadata.uid &&
      old.metadata.generation === rule.metadata.generation;
    if (!isSame) onRule(rule);
  };
  const onRuleDelete = (rule: DeviceTaintRule) => {
    onRuleGone(rule);
    enqueueAll();
  };
  const ofRules = { onAdd: onRule, onUpdate: onRuleChange, onDelete: onRuleDelete };
  return [
    pods.addHandler({ onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue }),
    claims.addHandler({
      onAdd: enqueueUsers,
      onUpdate: (claim, old) => [claim, old].forEach(enqueueUsers),
      onDelete: enqueueUsers,
    }),
    slices.addHandler({ onAdd: enqueueAll, onUpdate: enqueueAll, onDelete: enqueueAll }),
    ...(rules === undefined ? [] : [rules.addHandler(ofRules)]),
  ];
}
