// What is wanted of a volume and what is to be done about it, from objects alone:
//
//   attach    a pod is bound to a node that lets itself be managed, has not ended, and its claim is
//             bound to the volume. A volume that is for one node only is attached when no other
//             node has it any more
//   detach    no such pod is on the node, and the node does not use it any more; or the node is
//             gone or out of service; or it has been unhealthy for so long that it will not say so
//             any more, which is six minutes, or never
//   report    a node is told that a volume is attached until it is to be detached

import type { Node, PersistentVolume, Pod } from '@keelson/apimachinery/types/core.v1';
import type { VolumeAttachment } from '@keelson/apimachinery/types/storage.k8s.io.v1';
import { readyConditionOf } from '../node-lifecycle/node-health.ts';
import { outOfServiceKey } from '../pod-garbage-collector/which-pods.ts';

/** How long a node that does not answer is believed to use what it used. */
const unmountWaitMs = 6 * 60_000;
const managedAnnotation = 'volumes.kubernetes.io/controller-managed-attach-detach';

export function isManaged(node: Node | undefined): node is Node {
  return node?.metadata?.annotations?.[managedAnnotation] !== undefined;
}

export type Standing =
  | { readonly is: 'wanted' }
  /** The node uses it still; `waitMs` until that does not count any more. */
  | { readonly is: 'in-use'; readonly waitMs: number | undefined }
  /** `forced`: though the node uses it still. */
  | { readonly is: 'free'; readonly forced?: ForcedReason };
export type ForcedReason = 'out-of-service' | 'timeout';

export interface StandingOptions {
  readonly isWanted: boolean;
  readonly node: Node | undefined;
  /** In the node's `volumesInUse`. */
  readonly nodeVolume: string | undefined;
  /** Since nobody wants it any more. */
  readonly unwantedMs: number;
  /** Whether a node that does not answer is believed for ever. */
  readonly isBelieved: boolean;
}

export function standingOf(options: StandingOptions): Standing {
  const { isWanted, node, nodeVolume, unwantedMs, isBelieved } = options;
  if (isWanted) return { is: 'wanted' };
  if (node === undefined || nodeVolume === undefined) return { is: 'free' };
  if (node.status?.volumesInUse?.includes(nodeVolume) !== true) return { is: 'free' };
  if (node.spec?.taints?.some(({ key }) => key === outOfServiceKey))
    return { is: 'free', forced: 'out-of-service' };
  const isHealthy = readyConditionOf(node)?.status === 'True';
  if (isHealthy || isBelieved) return { is: 'in-use', waitMs: undefined };
  const waitMs = unmountWaitMs - unwantedMs;
  return waitMs > 0 ? { is: 'in-use', waitMs } : { is: 'free', forced: 'timeout' };
}

/** May be attached to several nodes. */
export function isShared({ spec }: PersistentVolume): boolean {
  const modes = spec?.accessModes ?? [];
  const isFor = (mode: string) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany';
  return modes.length === 0 || modes.some(isFor);
}

export const isAttached = ({ status }: VolumeAttachment): boolean => status?.attached === true;

/** Why a volume that another node has cannot be attached, as the pods are told. */
export function multiAttachText(volumeName: string, others: readonly Pod[]): string {
  const names = others.map(({ metadata }) => metadata.name).join(', ');
  const why =
    others.length === 0
      ? "Volume is already exclusively attached to one node and can't be attached to another"
      : `Volume is already used by pod(s) ${names}`;
  return `${multiAttach} for volume ${JSON.stringify(volumeName)} ${why}`;
}
const multiAttach = 'Multi-Attach error';

/** Pods are told once, whoever else has the volume meanwhile. */
export const isMultiAttachText = (text: string | undefined): boolean =>
  text?.startsWith(multiAttach) === true;
