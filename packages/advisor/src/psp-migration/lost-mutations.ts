// What a PodSecurityPolicy gave to pods, as a MutatingAdmissionPolicy that gives it still: to the
// pods of the service accounts for which the policy was found to decide, and only what a pod leaves
// open.
//
// Scalars are merged in by an apply configuration. Capabilities and supplemental groups are atomic
// lists, which only a JSON patch can extend.

import type { JsonObject } from '@keelson/apimachinery';
import { appArmorPrefix, escalationOf, firstId, profileOf } from './mutate-pod.ts';
import { textOf, type PodSecurityPolicy } from './pod-security-policy.ts';

/** `namespace/name` of service accounts. */
export type ServiceAccounts = readonly string[];

/** One mutation that would be lost, for people. */
export function lostMutations(policy: PodSecurityPolicy): string[] {
  const lost: string[] = [];
  const add = (field: string, value: unknown) => {
    if (value !== undefined)
      lost.push(`${field}: ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  };
  const list = (values: readonly string[]) => (values.length > 0 ? values : undefined);
  add('defaultAddCapabilities', list(policy.defaultAddCapabilities));
  add('requiredDropCapabilities', list(policy.requiredDropCapabilities));
  add('runAsUser', firstId(policy, 'runAsUser'));
  if (policy.runAsUser.rule === 'MustRunAsNonRoot') add('runAsNonRoot', true);
  add('runAsGroup', firstId(policy, 'runAsGroup'));
  add('fsGroup', firstId(policy, 'fsGroup'));
  add('supplementalGroups', firstId(policy, 'supplementalGroups'));
  add('seLinuxOptions', policy.seLinuxOptions);
  add('seccompProfile', policy.seccomp.defaultProfile);
  add('appArmorProfile', policy.appArmor.defaultProfile);
  add('allowPrivilegeEscalation', escalationOf(policy));
  add('readOnlyRootFilesystem', policy.readOnlyRootFilesystem || undefined);
  add('runtimeClassName', policy.defaultRuntimeClassName);
  return lost;
}

/** The policy and its binding. */
export function mutationPolicy(policy: PodSecurityPolicy, accounts: ServiceAccounts): JsonObject[] {
  const name = `psp-${policy.name}`;
  const mutations = [applyConfiguration(policy), ...jsonPatches(policy)].filter(
    (one) => one !== undefined,
  );
  const list = accounts.toSorted().map(quote).join(', ');
  const apiVersion = 'admissionregistration.k8s.io/v1';
  return [
    {
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name },
      spec: {
        failurePolicy: 'Fail',
        reinvocationPolicy: 'IfNeeded',
        matchConstraints: {
          resourceRules: [
            { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] },
          ],
        },
        matchConditions: [
          {
            name: 'service-accounts-of-the-policy',
            expression: `(request.namespace + '/' + object.spec.?serviceAccountName.orValue('default')) in [${list}]`,
          },
        ],
        mutations,
      },
    },
    {
      apiVersion,
      kind: `MutatingAdmissionPolicyBinding`,
      metadata: { name },
      spec: { policyName: name },
    },
  ];
}

function applyConfiguration(policy: PodSecurityPolicy): JsonObject | undefined {
  const context = podFields(policy);
  const containers = containerFields(policy);
  const members = [
    ...(context.length > 0
      ? [`securityContext: Object.spec.securityContext{${context.join(', ')}}`]
      : []),
    ...(policy.defaultRuntimeClassName === undefined
      ? []
      : [
          `?runtimeClassName: ${optional('!has(object.spec.runtimeClassName)', quote(policy.defaultRuntimeClassName))}`,
        ]),
    ...(containers('containers').length > 0
      ? ['containers', 'initContainers'].map((list) => {
          const type = `Object.spec.${list}`;
          const of =
            list === 'containers' ? `object.spec.${list}` : `object.spec.?${list}.orValue([])`;
          const fields = containers(list).join(', ');
          return `${list}: ${of}.map(c, ${type}{name: c.name, securityContext: ${type}.securityContext{${fields}}})`;
        })
      : []),
  ];
  if (members.length === 0) return undefined;
  return {
    patchType: 'ApplyConfiguration',
    applyConfiguration: { expression: `Object{spec: Object.spec{${members.join(', ')}}}` },
  };
}

const optional = (condition: string, value: string): string =>
  `${condition} ? optional.of(${value}) : optional.none()`;

function podFields(policy: PodSecurityPolicy): string[] {
  const fields: string[] = [];
  const add = (field: string, value: string | undefined) => {
    if (value === undefined) return;
    const isOpen = `!has(object.spec.securityContext) || !has(object.spec.securityContext.${field})`;
    fields.push(`?${field}: ${optional(isOpen, value)}`);
  };
  const group = firstId(policy, 'fsGroup');
  add('fsGroup', group === undefined ? undefined : String(group));
  add(
    'seLinuxOptions',
    structText('Object.spec.securityContext.seLinuxOptions', policy.seLinuxOptions),
  );
  const profile = profileOf(policy.seccomp.defaultProfile);
  add('seccompProfile', structText('Object.spec.securityContext.seccompProfile', profile));
  return fields;
}

function structText(type: string, fields: JsonObject | undefined): string | undefined {
  if (fields === undefined) return undefined;
  const members = Object.entries(fields).map(([key, value]) => `${key}: ${quote(textOf(value))}`);
  return `${type}{${members.join(', ')}}`;
}

/** Fields of the context of a container `c`; some look at the pod's first. */
function containerFields(policy: PodSecurityPolicy): (list: string) => string[] {
  const escalation = escalationOf(policy);
  const user = firstId(policy, 'runAsUser');
  const group = firstId(policy, 'runAsGroup');
  const own = (field: string) => `c.?securityContext.?${field}.hasValue()`;
  const ofPod = (field: string) => `object.spec.?securityContext.?${field}.hasValue()`;
  const isOpen = (field: string) => `!${own(field)} && !${ofPod(field)}`;
  const fields: string[] = [];
  const add = (field: string, condition: string, value: unknown) => {
    if (value !== undefined) fields.push(`?${field}: ${optional(condition, String(value))}`);
  };
  add('runAsUser', isOpen('runAsUser'), user);
  add('runAsGroup', isOpen('runAsGroup'), group);
  if (policy.runAsUser.rule === 'MustRunAsNonRoot')
    add('runAsNonRoot', `${isOpen('runAsNonRoot')} && ${isOpen('runAsUser')}`, true);
  add('allowPrivilegeEscalation', `!${own('allowPrivilegeEscalation')}`, escalation);
  if (policy.readOnlyRootFilesystem)
    add('readOnlyRootFilesystem', `!${own('readOnlyRootFilesystem')}`, true);
  const profile = profileOf(policy.appArmor.defaultProfile);
  return (list) => {
    const type = `Object.spec.${list}.securityContext.appArmorProfile`;
    const appArmor = structText(type, profile);
    if (appArmor === undefined) return fields;
    const noted = `!(${quote(appArmorPrefix)} + c.name in object.metadata.?annotations.orValue({}))`;
    return [
      ...fields,
      `?appArmorProfile: ${optional(`${isOpen('appArmorProfile')} && ${noted}`, appArmor)}`,
    ];
  };
}

function jsonPatches(policy: PodSecurityPolicy): (JsonObject | undefined)[] {
  const { defaultAddCapabilities: add, requiredDropCapabilities: drop } = policy;
  const group = firstId(policy, 'supplementalGroups');
  const patch = (expression: string): JsonObject => ({
    patchType: 'JSONPatch',
    jsonPatch: { expression },
  });
  return [
    add.length === 0 ? undefined : patch(capabilityPatch('add', 'drop', add)),
    drop.length === 0 ? undefined : patch(capabilityPatch('drop', 'add', drop)),
    group === undefined
      ? undefined
      : patch(
          `object.spec.?securityContext.?supplementalGroups.orValue([]).size() > 0 ? [] : (has(object.spec.securityContext) ? [] : [JSONPatch{op: "add", path: "/spec/securityContext", value: {}}]) + [JSONPatch{op: "add", path: "/spec/securityContext/supplementalGroups", value: [${group}]}]`,
        ),
  ];
}

/** Adds to a list of capabilities of every container what stands in neither of its lists. */
function capabilityPatch(list: string, other: string, names: readonly string[]): string {
  const all = `[${names.map(quote).join(', ')}]`;
  const have = (field: string) => `c.?securityContext.?capabilities.?${field}.orValue([])`;
  const missing = `${all}.filter(n, !(n in ${have(list)}) && !(n in ${have(other)}))`;
  const perList = ['containers', 'initContainers'].map((field) => {
    const of =
      field === 'containers' ? `object.spec.${field}` : `object.spec.?${field}.orValue([])`;
    const path = `"/spec/${field}/" + string(${of}.map(x, x.name).indexOf(c.name)) + "/securityContext`;
    return `${of}.filter(c, ${missing}.size() > 0).map(c, (has(c.securityContext) ? [] : [JSONPatch{op: "add", path: ${path}", value: {}}]) + (has(c.securityContext) && has(c.securityContext.capabilities) ? [] : [JSONPatch{op: "add", path: ${path}/capabilities", value: {}}]) + [JSONPatch{op: "add", path: ${path}/capabilities/${list}", value: ${have(list)} + ${missing}}]).flatten()`;
  });
  return perList.join(' + ');
}

const quote = (text: string): string => JSON.stringify(text);
