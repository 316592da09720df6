// What policies in CEL say of a request, as steps of its decision trace: which policy, by which
// binding, with which parameters, what each expression gave, and which values made it so. Written
// from the evaluation that decided; nothing here runs for a request that is not traced.
//
// SECURITY: values of a request about a Secret, or with a Secret as parameters, are not shown, only
// what type they have; all others are shown in a bounded number of characters.

import type { DecisionOutcome, KubeObject } from '@keelson/apimachinery';
import { describeValue, isError, kindOf, type CelResult, type ExplainedPart } from '@keelson/cel';
import type { AdmissionAttributes } from '../admission.ts';
import type { ExplainedExpression } from './expression-pass.ts';
import type { AnyBinding, AnyPolicy } from './policy-requests.ts';

/** One call of a policy, as its step names it. */
export interface TracedCall {
  readonly policy: AnyPolicy;
  readonly binding: AnyBinding | undefined;
  readonly params?: KubeObject | undefined;
}

/** An expression of a policy in a step: what it gave, and why. */
export interface TracedExpression {
  readonly expression: string;
  /** `true`, `false`, another value, or `error: …`. */
  readonly value: string;
  readonly decided: readonly TracedPart[];
  /** Variables of the policy that it used. */
  readonly variables: readonly TracedVariable[];
}
export interface TracedPart {
  readonly text: string;
  readonly value: string;
  /** In its expression: lines from 1, columns from 0. */
  readonly line: number;
  readonly column: number;
}
export interface TracedVariable {
  readonly name: string;
  readonly expression: string;
  readonly decided: readonly TracedPart[];
}

/** Characters of one value. */
const valueCharactersMax = 200;

/** Of a policy and what its expressions decide about; `namespace/name` of parameters. */
function tracedNames({ policy, binding, params }: TracedCall): Record<string, string> {
  const { namespace = '', name = '' } = params?.metadata ?? {};
  return {
    policy: policy.metadata.name ?? '',
    ...(binding === undefined ? {} : { binding: binding.metadata.name ?? '' }),
    ...(params === undefined ? {} : { params: namespace === '' ? name : `${namespace}/${name}` }),
  };
}

export interface PolicyStep {
  readonly stage: 'admission/mutating' | 'admission/validating';
  readonly by: string;
  readonly outcome: DecisionOutcome;
  readonly reason: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** The step of one call. */
export function recordPolicyStep(
  { trace }: AdmissionAttributes,
  call: TracedCall,
  { detail, ...step }: PolicyStep,
): void {
  trace.record({ ...step, detail: { ...tracedNames(call), ...detail } });
}

/** The expressions that were evaluated; those that were not are left out. */
export function tracedExpressions(
  attributes: AdmissionAttributes,
  { params }: TracedCall,
  explained: readonly (ExplainedExpression | undefined)[],
): TracedExpression[] {
  const show = isSecret(attributes, params) ? hidden : shown;
  const partsOf = (parts: readonly ExplainedPart[]) =>
    parts.map((part) => ({ ...part, value: show(part.value) }));
  return explained.flatMap((one) =>
    one === undefined
      ? []
      : {
          expression: one.expression,
          value: show(one.result),
          decided: partsOf(one.parts),
          variables: one.variables.map(({ name, expression, parts }) => ({
            name,
            expression,
            decided: partsOf(parts),
          })),
        },
  );
}

function isSecret({ gvr }: AdmissionAttributes, params: KubeObject | undefined): boolean {
  const isAbout = gvr.group === '' && gvr.resource === 'secrets';
  return isAbout || (params?.kind === 'Secret' && params.apiVersion === 'v1');
}

const shown = (value: CelResult): string => describeValue(value, valueCharactersMax);

/**
 * Whether something holds may be said; what it is may not. Errors may quote what they failed on.
 */
function hidden(value: CelResult): string {
  if (typeof value === 'boolean') return String(value);
  return isError(value) ? 'error: [redacted]' : `[redacted ${kindOf(value)}]`;
}
