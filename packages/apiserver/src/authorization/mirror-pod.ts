// A mirror pod only shows what a node runs of its own accord. It uses nothing of the cluster, and
// its node may create no other pods.

export const mirrorPodAnnotation = 'kubernetes.io/config.mirror';

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

export function isMirrorPod({ metadata }: Annotated): boolean {
  return Object.hasOwn(metadata.annotations ?? {}, mirrorPodAnnotation);
}
