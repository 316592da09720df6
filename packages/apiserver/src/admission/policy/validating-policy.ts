// A compiled ValidatingAdmissionPolicy, and what it says of one request with one set of parameters.
// COMPAT: order of passes, budgets and texts are kube-apiserver's.

import { isError, type CelResult, type Environment } from '@keelson/cel';
import type {
  ValidatingAdmissionPolicy,
  Validation,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import { createPolicyCompiler, type PolicyCompiler } from './compile-policy.ts';
import type { ConditionWatch } from './condition-metrics.ts';
import {
  runPass,
  type ExplainedExpression,
  type Outcome,
  type PassResult,
  type PolicyExpression,
} from './expression-pass.ts';
import type { PolicyInputs, PolicyVariables } from './policy-inputs.ts';

/** What all expressions of one evaluation may cost. */
export const policyCostMax = 10_000_000;
const conditionsCostMax = 2_500_000;
const messageBytesMax = 5120;

/** A validation that does not hold, or could not be evaluated. */
export interface PolicyDenial {
  readonly message: string;
  readonly reason?: string;
  /** Position of the expression among the validations; undefined for what concerns them all. */
  readonly index?: number;
}

export interface PolicyFindings {
  /** Each is subject to the actions of the binding. */
  readonly denials: readonly PolicyDenial[];
  /** What could not be evaluated and is let through. */
  readonly ignored: readonly string[];
  readonly annotations: readonly { readonly key: string; readonly value: string }[];
  /** Annotations that failed: they refuse the request, whatever the binding says. */
  readonly annotationErrors: readonly string[];
  /** Of conditions and validations in their order; only when asked for. */
  readonly explanations?: PolicyExplanations;
}

export interface PolicyExplanations {
  readonly conditions: readonly (ExplainedExpression | undefined)[];
  readonly validations: readonly (ExplainedExpression | undefined)[];
}

export interface CompiledPolicy {
  evaluate(given: PolicyGiven): PolicyFindings;
}

const nothing: PolicyFindings = {
  denials: [],
  ignored: [],
  annotations: [],
  annotationErrors: [],
};

export function compileValidatingPolicy(
  { spec }: ValidatingAdmissionPolicy,
  base: Environment,
): CompiledPolicy {
  const validations = spec.validations ?? [];
  const compiler = createPolicyCompiler(base, {
    hasParams: spec.paramKind !== undefined,
    matchConditions: spec.matchConditions ?? [],
    variables: spec.variables ?? [],
  });
  const fails = spec.failurePolicy !== 'Ignore';
  const parts: PolicyParts = {
    compiler,
    fails,
    validations,
    rules: validations.map(({ expression }) => compiler.compile(expression, 'validation')),
    messages: validations.map(({ messageExpression }) =>
      messageExpression ? compiler.compile(messageExpression, 'message') : undefined,
    ),
    annotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: compiler.compile(valueExpression, 'audit-annotation'),
    })),
  };
  return { evaluate: (given) => evaluatePolicy(parts, given) };
}

interface PolicyParts {
  readonly compiler: PolicyCompiler;
  /** Whether an error is a refusal. */
  readonly fails: boolean;
  readonly validations: readonly Validation[];
  readonly rules: readonly PolicyExpression[];
  readonly messages: readonly (PolicyExpression | undefined)[];
  readonly annotations: readonly { readonly key: string; readonly expression: PolicyExpression }[];
}

/** What a policy is evaluated with. */
export interface PolicyGiven {
  readonly inputs: PolicyInputs;
  readonly params: PolicyVariables;
  /** For a request that is traced. */
  readonly explain?: boolean;
  readonly watch?: ConditionWatch | undefined;
}

function evaluatePolicy(parts: PolicyParts, given: PolicyGiven): PolicyFindings {
  if (given.explain !== true) return findingsOf(parts, given, undefined);
  const seen: Seen = { conditions: [], validations: [] };
  return { ...findingsOf(parts, given, seen), explanations: seen };
}

/** Takes what passes explain. */
type Seen = { -readonly [part in keyof PolicyExplanations]: PolicyExplanations[part] };

