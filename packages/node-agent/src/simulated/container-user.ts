// As whom a container runs: what it says itself comes before what its pod says. Images have no say
// here: who is not named is root, or somebody else where root is not allowed.

import type { Container, ContainerUser, Pod } from '@keelson/apimachinery/types/core.v1';

/** As images that are made to run without rights have it. */
const nobodyId = 65_532;

export function userOf({ securityContext = {} }: Container, { spec }: Pod): ContainerUser {
  const ofPod = spec?.securityContext ?? {};
  const unnamed = mustNotBeRoot({ securityContext }, { spec }) ? nobodyId : 0;
  const uid = Number(securityContext.runAsUser ?? ofPod.runAsUser ?? unnamed);
  const gid = Number(securityContext.runAsGroup ?? ofPod.runAsGroup ?? unnamed);
  const fsGroup = ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup];
  const groups = [gid, ...fsGroup, ...(ofPod.supplementalGroups ?? [])].map(Number);
  return { linux: { uid, gid, supplementalGroups: [...new Set(groups)] } };
}

/** It is to be root and must not be. */
export function breaksNonRoot(container: Container, pod: Pod): boolean {
  return mustNotBeRoot(container, pod) && userOf(container, pod).linux?.uid === 0;
}

function mustNotBeRoot(
  { securityContext }: Pick<Container, 'securityContext'>,
  { spec }: Pick<Pod, 'spec'>,
): boolean {
  return (securityContext?.runAsNonRoot ?? spec?.securityContext?.runAsNonRoot) === true;
}
