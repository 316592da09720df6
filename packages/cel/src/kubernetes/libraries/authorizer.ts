// Authorization checks: `authorizer.group('').resource('pods').namespace('a').check('get').allowed()`.
// What is decided, and about whom, the embedder knows: it gives an `Authorizer`.

import {
  declareFunction,
  memberOverload,
  type FunctionDeclaration,
  type Library,
} from '../../library/library.ts';
import { celTypes } from '../../types/type.ts';
import { celError } from '../../values/error.ts';
import type { CelOpaque, CelResult } from '../../values/value.ts';
import { heldType, kubernetesTypes, type HeldValue } from '../types.ts';
import { namedFormats } from '../values/named-formats.ts';

/** The request to decide about. Selectors are given as they are written. */
export type AuthorizationCheck =
  | { readonly path: string; readonly verb: string }
  | {
      readonly group: string;
      readonly resource: string;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
      readonly fieldSelector: string;
      readonly labelSelector: string;
      readonly verb: string;
    };

export interface AuthorizationOutcome {
  readonly isAllowed: boolean;
  readonly reason: string;
  /** The text of the error with which the check failed. */
  readonly error?: string;
}

/** Decides for one user. Must be synchronous and must not throw. */
export interface CheckAuthorizer {
  check(check: AuthorizationCheck): AuthorizationOutcome;
  /** The same about a service account instead. */
  forServiceAccount(namespace: string, name: string): CheckAuthorizer;
}

type ResourceRequest = Omit<Extract<AuthorizationCheck, { resource: string }>, 'verb'>;

interface PathCheck {
  readonly by: CheckAuthorizer;
  readonly path: string;
}
interface GroupCheck {
  readonly by: CheckAuthorizer;
  readonly group: string;
}
interface ResourceCheck {
  readonly by: CheckAuthorizer;
  readonly request: ResourceRequest;
}

const isSame = <T>(a: T, b: T) => a === b;
const { authorizer, decision, groupCheck, pathCheck, resourceCheck } = kubernetesTypes;
const { bool, string } = celTypes;

const authorizerHeld = heldType<CheckAuthorizer>(authorizer, isSame);
const pathHeld = heldType<PathCheck>(pathCheck, (a, b) => a.by === b.by && a.path === b.path);
const groupHeld = heldType<GroupCheck>(groupCheck, (a, b) => a.by === b.by && a.group === b.group);
const resourceHeld = heldType<ResourceCheck>(
  resourceCheck,
  (a, b) => a.by === b.by && JSON.stringify(a.request) === JSON.stringify(b.request),
);
const decisionHeld = heldType<AuthorizationOutcome>(decision, isSame);

/** The variable `authorizer`. */
export function authorizerVariable(by: CheckAuthorizer): CelOpaque {
  return authorizerHeld.create(by);
}

/** The variable `authorizer.requestResource`. */
export function requestResourceVariable(
  by: CheckAuthorizer,
  request: Omit<ResourceRequest, 'fieldSelector' | 'labelSelector'>,
): CelOpaque {
  return resourceHeld.create({ by, request: { ...request, fieldSelector: '', labelSelector: '' } });
}

function checkPath({ held: by }: HeldValue<CheckAuthorizer>, path: string): CelResult {
  if (path.trim() === '') return celError('path must not be empty');
  return pathHeld.create({ by, path });
}

function forServiceAccount(
  { held: by }: HeldValue<CheckAuthorizer>,
  namespace: string,
  name: string,
): CelResult {
  const isWrong = (format: string, text: string) =>
    (namedFormats.get(format)?.validate(text).length ?? 0) > 0;
  if (isWrong('dns1123Subdomain', name)) return celError('Invalid service account name');
  if (isWrong('dns1123Label', namespace)) return celError('Invalid service account namespace');
  return authorizerHeld.create(by.forServiceAccount(namespace, name));
}

function checkResource({ held }: HeldValue<GroupCheck>, resource: string): CelResult {
  if (resource.trim() === '') return celError('resource must not be empty');
  const request: ResourceRequest = {
    group: held.group,
    resource,
    subresource: '',
    namespace: '',
    name: '',
    fieldSelector: '',
    labelSelector: '',
  };
  return resourceHeld.create({ by: held.by, request });
}

const refine = (name: keyof ResourceRequest, id: string): FunctionDeclaration =>
  declareFunction(
    name,
    memberOverload(
      id,
      [[resourceCheck, string], resourceCheck],
      ({ held }: HeldValue<ResourceCheck>, text: string) =>
        resourceHeld.create({ by: held.by, request: { ...held.request, [name]: text } }),
    ),
  );

export const authorizerLibrary: Library = {
  name: 'kubernetes.authz',
  functions: [
    declareFunction(
      'path',
      memberOverload('authorizer_path', [[authorizer, string], pathCheck], checkPath),
    ),
    declareFunction(
      'group',
      memberOverload(
        'authorizer_group',
        [[authorizer, string], groupCheck],
        ({ held: by }: HeldValue<CheckAuthorizer>, group: string) =>
          groupHeld.create({ by, group }),
      ),
    ),
    declareFunction(
      'serviceAccount',
      memberOverload(
        'authorizer_serviceaccount',
        [[authorizer, string, string], authorizer],
        forServiceAccount,
      ),
    ),
    declareFunction(
      'resource',
      memberOverload('groupcheck_resource', [[groupCheck, string], resourceCheck], checkResource),
    ),
    refine('subresource', 'resourcecheck_subresource'),
    refine('namespace', 'resourcecheck_namespace'),
    refine('name', 'resourcecheck_name'),
    declareFunction(
      'check',
      memberOverload(
        'pathcheck_check',
        [[pathCheck, string], decision],
        ({ held }: HeldValue<PathCheck>, verb: string) =>
          decisionHeld.create(held.by.check({ path: held.path, verb })),
      ),
      memberOverload(
        'resourcecheck_check',
        [[resourceCheck, string], decision],
        ({ held }: HeldValue<ResourceCheck>, verb: string) =>
          decisionHeld.create(held.by.check({ ...held.request, verb })),
      ),
    ),
    declareFunction(
      'errored',
      memberOverload(
        'decision_errored',
        [[decision], bool],
        ({ held }: HeldValue<AuthorizationOutcome>) => held.error !== undefined,
      ),
    ),
    declareFunction(
      'error',
      memberOverload(
        'decision_error',
        [[decision], string],
        ({ held }: HeldValue<AuthorizationOutcome>) => held.error ?? '',
      ),
    ),
    declareFunction(
      'allowed',
      memberOverload(
        'decision_allowed',
        [[decision], bool],
        ({ held }: HeldValue<AuthorizationOutcome>) => held.isAllowed,
      ),
    ),
    declareFunction(
      'reason',
      memberOverload(
        'decision_reason',
        [[decision], string],
        ({ held }: HeldValue<AuthorizationOutcome>) => held.reason,
      ),
    ),
  ],
};

/** `fieldSelector` and `labelSelector` of a check. */
export const authorizerSelectorLibrary: Library = {
  name: 'kubernetes.authzSelectors',
  functions: [
    refine('fieldSelector', 'authorizer_fieldselector'),
    refine('labelSelector', 'authorizer_labelselector'),
  ],
};
