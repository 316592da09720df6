// Brings AppArmor annotations and fields of a new pod together (KEP-24). An annotation without a
// field becomes the field; up to 1.33 a field without an annotation also became the annotation, for
// kubelets that knew nothing else. Windows pods are left alone.

import { isDeepStrictEqual } from 'node:util';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { appArmorAnnotationOf, appArmorProfileOf } from '../pod-spec/app-armor-profiles.ts';
import { appArmorPrefix } from '../pod-spec/profile-annotations.ts';
import { appArmorProfile } from '../pod-spec/security-context.ts';
import { allContainers, type AnyContainer } from '../pod-spec/visit-containers.ts';
import { appArmorWarning } from '../pod-spec/warnings.ts';
import type { Errors } from '../../validation/checks.ts';

const lastMinorWithBackfill = 33;

/** Changes the pod and gives the warnings about annotations that should be fields. */
export function syncAppArmor(pod: Pod, features: Features): string[] {
  if (!features.enabled('AppArmorFields') || pod.spec.os?.name === 'windows') return [];
  return allContainers(pod.spec).flatMap((container) => syncContainer(pod, container, features));
}

function syncContainer(pod: Pod, container: AnyContainer, features: Features): string[] {
  const key = appArmorPrefix + container.name;
  const annotation = pod.metadata.annotations?.[key];
  const ofPod = pod.spec.securityContext?.appArmorProfile;
  const field = container.securityContext?.appArmorProfile;
  if (annotation === undefined) {
    const profile = field ?? ofPod;
    if (profile && features.emulated.minor <= lastMinorWithBackfill) {
      const text = appArmorAnnotationOf(profile);
      if (text !== '') pod.metadata.annotations = { ...pod.metadata.annotations, [key]: text };
    }
    return [];
  }
  if (field) return [];
  const profile = appArmorProfileOf(annotation);
  const errors: Errors = [];
  appArmorProfile(errors, '', profile);
  if (!profile || errors.length > 0) return [appArmorWarning('', key)];
  if (isDeepStrictEqual(profile, ofPod)) return [];
  container.securityContext = { ...container.securityContext, appArmorProfile: profile };
  return [appArmorWarning('', key)];
}
