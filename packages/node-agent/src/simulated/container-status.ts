// The status of one container, as a kubelet and its container runtime report it. Until there is a
// container the runtime knows nothing: image and mounts are then as the pod has them.

import { formatTime } from '@keelson/apimachinery';
import type {
  ContainerState,
  ContainerStatus,
  VolumeMount,
  VolumeMountStatus,
} from '@keelson/apimachinery/types/core.v1';
import type { NodeImages } from './node-surroundings.ts';
import { userOf } from './container-user.ts';
import { hasSucceeded } from './pod-life.ts';
import type { ContainerRecord, PodRecord, Termination } from './pod-record.ts';

export interface ContainerStatusSettings {
  readonly images: Pick<NodeImages, 'idOf' | 'nameOf'>;
  /** Gate InPlacePodVerticalScaling. */
  readonly hasResize: boolean;
  /** Gate RecursiveReadOnlyMounts. */
  readonly hasMounts: boolean;
  /** Gate SupplementalGroupsPolicy. */
  readonly hasUser: boolean;
}

export function containerStatusOf(
  container: ContainerRecord,
  record: PodRecord,
  settings: ContainerStatusSettings,
): ContainerStatus {
  const { spec, phase, last, restartCount, role } = container;
  const { volumeMounts = [] } = spec;
  return {
    name: spec.name,
    state: stateOf(container, record),
    lastState:
      last === undefined || (phase.is === 'terminated' && phase.how === last)
        ? {}
        : { terminated: terminatedState(last) },
    ready: readyOf(container),
    restartCount,
    image: spec.image ?? '',
    imageID: '',
    // COMPAT: nobody asks whether ephemeral containers have started.
    ...(role === 'ephemeral' ? {} : { started: container.started }),
    ...(settings.hasMounts && volumeMounts.length > 0
      ? { volumeMounts: volumeMounts.map(mountStatusOf) }
      : {}),
    ...(phase.is === 'waiting' && last === undefined
      ? {}
      : runtimeStatusOf(container, record, settings)),
  };
}

function readyOf(container: ContainerRecord): boolean {
  if (container.role === 'ephemeral') return false;
  return container.role === 'init' ? hasSucceeded(container) : container.ready;
}

/** What only the container runtime can tell. */
function runtimeStatusOf(
  { spec, phase, last, allocated, actual = {} }: ContainerRecord,
  { pod }: PodRecord,
  { images, hasResize, hasUser }: ContainerStatusSettings,
): Partial<ContainerStatus> {
  const image = spec.image ?? '';
  const ended = phase.is === 'terminated' ? phase.how : last;
  const id = phase.is === 'running' ? phase.containerId : ended?.containerId;
  const requests = allocated?.requests;
  return {
    image: images.nameOf(image),
    imageID: images.idOf(image),
    ...(id === undefined || id === '' ? {} : { containerID: id }),
    ...(hasResize ? { resources: actual, ...(requests && { allocatedResources: requests }) } : {}),
    ...(hasUser ? { user: userOf(spec, pod) } : {}),
  };
}

/** The simulated runtime can make mounts read-only to the last. */
function mountStatusOf({
  name,
  mountPath,
  readOnly,
  recursiveReadOnly,
}: VolumeMount): VolumeMountStatus {
  if (readOnly !== true) return { name, mountPath };
  const isRecursive = (recursiveReadOnly ?? 'Disabled') !== 'Disabled';
  return { name, mountPath, readOnly, recursiveReadOnly: isRecursive ? 'Enabled' : 'Disabled' };
}

function stateOf(container: ContainerRecord, record: PodRecord): ContainerState {
  const { phase } = container;
  if (phase.is === 'running') return { running: { startedAt: formatTime(phase.startedAt) } };
  if (phase.is === 'terminated') return { terminated: terminatedState(phase.how) };
  const reason = waitingReason(container, record);
  return { waiting: { reason, ...(phase.message !== undefined && { message: phase.message }) } };
}

/** COMPAT: containers of pods with init containers wait for them, whatever they are themselves. */
export function waitingReason({ phase }: ContainerRecord, { containers }: PodRecord): string {
  if (phase.is === 'waiting' && phase.reason !== '') return phase.reason;
  const hasInit = containers.some(({ role }) => role === 'init' || role === 'sidecar');
  return hasInit ? 'PodInitializing' : 'ContainerCreating';
}

function terminatedState(how: Termination) {
  return {
    exitCode: how.exitCode,
    reason: how.reason,
    ...(how.message === undefined ? {} : { message: how.message }),
    startedAt: formatTime(how.startedAt),
    finishedAt: formatTime(how.finishedAt),
    ...(how.containerId === '' ? {} : { containerID: how.containerId }),
  };
}
