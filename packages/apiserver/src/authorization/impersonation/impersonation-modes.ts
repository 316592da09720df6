// The ways in which one user may act as another (KEP-5284). The legacy way asks for `impersonate`
// on the user, each group and so on, and then everything the other may do is allowed. The
// constrained ways ask two questions: may the caller do *this* while being someone of that kind
// (`impersonate-on:<mode>:<verb>` on what is requested), and may the caller be this one
// (`impersonate:<mode>`). They know nodes, service accounts and other users apart.
//
// SECURITY: what is checked is the caller, never the impersonated user. Nothing of the caller's own
// groups and extra values goes into the impersonated identity.

import {
  quoteGo,
  renderFieldError,
  subdomainProblems,
  type StatusError,
} from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import { domainPrefixedPathErrors } from '../../authentication/domain-prefixed-path.ts';
import { nodeNameKey } from '../../authentication/service-accounts/bound-token.ts';
import {
  parseServiceAccountUserName,
  serviceAccountGroups,
} from '../../authentication/service-accounts/service-account-name.ts';
import type { RequestAttributes, ResourceAttributes } from '../authorizer.ts';
import { forbiddenByAuthorizer } from '../forbidden.ts';
import { privilegedGroup } from '../privileged-groups.ts';

/** Asks the authorizer; the refusal as a 403, or undefined when it is allowed. */
export type Check = (
  requester: UserInfo,
  attributes: RequestAttributes,
) => Promise<StatusError | undefined>;

export interface ImpersonationQuestion {
  readonly requester: UserInfo;
  readonly wanted: UserInfo;
  /** What is requested, as the caller would be asked about it. */
  readonly attributes: RequestAttributes;
}

export type ModeAnswer =
  | { readonly user: UserInfo; readonly constraint: string }
  | { readonly refusal: StatusError };

export interface ImpersonationMode {
  readonly name: string;
  /** Whom it is meant for, for traces in which it was not. */
  readonly appliesTo: string;
  /** Undefined when the mode is not meant for this question. */
  check(question: ImpersonationQuestion, check: Check): Promise<ModeAnswer | undefined>;
}

// From so many groups or extra values on, one question about all of them is tried first.
const manyChecks = 4;
const authenticationGroup = 'authentication.k8s.io';

/** In the order in which they are tried; the legacy mode comes after them. */
export const constrainedModes: readonly ImpersonationMode[] = [
  constrainedMode({
    name: 'associated-node',
    appliesTo: 'is for service accounts that act as the node of their own pod, and nothing more',
    applies: isAssociatedNode,
    adapt: asAssociatedNode,
  }),
  constrainedMode({
    name: 'arbitrary-node',
    appliesTo: 'is for acting as a node, without groups, uid and extra values',
    applies: ({ wanted }) => isBare(wanted) && isNode(wanted),
  }),
  constrainedMode({
    name: 'serviceaccount',
    appliesTo: 'is for acting as a service account, without groups, uid and extra values',
    applies: ({ wanted }) => isBare(wanted) && isServiceAccount(wanted),
  }),
  constrainedMode({
    name: 'user-info',
    appliesTo: 'is for acting as a user that is neither a node nor a service account',
    applies: ({ wanted }) => !isNode(wanted) && !isServiceAccount(wanted),
  }),
];

/**
 * The mode that is always there. COMPAT: beside the constrained ones the uid is asked about before
 * groups and extra values, by itself after them.
 */
export function legacyMode(isBesideOthers: boolean): ImpersonationMode {
  return {
    name: 'legacy',
    appliesTo: 'is for everybody',
    check: ({ requester, wanted }, check) =>
      checkIdentity(
        {
          verb: 'impersonate',
          group: '',
          constrained: false,
          uidFirst: isBesideOthers,
          requester,
          wanted,
        },
        check,
      ),
  };
}

interface ConstrainedModeParts {
  readonly name: string;
  readonly appliesTo: string;
  readonly applies: (question: ImpersonationQuestion) => boolean;
  readonly adapt?: (check: Check) => Check;
}

function constrainedMode(parts: ConstrainedModeParts): ImpersonationMode {
  const { name, appliesTo, applies, adapt = (check) => check } = parts;
  return {
    name,
    appliesTo,
    async check(question, plainCheck) {
      if (!applies(question)) return undefined;
      const check = adapt(plainCheck);
      const { requester, wanted, attributes } = question;
      const onVerb = `impersonate-on:${name}:${attributes.verb}`;
      const refusal = await check(requester, { ...attributes, verb: onVerb });
      if (refusal !== undefined) return { refusal };
      const verb = `impersonate:${name}`;
      const identity = { verb, group: authenticationGroup, constrained: true, uidFirst: true };
      return checkIdentity({ ...identity, requester, wanted }, check);
    },
  };
}

interface IdentityQuestion {
  readonly verb: string;
  /** API group of users, groups, nodes and service accounts as resources. */
  readonly group: string;
  readonly constrained: boolean;
  readonly uidFirst: boolean;
  readonly requester: UserInfo;
  readonly wanted: UserInfo;
}

