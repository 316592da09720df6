// Nobody may have a policy read for them what they may not read: its expressions see parameters and
// can tell of them. Who writes a policy with a paramKind must be allowed to get all objects of that
// kind; who writes a binding with a paramRef must be allowed to get, or list, what it refers to.
// Where the kind cannot be found out, the right must be one to everything.
//
// In kube-apiserver this guard sits in the strategies of the four kinds, after their validation. It
// cannot be switched off, so it is no plugin of the ordered list either; the composition root puts
// it before all of them, where validating plugins begin. COMPAT: texts are those of upstream.

import {
  fieldError,
  parseApiVersion,
  statusErrors,
  type GroupVersionKind,
  type KubeObject,
} from '@keelson/apimachinery';
import type {
  ParamKind,
  ParamRef,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { privilegedGroup } from '../../authorization/privileged-groups.ts';
import type { ObjectSource } from '../../object-source.ts';
import { isSemanticallyEqual } from '../../registry/validation/equality.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import { asKind, handling } from '../request-match.ts';
import type { ResourcesOfKind } from './owner-references-permission-enforcement.ts';

export interface ParamAccessDependencies {
  readonly authorizer: Authorizer;
  readonly kinds: ResourcesOfKind;
  readonly validatingAdmissionPolicies: ObjectSource;
  readonly mutatingAdmissionPolicies: ObjectSource;
}

interface PolicyLike extends KubeObject {
  readonly spec: { readonly paramKind?: ParamKind };
}
interface BindingLike extends KubeObject {
  readonly spec: { readonly policyName?: string; readonly paramRef?: ParamRef };
}

export function createParamAccess(dependencies: ParamAccessDependencies): AdmissionPlugin {
  const { validatingAdmissionPolicies, mutatingAdmissionPolicies } = dependencies;
  const policiesOf: Readonly<Record<string, ObjectSource>> = {
    validatingadmissionpolicybindings: validatingAdmissionPolicies,
    mutatingadmissionpolicybindings: mutatingAdmissionPolicies,
  };
  return {
    name: 'ParamAccess',
    handles: handling('CREATE', 'UPDATE'),
    async validate(attributes) {
      const { gvr, subresource, object, user } = attributes;
      if (gvr.group !== 'admissionregistration.k8s.io' || subresource !== '') return;
      if (object === undefined || user.groups.includes(privilegedGroup)) return;
      const policies = policiesOf[gvr.resource];
      if (policies !== undefined) await checkBinding(dependencies, policies, attributes);
      else if (gvr.resource.endsWith('admissionpolicies'))
        await checkPolicy(dependencies, attributes);
    },
  };
}

async function checkPolicy(
  dependencies: ParamAccessDependencies,
  attributes: AdmissionAttributes,
): Promise<void> {
  const { object, oldObject, user } = attributes;
  if (object === undefined) return;
  const { paramKind } = asKind<PolicyLike>(object).spec;
  if (paramKind === undefined) return;
  const before = oldObject && asKind<PolicyLike>(oldObject).spec.paramKind;
  if (isSemanticallyEqual(before, paramKind)) return;
  const { target } = resolve(dependencies.kinds, paramKind);
  const verb = { verb: 'get', name: '*', namespace: '*' };
  const { isAllowed, error } = await ask(dependencies, attributes, { ...target, ...verb });
  if (isAllowed) return;
  const { kind = '', apiVersion = '' } = paramKind;
  const why = `user ${shownUser(user)} must have "get" permission on all objects of the referenced paramKind (kind=${kind}, apiVersion=${apiVersion})`;
  refuse(attributes, 'spec.paramKind', error ?? why);
}

async function checkBinding(
  dependencies: ParamAccessDependencies,
  policies: ObjectSource,
  attributes: AdmissionAttributes,
): Promise<void> {
  const { gvr, object, oldObject, user } = attributes;
  if (object === undefined) return;
  const { paramRef, policyName = '' } = asKind<BindingLike>(object).spec;
  if (paramRef === undefined) return;
  const before = oldObject && asKind<BindingLike>(oldObject).spec;
  if (before?.policyName === policyName && isSemanticallyEqual(before.paramRef, paramRef)) return;
  const policy = policies.get('', policyName);
  const paramKind = policy && asKind<PolicyLike>(policy).spec.paramKind;
  const { target, problem } = resolve(dependencies.kinds, paramKind);
  const { name = '', namespace = '' } = paramRef;
  const verb = name === '' ? 'list' : 'get';
  const attempt = { ...target, verb, name, namespace };
  const { isAllowed, error } = await ask(dependencies, attributes, attempt);
  if (isAllowed) return;
  const isMutating = gvr.resource.startsWith('mutating');
  const who = shownUser(user);
  const everything = `to determine minimum required permissions and user ${who} does not have "${verb}" permission for all groups, versions and resources`;
  // COMPAT: for mutating policies the two words stand in each other's place.
  const [first, second] = isMutating ? [verb, who] : [who, verb];
  const why =
    policy === undefined
      ? `unable to get policy ${policyName} ${everything}`
      : problem === undefined
        ? `user ${first} does not have "${second}" permission on the object referenced by paramRef`
        : `unable to ${problem} paramKind ${shownKind(paramKind)} ${everything}`;
  const failure = error && (isMutating ? error : `failed to authorize request: ${error}`);
  refuse(attributes, 'spec.paramRef', failure ?? why);
}

interface Target {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** What is not known is everything. */
function resolve(
  kinds: ResourcesOfKind,
  paramKind: ParamKind | undefined,
): { readonly target: Target; readonly problem?: 'parse' | 'resolve' } {
  const target: Target = { group: '*', version: '*', resource: '*' };
  if (paramKind === undefined) return { target };
  const { apiVersion = '', kind = '' } = paramKind;
  const gv = parseApiVersion(apiVersion);
  if (gv === undefined) return { target, problem: 'parse' };
  const gvk: GroupVersionKind = { group: gv.group, version: gv.version, kind };
  const [found] = kinds.resourcesOf(gvk);
  if (found === undefined) return { target: { ...target, ...gv }, problem: 'resolve' };
  return { target: { ...gv, resource: found.resource } };
}

interface Attempt extends Target {
  readonly verb: string;
  readonly name: string;
  readonly namespace: string;
}

async function ask(
  { authorizer }: ParamAccessDependencies,
  { user, trace }: AdmissionAttributes,
  attempt: Attempt,
): Promise<{ readonly isAllowed: boolean; readonly error: string | undefined }> {
  const attributes = { isResource: true, subresource: '', ...attempt } as const;
  const result = await authorizer.authorize(user, attributes, trace);
  return { isAllowed: result.decision === 'allow', error: result.evaluationError || undefined };
}

function refuse({ gvk, object, name }: AdmissionAttributes, path: string, why: string): never {
  const shown = name === '' ? (object?.metadata.name ?? '') : name;
  throw statusErrors.invalid(gvk, shown, [fieldError.forbidden(path, why)]);
}

/** As Go prints its struct. */
function shownUser({ name, uid, groups, extra }: UserInfo): string {
  const entries = Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = entries.map(([key, values]) => `${key}:[${values.join(' ')}]`).join(' ');
  return `&{${name} ${uid} [${groups.join(' ')}] map[${shown}]}`;
}

function shownKind(paramKind: ParamKind | undefined): string {
  return `&{${paramKind?.apiVersion ?? ''} ${paramKind?.kind ?? ''}}`;
}
