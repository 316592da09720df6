// The variable `authorizer` of one request. Authorizers may take their time, expressions cannot
// wait: a check that is not answered at once is answered before the expressions run again.

import {
  parseFieldSelector,
  parseLabelSelector,
  SelectorError,
  type DecisionTrace,
} from '@keelson/apimachinery';
import type {
  AuthorizationCheck,
  AuthorizationOutcome,
  CheckAuthorizer,
} from '@keelson/cel/kubernetes';
import type { UserInfo } from '../../authentication/authenticator.ts';
import {
  serviceAccountGroups,
  serviceAccountUserName,
} from '../../authentication/service-accounts/service-account-name.ts';
import {
  toFieldSelectorRequirement,
  toLabelSelectorRequirement,
} from '../../authorization/attributes.ts';
import type {
  AuthorizationResult,
  Authorizer,
  RequestAttributes,
  SelectorRequirement,
} from '../../authorization/authorizer.ts';

export interface PolicyAuthorizer {
  readonly variable: CheckAuthorizer;
  /** Waits for the checks that were not answered at once; false when there were none. */
  settle(): Promise<boolean>;
}

export interface PolicyAuthorizerOptions {
  readonly authorizer: Authorizer;
  readonly user: UserInfo;
  readonly trace: DecisionTrace;
}

/** Each question is asked once for a request. */
export function createPolicyAuthorizer(options: PolicyAuthorizerOptions): PolicyAuthorizer {
  const known = new Map<string, AuthorizationOutcome>();
  const pending = new Map<string, Promise<AuthorizationResult>>();
  const ask = (user: UserInfo, check: AuthorizationCheck): AuthorizationOutcome => {
    const key = JSON.stringify([user.name, check]);
    const answered = known.get(key);
    if (answered !== undefined) return answered;
    const answer = options.authorizer.authorize(user, attributesOf(check), options.trace);
    if (answer instanceof Promise) {
      pending.set(key, answer);
      return { isAllowed: false, reason: '' };
    }
    const outcome = outcomeOf(answer);
    known.set(key, outcome);
    return outcome;
  };
  const variableFor = (user: UserInfo): CheckAuthorizer => ({
    check: (check) => ask(user, check),
    forServiceAccount: (namespace, name) => variableFor(serviceAccountOf(namespace, name)),
  });
  return {
    variable: variableFor(options.user),
    async settle() {
      if (pending.size === 0) return false;
      const asked = [...pending];
      pending.clear();
      for (const [key, answer] of asked) known.set(key, outcomeOf(await answer));
      return true;
    },
  };
}

function outcomeOf(result: AuthorizationResult): AuthorizationOutcome {
  const { decision, reason, evaluationError } = result;
  const outcome = { isAllowed: decision === 'allow', reason };
  return evaluationError === undefined ? outcome : { ...outcome, error: evaluationError };
}

function serviceAccountOf(namespace: string, name: string): UserInfo {
  return {
    name: serviceAccountUserName({ namespace, name }),
    uid: '',
    groups: [...serviceAccountGroups(namespace), 'system:authenticated'],
    extra: {},
  };
}

function attributesOf(check: AuthorizationCheck): RequestAttributes {
  if ('path' in check) return { isResource: false, verb: check.verb, path: check.path };
  const { verb, namespace, group, resource, subresource, name } = check;
  const field = fieldRequirements(check.fieldSelector);
  const label = labelRequirements(check.labelSelector);
  return {
    isResource: true,
    verb,
    namespace,
    group,
    version: '*',
    resource,
    subresource,
    name,
    ...(field === undefined ? {} : { fieldSelector: field }),
    ...(label === undefined ? {} : { labelSelector: label }),
  };
}

function fieldRequirements(text: string): SelectorRequirement[] | undefined {
  if (text === '') return undefined;
  return readable(() => parseFieldSelector(text).requirements.map(toFieldSelectorRequirement));
}

function labelRequirements(text: string): SelectorRequirement[] | undefined {
  if (text === '') return undefined;
  return readable(() =>
    (parseLabelSelector(text).requirements ?? []).flatMap(toLabelSelectorRequirement),
  );
}

/** A selector that cannot be read asks for nothing. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}