function findingsOf(
  parts: PolicyParts,
  { inputs, params, watch }: PolicyGiven,
  seen: Seen | undefined,
): PolicyFindings {
  const { compiler, fails } = parts;
  const visible = { ...inputs.request, ...params };
  const all = { ...visible, ...inputs.authorizer };
  const onError = (message: string): PolicyFindings =>
    fails ? { ...nothing, denials: [{ message }] } : { ...nothing, ignored: [message] };
  // COMPAT: conditions do not see the namespace.
  const noNamespace = { ...all, namespaceObject: null };
  const conditions = matchConditions(compiler, noNamespace, {
    watch,
    onExplained: seen && ((explanations) => (seen.conditions = explanations)),
  });
  if (conditions === false) return nothing;
  if (conditions !== true) return onError(conditions);
  const variables = compiler.variables === undefined ? {} : { variables: compiler.variables };
  const rules = runPass({
    expressions: parts.rules,
    bindings: all,
    budget: policyCostMax,
    explain: seen !== undefined,
    ...variables,
  });
  if (seen !== undefined) seen.validations = rules.explanations;
  if (rules.exhausted !== undefined) return onError(rules.exhausted);
  const messages = runPass({
    expressions: parts.messages,
    bindings: visible,
    budget: rules.remaining,
    ...variables,
  });
  const annotations = runPass({
    expressions: parts.annotations.map(({ expression }) => expression),
    bindings: all,
    budget: policyCostMax,
    ...variables,
  });
  if (annotations.exhausted !== undefined) return onError(annotations.exhausted);
  const judged = denialsOf(parts, rules, messages);
  return { ...judged, ...annotationsOf(parts, annotations.outcomes) };
}

function denialsOf(
  { validations, fails }: PolicyParts,
  rules: PassResult,
  messages: PassResult,
): Pick<PolicyFindings, 'denials' | 'ignored'> {
  const ignored: string[] = [];
  const failed = (index: number, message: string): PolicyDenial[] => {
    if (!fails) ignored.push(message);
    return fails ? [{ index, message }] : [];
  };
  const denials = validations.flatMap((validation, i): PolicyDenial[] => {
    const outcome = rules.outcomes[i];
    if (outcome === undefined) return [];
    if ('error' in outcome) return failed(i, outcome.error);
    if (messages.exhausted !== undefined)
      return failed(i, `failed messageExpression: ${messages.exhausted}`);
    if (outcome.value === true) return [];
    const { reason } = validation;
    const message = messageOf(validation, messages.outcomes[i]);
    return [{ index: i, message, ...(reason === undefined ? {} : { reason }) }];
  });
  return { denials, ignored };
}

export interface ConditionListeners {
  readonly watch?: ConditionWatch | undefined;
  readonly onExplained?:
    | ((explanations: readonly (ExplainedExpression | undefined)[]) => void)
    | undefined;
}

/** Whether the policy is about the request, or why that cannot be said. */
export function matchConditions(
  { conditions }: PolicyCompiler,
  bindings: PolicyVariables,
  { watch, onExplained }: ConditionListeners = {},
): boolean | string {
  if (conditions.length === 0) return true;
  watch?.begin();
  const explain = onExplained !== undefined;
  const pass = runPass({ expressions: conditions, bindings, budget: conditionsCostMax, explain });
  onExplained?.(pass.explanations);
  const firstFalse = pass.outcomes.findIndex(
    (outcome) => outcome !== undefined && 'value' in outcome && outcome.value === false,
  );
  const judged = firstFalse < 0 ? pass.outcomes : pass.outcomes.slice(0, firstFalse);
  const errors = judged.flatMap((outcome) =>
    outcome !== undefined && 'error' in outcome ? [outcome.error] : [],
  );
  watch?.end(errors.length);
  if (pass.exhausted !== undefined) return pass.exhausted;
  if (firstFalse >= 0) return false;
  const texts = [...new Set(errors)];
  if (texts.length === 0) return true;
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
}

function messageOf({ message = '', expression }: Validation, outcome: Outcome): string {
  const computed = outcome !== undefined && 'value' in outcome ? shown(outcome.value) : '';
  return computed || message.trim() || `failed expression: ${expression.trim()}`;
}

/** Empty for what cannot be shown. */
function shown(value: CelResult): string {
  if (typeof value !== 'string') return '';
  const text = value.trim();
  return text.includes('\n') || Buffer.byteLength(text) > messageBytesMax ? '' : text;
}

function annotationsOf(
  { annotations, fails }: PolicyParts,
  outcomes: readonly Outcome[],
): Pick<PolicyFindings, 'annotations' | 'annotationErrors'> {
  const published: { key: string; value: string }[] = [];
  const errors: string[] = [];
  annotations.forEach(({ key }, i) => {
    const outcome = outcomes[i];
    if (outcome === undefined) return;
    if ('error' in outcome) {
      if (fails) errors.push(outcome.error);
      return;
    }
    const { value } = outcome;
    if (isError(value) || typeof value !== 'string' || value.trim() === '') return;
    published.push({ key, value: value.trim() });
  });
  return { annotations: published, annotationErrors: errors };
}
