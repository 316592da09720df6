// Annotations that said, before there were fields for it, which seccomp and AppArmor profile a
// container runs under. They must be well formed, and agree with the fields where both are given.

import { fieldError, quoteGo } from '@keelson/apimachinery';
import type { PodSpec } from '@keelson/apimachinery/types/core.v1';
import type { Errors } from '../../validation/checks.ts';
import type { StringMap } from '../../validation/labels.ts';
import { localDescendingPath } from '../../validation/paths.ts';
import { allContainers, containersWithPath } from './visit-containers.ts';

export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';
export const seccompPodKey = 'seccomp.security.alpha.kubernetes.io/pod';
export const seccompContainerPrefix = 'container.seccomp.security.alpha.kubernetes.io/';

const localhost = 'localhost/';

/** The form of the annotations; `path` is that of the annotations. */
export function profileAnnotations(
  errors: Errors,
  path: string,
  annotations: StringMap,
  spec: PodSpec,
): void {
  const pod = annotations[seccompPodKey];
  if (pod !== undefined) seccompAnnotation(errors, `${path}.${seccompPodKey}`, pod);
  for (const [key, value] of Object.entries(annotations)) {
    if (key.startsWith(seccompContainerPrefix)) seccompAnnotation(errors, `${path}.${key}`, value);
  }
  for (const [key, value] of Object.entries(annotations)) {
    if (!key.startsWith(appArmorPrefix)) continue;
    const at = `${path}[${key}]`;
    const name = key.slice(appArmorPrefix.length);
    if (!allContainers(spec).some((c) => c.name === name)) {
      errors.push(fieldError.invalid(at, name, 'container not found'));
    }
    const known = ['', 'runtime/default', 'unconfined'].includes(value);
    if (known || value.startsWith(localhost)) continue;
    const why = `invalid AppArmor profile name: ${quoteGo(value)}`;
    errors.push(fieldError.invalid(at, value, why));
  }
}

function seccompAnnotation(errors: Errors, path: string, value: string): void {
  if (['runtime/default', 'docker/default', 'unconfined'].includes(value)) return;
  if (value.startsWith(localhost)) {
    localDescendingPath(errors, path, value.slice(localhost.length));
    return;
  }
  errors.push(fieldError.invalid(path, value, 'must be a valid seccomp profile'));
}

interface Profile {
  readonly type: string;
  readonly localhostProfile?: string;
}

/** Annotations and fields say the same; checked when a pod is made and for every template. */
export function profilesAgree(
  errors: Errors,
  path: string,
  annotations: StringMap,
  spec: PodSpec,
): void {
  const ofPod = spec.securityContext;
  const seccomp = (at: string, annotation: string | undefined, profile: Profile | undefined) => {
    if (annotation === undefined || !profile) return;
    const defaults = ['runtime/default', 'docker/default'];
    agree(errors, `${at}.securityContext.seccompProfile`, [annotation, profile], {
      kind: 'seccomp',
      defaults,
    });
  };
  seccomp(path, annotations[seccompPodKey], ofPod?.seccompProfile);
  for (const [c, at] of containersWithPath(spec, path)) {
    const annotation = annotations[seccompContainerPrefix + c.name];
    seccomp(at, annotation, c.securityContext?.seccompProfile);
  }
  if (spec.os?.name === 'windows') return;
  for (const [c, at] of containersWithPath(spec, path)) {
    const annotation = annotations[appArmorPrefix + c.name];
    const profile = c.securityContext?.appArmorProfile ?? ofPod?.appArmorProfile;
    if (annotation === undefined || !profile) continue;
    agree(errors, `${at}.securityContext.appArmorProfile`, [annotation, profile], {
      kind: 'apparmor',
      defaults: ['runtime/default'],
    });
  }
}

function agree(
  errors: Errors,
  path: string,
  [annotation, profile]: readonly [string, Profile],
  { kind, defaults }: { readonly kind: string; readonly defaults: readonly string[] },
): void {
  const isType =
    profile.type === 'Unconfined'
      ? annotation === 'unconfined'
      : profile.type === 'RuntimeDefault'
        ? defaults.includes(annotation)
        : profile.type !== 'Localhost' || annotation.startsWith(localhost);
  if (!isType) {
    const why = `${kind} type in annotation and field must match`;
    errors.push(fieldError.forbidden(`${path}.type`, why));
  } else if (
    profile.type === 'Localhost' &&
    annotation.slice(localhost.length) !== profile.localhostProfile
  ) {
    const why = `${kind} profile in annotation and field must match`;
    errors.push(fieldError.forbidden(`${path}.localhostProfile`, why));
  }
}
