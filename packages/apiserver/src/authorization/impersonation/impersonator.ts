// Decides whether a request may act as the user that its headers name. With the gate
// ConstrainedImpersonation all modes are tried, the most constrained first, and the first refusal
// is what the caller is told; without it there is only the legacy mode.

import { statusErrors, type DecisionTrace, type StatusError } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Features } from '../../features/features.ts';
import type { RequestContext } from '../../request-context.ts';
import { attributesOf } from '../attributes.ts';
import type { Authorizer } from '../authorizer.ts';
import { forbiddenByAuthorizer } from '../forbidden.ts';
import { readImpersonationHeaders } from './impersonation-headers.ts';
import {
  impersonationModes,
  type Check,
  type ImpersonationQuestion,
} from './impersonation-modes.ts';

export interface Impersonation {
  /** Who the request acts as from now on. */
  readonly user: UserInfo;
  /** `impersonate:user-info`; empty for the legacy mode. */
  readonly constraint: string;
}

/** Undefined when a request does not ask for impersonation; throws the StatusError of a refusal. */
export type Impersonator = (
  context: Pick<RequestContext, 'request' | 'info' | 'user' | 'trace'>,
) => Promise<Impersonation | undefined>;

// Callers whose last successful mode is remembered. They use the same one nearly always.
const rememberedCallersMax = 10_000;

export function createImpersonator(authorizer: Authorizer, features: Features): Impersonator {
  const constrained = features.enabled('ConstrainedImpersonation');
  const modes = constrained ? impersonationModes : impersonationModes.slice(-1);
  const lastMode = new Map<string, number>();

  const inOrder = (caller: string): number[] => {
    const all = modes.map((_, index) => index);
    const last = lastMode.get(caller);
    return last === undefined ? all : [last, ...all.filter((index) => index !== last)];
  };
  const remember = (caller: string, index: number) => {
    lastMode.delete(caller);
    if (lastMode.size >= rememberedCallersMax) lastMode.delete(lastMode.keys().next().value ?? '');
    lastMode.set(caller, index);
  };

  return async ({ request, info, user, trace }) => {
    const wanted = readImpersonationHeaders(request.headers, constrained);
    if (wanted === undefined) return undefined;
    const question = { requester: user, wanted, attributes: attributesOf({ info }) };
    const check = createCheck(authorizer, trace);
    let firstRefusal: StatusError | undefined;
    for (const index of inOrder(user.name)) {
      const answer = await modes[index]?.check(question, check);
      if (answer === undefined) continue;
      if ('user' in answer) {
        remember(user.name, index);
        if (trace.enabled) record(trace, question, modes[index]?.name ?? '');
        return answer;
      }
      firstRefusal ??= answer.refusal;
    }
    if (trace.enabled) record(trace, question, undefined, firstRefusal?.message);
    throw firstRefusal ?? statusErrors.internalError('all impersonation modes failed');
  };
}

function createCheck(authorizer: Authorizer, trace: DecisionTrace): Check {
  return async (requester, attributes) => {
    const result = await authorizer.authorize(requester, attributes, trace);
    if (result.decision === 'allow') return undefined;
    const texts = [result.evaluationError ?? '', result.reason].filter((text) => text !== '');
    return forbiddenByAuthorizer(requester, attributes, texts.join(': '));
  };
}

function record(
  trace: DecisionTrace,
  { requester, wanted }: ImpersonationQuestion,
  mode: string | undefined,
  refusal = '',
): void {
  trace.record({
    stage: 'impersonation',
    by: mode ?? 'impersonation',
    outcome: mode === undefined ? 'deny' : 'allow',
    reason: mode === undefined ? refusal : `${requester.name} acts as ${wanted.name}`,
  });
}
