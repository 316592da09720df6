// Decides whether a request may act as the user that its headers name. With the gate
// ConstrainedImpersonation all modes are tried, the most constrained first, and the first refusal
// is what the caller is told; without it there is only the legacy mode.
//
// SECURITY: nothing that was allowed is remembered, so a right that is taken away is gone at once;
// remembered is only which mode a caller used last, to try it first.

import { statusErrors, type DecisionTrace, type StatusError } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Features } from '../../features/features.ts';
import type { RequestContext } from '../../request-context.ts';
import { attributesOf } from '../attributes.ts';
import type { Authorizer } from '../authorizer.ts';
import { forbiddenByAuthorizer } from '../forbidden.ts';
import { readImpersonationHeaders } from './impersonation-headers.ts';
import { noImpersonationMetrics, type ImpersonationMetrics } from './impersonation-metrics.ts';
import {
  constrainedModes,
  legacyMode,
  type Check,
  type ImpersonationMode,
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

export function createImpersonator(
  authorizer: Authorizer,
  features: Features,
  metrics: ImpersonationMetrics = noImpersonationMetrics,
): Impersonator {
  const constrained = features.enabled('ConstrainedImpersonation');
  const legacy = legacyMode(constrained);
  const modes = constrained ? [...constrainedModes, legacy] : [legacy];
  const order = createModeOrder(modes);
  const measured = constrained ? metrics : noImpersonationMetrics;

  const decide = async (question: ImpersonationQuestion, trace: DecisionTrace) => {
    let firstRefusal: StatusError | undefined;
    for (const mode of order.modesFor(question.requester.name)) {
      const check = createCheck(authorizer, { trace, mode, constrained, metrics: measured });
      const answer = await mode.check(question, check);
      if (trace.enabled) record(trace, question, { mode, answer });
      if (answer === undefined) continue;
      if ('user' in answer) {
        order.remember(question.requester.name, mode);
        return { mode, impersonation: answer };
      }
      firstRefusal ??= answer.refusal;
    }
    throw firstRefusal ?? statusErrors.internalError('all impersonation modes failed');
  };
  return async ({ request, info, user, trace }) => {
    const wanted = readImpersonationHeaders(request, constrained);
    if (wanted === undefined) return undefined;
    const question = { requester: user, wanted, attributes: attributesOf({ info }) };
    const { impersonation } = await measured.attempted(
      () => decide(question, trace),
      ({ mode }) => mode.name,
    );
    return impersonation;
  };
}

/** The mode that worked last for a caller comes first. */
function createModeOrder(modes: readonly ImpersonationMode[]) {
  const last = new Map<string, ImpersonationMode>();
  return {
    modesFor(caller: string): readonly ImpersonationMode[] {
      const known = last.get(caller);
      return known === undefined ? modes : [known, ...modes.filter((mode) => mode !== known)];
    },
    remember(caller: string, mode: ImpersonationMode): void {
      last.delete(caller);
      if (last.size >= rememberedCallersMax) last.delete(last.keys().next().value ?? '');
      last.set(caller, mode);
    },
  };
}

interface CheckParts {
  readonly trace: DecisionTrace;
  readonly mode: ImpersonationMode;
  readonly constrained: boolean;
  readonly metrics: ImpersonationMetrics;
}

function createCheck(authorizer: Authorizer, parts: CheckParts): Check {
  const { trace, mode, constrained, metrics } = parts;
  return async (requester, attributes) => {
    const result = await metrics.asked(
      mode.name,
      async () => authorizer.authorize(requester, attributes, trace),
      ({ decision }) => decision === 'allow',
    );
    const { decision, reason, evaluationError = '' } = result;
    // COMPAT: what was allowed in spite of an error counts only since there are several modes.
    if (decision === 'allow' && (constrained || evaluationError === '')) return undefined;
    const texts = [evaluationError, reason].filter((text) => text !== '');
    return forbiddenByAuthorizer(requester, attributes, texts.join(': '));
  };
}

interface ModeOutcome {
  readonly mode: ImpersonationMode;
  readonly answer: Awaited<ReturnType<ImpersonationMode['check']>>;
}

function record(
  trace: DecisionTrace,
  { requester, wanted }: ImpersonationQuestion,
  { mode, answer }: ModeOutcome,
): void {
  const step = { stage: 'impersonation', by: mode.name };
  const { name, uid, groups, extra } = wanted;
  const detail = { requester: requester.name, wanted: { name, uid, groups, extra } };
  if (answer === undefined)
    trace.record({ ...step, outcome: 'no-opinion', reason: mode.appliesTo, detail });
  else if ('refusal' in answer)
    trace.record({ ...step, outcome: 'deny', reason: answer.refusal.message, detail });
  else {
    const reason = `${requester.name} acts as ${name}`;
    trace.record({ ...step, outcome: 'allow', reason, detail });
  }
}
