// Evicts a pod from its devices when its time has come, and tells of it; also when it may stay
// after all.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { DeviceTaintRule } from '@keelson/apimachinery/types/resource.k8s.io.v1beta2';
import type { Informer } from '@keelson/client';
import { parseKey, type ControllerContext } from '../machinery/controller.ts';
import type { EventRecorder } from '../machinery/event-recorder.ts';
import type { ReconcileResult } from '../machinery/run-controller.ts';
import { disruptPod } from '../pods/disrupt-pod.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import type { Eviction } from './eviction-time.ts';

const whyDisrupted = {
  reason: 'DeletionByDeviceTaintManager',
  message: 'Device Taint manager: deleting due to NoExecute taint',
};

/** Begun, or to come. */
interface KnownEviction {
  readonly uid: string;
  readonly isDone: boolean;
  readonly rules: readonly DeviceTaintRule[];
}

export interface PodEvictionTools {
  readonly context: ControllerContext;
  readonly pods: Informer<Pod>;
  readonly evictionOf: (pod: Pod) => Eviction | undefined;
  readonly events: EventRecorder;
  /** By the pod's key. */
  readonly evictions: Map<string, KnownEviction>;
  /** How many pods these rules evict may have changed. */
  readonly onChange: (rules: readonly DeviceTaintRule[]) => void;
  readonly onEvicted: (rules: readonly DeviceTaintRule[], lateMs: number) => void;
}

export async function reconcilePod(
  tools: PodEvictionTools,
  key: string,
  signal: AbortSignal,
): Promise<ReconcileResult> {
  const { context, pods, evictions, onChange, onEvicted } = tools;
  const { namespace, name } = parseKey(key);
  const pod = pods.store.get(namespace, name);
  const { uid = '' } = pod?.metadata ?? {};
  const before = evictions.get(key);
  if (before !== undefined && before.uid !== uid) {
    evictions.delete(key);
    onChange(before.rules);
  }
  if (pod === undefined || isPodFinished(pod) || pod.metadata.deletionTimestamp !== undefined)
    return;
  const eviction = tools.evictionOf(pod);
  const known = evictions.get(key);
  if (eviction === undefined) {
    evictions.delete(key);
    onChange(known?.rules ?? []);
    if (known?.isDone === false) tell(tools, key, uid, 'Cancelling deletion');
    return;
  }
  const { dueMs, rules } = eviction;
  onChange([...new Set([...rules, ...(known?.rules ?? [])])]);
  const leftMs = dueMs - context.clock.now();
  const isDone = known?.isDone === true;
  evictions.set(key, { uid, isDone: isDone || leftMs <= 0, rules });
  if (leftMs > 0) return { requeueAfterMs: leftMs };
  if (!isDone) tell(tools, key, uid, 'Marking for deletion');
  if (await disruptPod(context, pod, whyDisrupted, signal))
    onEvicted(rules, context.clock.now() - dueMs);
}

function tell({ events }: PodEvictionTools, key: string, uid: string, message: string): void {
  const { namespace, name } = parseKey(key);
  events.record(
    { apiVersion: 'v1', kind: 'Pod', namespace, name, uid },
    { type: 'Normal', reason: 'DeviceTaintManagerEviction', message },
  );
}
