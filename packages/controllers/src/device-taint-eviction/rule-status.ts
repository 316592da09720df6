// Keeps the status of DeviceTaintRules. Counting pods is dear, so a rule that has just been counted
// waits, unless it is another rule by now.

import {
  findCondition,
  formatTime,
  isStatusError,
  type GroupVersionResource,
} from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ResourceClaim, ResourceSlice } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import type { Informer } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import type { Taints } from './eviction-time.ts';
import { evictionOfPod } from './eviction-of-pod.ts';
import { publishedDevices } from './published-devices.ts';
import { conditionType, ruleCondition, type RuleCounts } from './rule-condition.ts';
import { selectsDevice, type DeviceName } from './rule-taints.ts';

/** The shortest time between two updates while pods are evicted. */
export const rulePeriodMs = 10_000;

export interface RuleStatusOptions {
  readonly context: ControllerContext;
  readonly fieldManager: string;
  /** Of the rules, in the version in which they are served. */
  readonly resource: GroupVersionResource;
  readonly rules: Informer<DeviceTaintRule>;
  readonly pods: Informer<Pod>;
  readonly claims: Informer<ResourceClaim>;
  readonly slices: Informer<ResourceSlice>;
}

export interface RuleStatus {
  reconcile(name: string, signal: AbortSignal): Promise<ReconcileResult>;
  /** A pod was evicted because of them. */
  evicted(rules: readonly DeviceTaintRule[]): void;
  /** The rule is gone. */
  forget(rule: DeviceTaintRule): void;
}

export function createRuleStatus(options: RuleStatusOptions): RuleStatus {
  const { context, rules } = options;
  /** By uid. */
  const evictedPods = new Map<string, number>();
  return {
    evicted(because) {
      for (const { metadata } of because) {
        const { name = '', uid = '' } = metadata;
        if (rules.store.get('', name)?.metadata.uid === uid)
          evictedPods.set(uid, (evictedPods.get(uid) ?? 0) + 1);
      }
    },
    forget: ({ metadata }) => void evictedPods.delete(metadata.uid ?? ''),
    async reconcile(name, signal) {
      const rule = rules.store.get('', name);
      if (rule === undefined) return;
      const before = findCondition(rule.status?.conditions, conditionType);
      const isOfThis = Number(before?.observedGeneration) === Number(rule.metadata.generation);
      const sinceMs = context.clock.now() - Date.parse(before?.lastTransitionTime ?? '');
      if (isOfThis && sinceMs < rulePeriodMs) return { requeueAfterMs: rulePeriodMs - sinceMs };
      const evicted = evictedPods.get(rule.metadata.uid ?? '') ?? 0;
      const condition = ruleCondition(rule, { ...countOf(options, rule), evictedPods: evicted });
      const { status, reason, message } = condition;
      const isSame =
        before?.status === status && before.reason === reason && before.message === message;
      if (!isOfThis || !isSame) await write(options, rule, condition, signal);
    },
  };
}

function countOf(
  { pods, claims, slices }: RuleStatusOptions,
  rule: DeviceTaintRule,
): Omit<RuleCounts, 'evictedPods'> {
  const { effect } = rule.spec.taint;
  const isDryRun = effect === 'None';
  const none = { pendingPods: 0, namespaces: 0, publishedDevices: 0, allocatedDevices: 0 };
  if (!isDryRun && effect !== 'NoExecute') return none;
  const taint = { ...rule.spec.taint, effect: 'NoExecute' };
  const alone: Taints = { slices: [], rules: [{ ...rule, spec: { ...rule.spec, taint } }] };
  const pending = pods.store
    .list()
    .filter(
      (pod) =>
        pod.metadata.deletionTimestamp === undefined &&
        !isPodFinished(pod) &&
        evictionOfPod(pod, claims, () => alone) !== undefined,
    );
  const counted = {
    ...none,
    pendingPods: pending.length,
    namespaces: new Set(pending.map(({ metadata }) => metadata.namespace)).size,
  };
  if (!isDryRun) return counted;
  const allocated = claims.store
    .list()
    .flatMap(({ status }) => status?.allocation?.devices?.results ?? []);
  const selected = (names: readonly DeviceName[]) =>
    names.filter((name) => selectsDevice(rule, name)).length;
  return {
    ...counted,
    publishedDevices: selected(publishedDevices(slices.store.list())),
    allocatedDevices: selected(allocated),
  };
}

async function write(
  { context, fieldManager, resource }: RuleStatusOptions,
  { metadata: { name, uid } }: DeviceTaintRule,
  condition: ReturnType<typeof ruleCondition>,
  signal: AbortSignal,
): Promise<void> {
  const lastTransitionTime = formatTime(context.clock.now());
  const applied = {
    apiVersion: `${resource.group}/${resource.version}`,
    kind: 'DeviceTaintRule',
    metadata: { name, uid },
    status: { conditions: [{ ...condition, lastTransitionTime }] },
  };
  try {
    await context.client.resource<DeviceTaintRule>(resource).apply(applied as DeviceTaintRule, {
      subresource: 'status',
      fieldManager,
      force: true,
      signal,
    });
  } catch (error) {
    if (!isStatusError(error, 'NotFound')) throw error;
  }
}
