// appArmorProfile (baseline): AppArmor must not be switched off.
//
// Fields: securityContext.appArmorProfile.type of the pod and of every container (since they exist,
// in servers from 1.30), and the annotations container.apparmor.security.beta.kubernetes.io/*.
// Allowed: RuntimeDefault, Localhost, unset; in annotations runtime/default, localhost/*, empty.
// Versions: 1.0.

import {
  createViolations,
  settersOf,
  type Check,
  type CheckPod,
  type Violations,
} from '../check.ts';
import { forbiddenField, type FieldError } from '../field-error.ts';
import { containerAt, containerPath, type PodMetadata, type PodSpec } from '../pod.ts';
import { compareBytes, joinQuoted, plural, quoteGo, sortedSet } from '../wording.ts';

const annotationPrefix = 'container.apparmor.security.beta.kubernetes.io/';

/** The first release with AppArmor fields; older servers see annotations only. */
const fieldsRelease = 30;

const since1_0: CheckPod = (metadata, spec, server) => {
  const seesFields = server.release >= fieldsRelease;
  const bad = seesFields ? findBadFields(spec) : undefined;
  const annotations = findBadAnnotations(metadata);
  if (bad === undefined && annotations === undefined) return undefined;

  const assignments = (annotations ?? [])
    .map(([key, value]) => `${key}=${quoteGo(value)}`)
    .sort(compareBytes);
  const values = [...sortedSet(bad?.values ?? []), ...assignments];
  const setters = bad === undefined ? [] : [settersOf(bad)];
  if (assignments.length > 0) {
    setters.push(plural('annotation', 'annotations', assignments.length));
  }
  const fieldErrors: FieldError[] = [...(bad?.fieldErrors ?? [])];
  for (const [key, value] of annotations ?? []) {
    fieldErrors.push(forbiddenField(`metadata.annotations[${key}]`, value));
  }
  return {
    reason: plural('forbidden AppArmor profile', 'forbidden AppArmor profiles', values.length),
    // COMPAT: an assignment carries quotes of its own and is quoted once more.
    detail: seesFields
      ? `${setters.join(' and ')} must not set AppArmor profile type to ${joinQuoted(values)}`
      : assignments.join(', '),
    fieldErrors,
  };
};

export const appArmorProfile: Check = {
  id: 'appArmorProfile',
  level: 'baseline',
  versions: [{ minimumVersion: 0, checkPod: since1_0 }],
};

function findBadFields(spec: PodSpec): Violations | undefined {
  let bad: Violations | undefined;
  const podProfile = spec.securityContext?.appArmorProfile ?? undefined;
  if (podProfile !== undefined && !isAllowedType(podProfile.type)) {
    bad = createViolations();
    bad.podIsSetter = true;
    bad.values.push(podProfile.type ?? '');
    bad.fieldErrors.push(
      forbiddenField('spec.securityContext.appArmorProfile.type', podProfile.type ?? ''),
    );
  }
  let index = 0;
  for (let c = containerAt(spec, 0); c !== undefined; c = containerAt(spec, ++index)) {
    const profile = c.securityContext?.appArmorProfile ?? undefined;
    if (profile === undefined || isAllowedType(profile.type)) continue;
    bad ??= createViolations();
    bad.containers.push(c.name ?? '');
    bad.values.push(profile.type ?? '');
    const path = `${containerPath(spec, index)}.securityContext.appArmorProfile.type`;
    bad.fieldErrors.push(forbiddenField(path, profile.type ?? ''));
  }
  return bad;
}

function findBadAnnotations(metadata: PodMetadata): [key: string, value: string][] | undefined {
  const { annotations } = metadata;
  if (annotations === undefined || annotations === null) return undefined;
  let bad: [string, string][] | undefined;
  for (const key in annotations) {
    if (!key.startsWith(annotationPrefix)) continue;
    const value = annotations[key] ?? '';
    if (isAllowedAnnotation(value)) continue;
    bad ??= [];
    bad.push([key, value]);
  }
  return bad;
}

function isAllowedType(type: string | null | undefined): boolean {
  return type === 'RuntimeDefault' || type === 'Localhost';
}

function isAllowedAnnotation(value: string): boolean {
  return value === '' || value === 'runtime/default' || value.startsWith('localhost/');
}
