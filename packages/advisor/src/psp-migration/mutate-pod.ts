// What a PodSecurityPolicy changed in a pod before it was judged: defaults for what the pod left
// open, and capabilities. The order and the rules are those of the admission plugin of 1.24.

import { copyJson, type JsonObject } from '@keelson/apimachinery';
import { objectOf, objectsOf, textsOf, type PodSecurityPolicy } from './pod-security-policy.ts';

/** A copy of the pod with the changes; the same value when there are none. */
export function mutatePod(policy: PodSecurityPolicy, pod: JsonObject): JsonObject {
  const copy = copyJson(pod) as JsonObject;
  const spec = (copy['spec'] = objectOf(copy['spec']));
  mutateSpec(policy, spec);
  annotate(policy, copy, spec);
  for (const list of ['initContainers', 'containers'])
    for (const container of objectsOf(spec[list])) mutateContainer(policy, container, spec);
  return JSON.stringify(copy) === JSON.stringify(pod) ? pod : copy;
}

function mutateSpec(policy: PodSecurityPolicy, spec: JsonObject): void {
  const context = { ...objectOf(spec['securityContext']) };
  const set = (key: string, value: JsonObject[string] | undefined) => {
    if (context[key] === undefined && value !== undefined) context[key] = value;
  };
  set('fsGroup', firstId(policy, 'fsGroup'));
  const group = firstId(policy, 'supplementalGroups');
  set('supplementalGroups', group === undefined ? undefined : [group]);
  set('seLinuxOptions', policy.seLinuxOptions);
  const seccomp = profileOf(policy.seccomp.defaultProfile);
  const isOpen = objectsOf(spec['containers']).some(
    ({ securityContext }) => objectOf(securityContext)['seccompProfile'] === undefined,
  );
  if (isOpen) set('seccompProfile', seccomp);
  if (Object.keys(context).length > 0) spec['securityContext'] = context;
  if (spec['runtimeClassName'] === undefined && policy.defaultRuntimeClassName !== undefined)
    spec['runtimeClassName'] = policy.defaultRuntimeClassName;
}

export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';

function annotate({ appArmor }: PodSecurityPolicy, pod: JsonObject, spec: JsonObject): void {
  const { defaultProfile } = appArmor;
  if (defaultProfile === undefined) return;
  const metadata = { ...objectOf(pod['metadata']) };
  const annotations = { ...objectOf(metadata['annotations']) };
  for (const list of ['initContainers', 'containers'])
    for (const { name } of objectsOf(spec[list]))
      annotations[appArmorPrefix + String(name)] ??= defaultProfile;
  pod['metadata'] = { ...metadata, annotations };
}

function mutateContainer(policy: PodSecurityPolicy, container: JsonObject, spec: JsonObject): void {
  const context = { ...objectOf(container['securityContext']) };
  const ofPod = objectOf(spec['securityContext']);
  const isOpen = (key: string) => context[key] === undefined && ofPod[key] === undefined;
  const user = firstId(policy, 'runAsUser');
  if (user !== undefined && isOpen('runAsUser')) context['runAsUser'] = user;
  const group = firstId(policy, 'runAsGroup');
  if (group !== undefined && isOpen('runAsGroup')) context['runAsGroup'] = group;
  if (policy.runAsUser.rule === 'MustRunAsNonRoot' && isOpen('runAsNonRoot') && isOpen('runAsUser'))
    context['runAsNonRoot'] = true;
  const escalation = escalationOf(policy);
  if (context['allowPrivilegeEscalation'] === undefined && escalation !== undefined)
    context['allowPrivilegeEscalation'] = escalation;
  if (policy.readOnlyRootFilesystem && context['readOnlyRootFilesystem'] === undefined)
    context['readOnlyRootFilesystem'] = true;
  const capabilities = capabilitiesOf(policy, objectOf(context['capabilities']));
  if (capabilities !== undefined) context['capabilities'] = capabilities;
  if (Object.keys(context).length > 0) container['securityContext'] = context;
}

function capabilitiesOf(
  { defaultAddCapabilities, requiredDropCapabilities }: PodSecurityPolicy,
  own: JsonObject,
): JsonObject | undefined {
  const [add, drop] = [textsOf(own['add']), textsOf(own['drop'])];
  const added = defaultAddCapabilities.filter((c) => !add.includes(c) && !drop.includes(c));
  const dropped = requiredDropCapabilities.filter((c) => !drop.includes(c) && !add.includes(c));
  if (added.length === 0 && dropped.length === 0) return undefined;
  return {
    ...own,
    ...(add.length + added.length > 0 && { add: [...add, ...added] }),
    ...(drop.length + dropped.length > 0 && { drop: [...drop, ...dropped] }),
  };
}

/** What a container gets that says nothing about escalation; undefined leaves it open. */
export function escalationOf(policy: PodSecurityPolicy): boolean | undefined {
  const { defaultAllowPrivilegeEscalation, allowPrivilegeEscalation } = policy;
  return defaultAllowPrivilegeEscalation ?? (allowPrivilegeEscalation ? undefined : false);
}

type IdField = 'runAsUser' | 'runAsGroup' | 'fsGroup' | 'supplementalGroups';

/** The id that is given to who has none: the first of the first range, where one is required. */
export function firstId(policy: PodSecurityPolicy, field: IdField): number | undefined {
  const { rule, ranges } = policy[field];
  return rule === 'MustRunAs' ? ranges[0]?.min : undefined;
}

/** The field for the name of a profile in an annotation. */
export function profileOf(name: string | undefined): JsonObject | undefined {
  if (name === undefined) return undefined;
  if (name === 'runtime/default' || name === 'docker/default') return { type: 'RuntimeDefault' };
  if (name === 'unconfined') return { type: 'Unconfined' };
  const local = /^localhost\/(.+)$/.exec(name);
  return local === null ? undefined : { type: 'Localhost', localhostProfile: local[1] ?? '' };
}
