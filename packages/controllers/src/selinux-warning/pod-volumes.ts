// How each volume of a pod would be labelled (KEP-1710): the SELinux label of the containers that
// use it, and whether it is given at the mount or to each file. What nodes would fill in is not
// known here; parts that are missing conflict with nothing.

import type { Container, Pod, SELinuxOptions } from '@keelson/apimachinery/types/core.v1';

export interface VolumeLabelling {
  /** `user:role:type:level`; empty where the mount gets none. */
  readonly label: string;
  readonly policy: 'MountOption' | 'Recursive';
}

/** The pod gives one volume two labels. */
export const severalLabels = Symbol('several labels');

/** Of the pod's volume, whose driver can or cannot label at the mount. */
export function labellingOf(
  pod: Pod,
  volumeName: string,
  supportsMount: boolean,
): VolumeLabelling | typeof severalLabels {
  const labels = new Set(usersOf(pod, volumeName).map((container) => labelOf(pod, container)));
  const isUnclear = labels.size === 0 || labels.has('');
  const wanted = pod.spec.securityContext?.seLinuxChangePolicy ?? 'MountOption';
  if (!supportsMount || wanted === 'Recursive' || isUnclear)
    return { label: '', policy: 'Recursive' };
  if (labels.size > 1) return severalLabels;
  return { label: [...labels].join(''), policy: 'MountOption' };
}

function usersOf({ spec }: Pod, volumeName: string): readonly Container[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter(({ volumeMounts }) =>
    volumeMounts?.some(({ name }) => name === volumeName),
  );
}

/** Privileged containers run without one. */
function labelOf({ spec }: Pod, { securityContext }: Container): string {
  if (securityContext?.privileged === true) return '';
  const options: SELinuxOptions = {
    ...spec.securityContext?.seLinuxOptions,
    ...securityContext?.seLinuxOptions,
  };
  const { user = '', role = '', type = '', level = '' } = options;
  const label = [user, role, type, level].join(':');
  return label === ':::' ? '' : label;
}

/** A part that one of them does not have may be the same on the node. */
export function labelsConflict(a: string, b: string): boolean {
  const [partsOfA, partsOfB] = [a, b].map((label) => {
    const [user = '', role = '', type = '', ...level] = label.split(':');
    return [user, role, type, level.join(':')];
  });
  return (partsOfA ?? []).some((part, i) => {
    const other = partsOfB?.[i] ?? '';
    return part !== '' && other !== '' && part !== other;
  });
}