async function checkIdentity(question: IdentityQuestion, check: Check): Promise<ModeAnswer> {
  const { verb, group, constrained, uidFirst, requester, wanted } = question;
  const ask = (changes: Partial<ResourceAttributes>) =>
    check(requester, resourceOf(verb, group, changes));
  const askUid = async () =>
    wanted.uid === ''
      ? undefined
      : ask({ group: authenticationGroup, resource: 'uids', name: wanted.uid });
  const account = parseServiceAccountUserName(wanted.name);
  const node = constrained ? parseNodeUserName(wanted.name) : undefined;
  const refusal =
    (await ask(
      account !== undefined
        ? { resource: 'serviceaccounts', ...account }
        : node !== undefined
          ? { resource: 'nodes', name: node }
          : { resource: 'users', name: wanted.name },
    )) ??
    (uidFirst ? await askUid() : undefined) ??
    (await checkGroups(question, check)) ??
    (await checkExtra(question, check)) ??
    (uidFirst ? undefined : await askUid());
  if (refusal !== undefined) return { refusal };
  const groups =
    wanted.groups.length > 0 || account === undefined
      ? node === undefined
        ? wanted.groups
        : ['system:nodes']
      : serviceAccountGroups(account.namespace);
  const user = { ...wanted, groups: placed(wanted.name, groups) };
  return { user, constraint: constrained ? verb : '' };
}

async function checkGroups(
  { verb, group, constrained, requester, wanted }: IdentityQuestion,
  check: Check,
): Promise<StatusError | undefined> {
  const of = (name: string) => resourceOf(verb, group, { resource: 'groups', name });
  if (constrained) {
    const refuse = (name: string, why: string) => forbiddenByAuthorizer(requester, of(name), why);
    if (wanted.groups.includes(''))
      return refuse('', 'impersonating the empty string group is not allowed');
    if (wanted.groups.includes(privilegedGroup))
      return refuse(privilegedGroup, 'impersonating the system:masters group is not allowed');
    if (wanted.groups.length >= manyChecks && (await check(requester, of('*'))) === undefined)
      return undefined;
  }
  for (const name of wanted.groups) {
    const refusal = await check(requester, of(name));
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

async function checkExtra(
  { verb, constrained, requester, wanted }: IdentityQuestion,
  check: Check,
): Promise<StatusError | undefined> {
  const of = (subresource: string, name: string) =>
    resourceOf(verb, authenticationGroup, { resource: 'userextras', subresource, name });
  const pairs = Object.entries(wanted.extra).flatMap(([key, values]) =>
    values.map((value) => [key, value] as const),
  );
  if (constrained) {
    const problem = extraProblem(wanted.extra);
    if (problem !== undefined) return forbiddenByAuthorizer(requester, of('', ''), problem);
    if (pairs.length >= manyChecks && (await check(requester, of('*', '*'))) === undefined)
      return undefined;
  }
  for (const [key, value] of pairs) {
    const refusal = await check(requester, of(key, value));
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function extraProblem(extra: UserInfo['extra']): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const [invalid] = domainPrefixedPathErrors(key, 'extra.key');
    if (invalid !== undefined)
      return `impersonating an invalid key in extra is not allowed: ${renderFieldError(invalid)}`;
    if (key !== key.toLowerCase())
      return `impersonating a non-lowercase key in extra is not allowed: ${quoteGo(key)}`;
    if (values.length === 0) return 'impersonating empty values in extra is not allowed';
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}

/** The groups with the one that says whether the user is authenticated. */
function placed(name: string, groups: readonly string[]): readonly string[] {
  const add = (group: string) => (groups.includes(group) ? groups : [...groups, group]);
  if (name === 'system:anonymous') return add('system:unauthenticated');
  return groups.includes('system:unauthenticated') ? groups : add('system:authenticated');
}

function resourceOf(
  verb: string,
  group: string,
  changes: Partial<ResourceAttributes>,
): ResourceAttributes {
  return {
    isResource: true,
    verb,
    namespace: '',
    group,
    version: 'v1',
    resource: '',
    subresource: '',
    name: '',
    ...changes,
  };
}

/** Only a name is wanted; everything else is for the server to say. */
function isBare({ uid, groups, extra }: UserInfo): boolean {
  return uid === '' && groups.length === 0 && Object.keys(extra).length === 0;
}
function isServiceAccount({ name }: UserInfo): boolean {
  return parseServiceAccountUserName(name) !== undefined;
}
function isNode({ name }: UserInfo): boolean {
  return parseNodeUserName(name) !== undefined;
}

/** The node of a valid node user name. */
function parseNodeUserName(userName: string): string | undefined {
  const prefix = 'system:node:';
  if (!userName.startsWith(prefix)) return undefined;
  const name = userName.slice(prefix.length);
  return subdomainProblems(name).length === 0 ? name : undefined;
}

/** A service account whose token says that it runs on the very node that it wants to be. */
function isAssociatedNode({ requester, wanted }: ImpersonationQuestion): boolean {
  const node = parseNodeUserName(wanted.name);
  if (node === undefined || !isBare(wanted) || !isServiceAccount(requester)) return false;
  const own = requester.extra[nodeNameKey] ?? [];
  return own.length === 1 && own[0] === node;
}

/**
 * COMPAT: the association is checked before, so the authorizer is asked about all nodes at once,
 * and sees which extra keys the caller has but not their values.
 */
function asAssociatedNode(check: Check): Check {
  return (requester, attributes) => {
    const keys = Object.keys(requester.extra).sort();
    const extra = { 'authentication.kubernetes.io/associated-node-keys': keys };
    const isIdentity = attributes.isResource && attributes.verb === 'impersonate:associated-node';
    return check({ ...requester, extra }, isIdentity ? { ...attributes, name: '*' } : attributes);
  };
}
