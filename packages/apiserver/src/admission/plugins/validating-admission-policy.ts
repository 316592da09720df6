// ValidatingAdmissionPolicy: policies of the cluster, written in CEL, that requests must satisfy.
//
// - A policy works through its bindings: without one it does nothing. Both must match the request.
// - What a validation refuses, the binding's actions decide about: Deny refuses the request, Warn
//   warns, Audit annotates the audit event. All policies are asked; the first refusal is the
//   answer.
// - What cannot be evaluated is refused or let through as the policy's failurePolicy says.
// - Policies are never asked about policies, nor about reviews, which store nothing.

import { StatusError } from '@keelson/apimachinery';
import type {
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyBinding,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { paramsVariable } from '../policy/policy-inputs.ts';
import type { PolicyCheck } from '../policy/policy-metrics.ts';
import {
  createPolicyRequest,
  findPolicyCalls,
  settled,
  watchConditions,
  type PolicyCall,
  type PolicyPluginOptions,
} from '../policy/policy-requests.ts';
import { createPolicyTables } from '../policy/policy-table.ts';
import { recordPolicyStep, tracedExpressions, type TracedCall } from '../policy/policy-trace.ts';
import {
  compileValidatingPolicy,
  type CompiledPolicy,
  type PolicyDenial,
  type PolicyFindings,
} from '../policy/validating-policy.ts';

const pluginName = 'ValidatingAdmissionPolicy';
type Policy = ValidatingAdmissionPolicy;
type Binding = ValidatingAdmissionPolicyBinding;

export function createValidatingAdmissionPolicy(options: PolicyPluginOptions): AdmissionPlugin {
  const compiled = new WeakMap<object, CompiledPolicy>();
  const compile = (policy: Policy): CompiledPolicy => {
    let known = compiled.get(policy);
    if (known === undefined) {
      known = compileValidatingPolicy(policy, options.environment);
      compiled.set(policy, known);
    }
    return known;
  };
  const tables = createPolicyTables<Policy, Binding>(options, options.manifests);
  return {
    name: pluginName,
    handles: () => true,
    async validate(attributes) {
      const calls = await findPolicyCalls(tables, options, attributes);
      if (calls.length === 0) return;
      const request = createPolicyRequest(options, attributes);
      const refusals: Refusal[] = [];
      const annotations: Annotations = new Map();
      for (const call of calls) {
        const { policy, binding } = call;
        if ('message' in call) {
          const what = binding === undefined ? 'policy' : 'binding';
          const message = `failed to configure ${what}: ${call.message}`;
          refusals.push(refusalOf(policy, binding, { message }));
          if (attributes.trace.enabled) traceProblem(attributes, call, message);
          continue;
        }
        const objects = await options.versions.show(attributes, call.matched.gvr);
        const inputs = request.inputs(call.matched, objects);
        const params = policy.spec.paramKind === undefined ? {} : paramsVariable(call.params);
        const program = compile(policy);
        const observe = options.metrics?.start();
        const watch = watchConditions(options, policy, attributes);
        const given = { inputs, params, watch, explain: attributes.trace.enabled };
        const findings = await settled(request, () => program.evaluate(given));
        watch?.publish();
        if (attributes.trace.enabled) traceFindings(attributes, call, findings);
        refusals.push(...act({ attributes, call, findings, annotations, observe }));
      }
      for (const [key, values] of annotations) attributes.annotate(key, [...values].join(', '));
      const [first] = refusals;
      if (first !== undefined) throw refusalError(attributes, first);
    },
  };
}

/** Distinct values by key, over all bindings and parameters. */
type Annotations = Map<string, Set<string>>;

interface Refusal {
  readonly policy: string;
  readonly binding?: string;
  readonly message: string;
  readonly reason?: string;
}

function refusalOf(
  policy: Policy,
  binding: Binding | undefined,
  { message, reason }: PolicyDenial,
): Refusal {
  return {
    policy: policy.metadata.name ?? '',
    ...(binding === undefined ? {} : { binding: binding.metadata.name ?? '' }),
    message,
    ...(reason === undefined ? {} : { reason }),
  };
}

interface Finding {
  readonly attributes: AdmissionAttributes;
  readonly call: PolicyCall<Policy, Binding>;
  readonly findings: PolicyFindings;
  readonly annotations: Annotations;
  readonly observe: ((check: PolicyCheck) => void) | undefined;
}

/** Does what the binding says, and gives what is refused. */
function act(finding: Finding): Refusal[] {
  const { attributes, call, findings, annotations } = finding;
  const { policy, binding } = call;
  const refusals: Refusal[] = [];
  for (const message of findings.ignored) observe(finding, 'Allow', message);
  for (const denial of findings.denials) {
    for (const action of binding.spec.validationActions ?? []) {
      observe(finding, action, denial.message);
      if (action === 'Deny') refusals.push(refusalOf(policy, binding, denial));
      else if (action === 'Warn') {
        const about = `'${policy.metadata.name}' with binding '${binding.metadata.name}'`;
        attributes.warn(
          `Validation failed for ValidatingAdmissionPolicy ${about}: ${denial.message}`,
        );
      } else if (action === 'Audit') annotateFailure(attributes, call, denial);
    }
  }
  for (const { key, value } of findings.annotations) {
    const name = `${policy.metadata.name}/${key}`;
    annotations.set(name, (annotations.get(name) ?? new Set()).add(value.slice(0, annotationMax)));
  }
  for (const message of findings.annotationErrors) {
    observe(finding, 'Deny', message);
    refusals.push(refusalOf(policy, binding, { message }));
  }
  return refusals;
}

function observe({ call, observe: tell }: Finding, action: string, message: string): void {
  const { policy, binding } = call;
  tell?.({
    policy: policy.metadata.name ?? '',
    binding: binding.metadata.name ?? '',
    action: action.toLowerCase() as NonNullable<PolicyCheck['action']>,
    message,
  });
}

const step = { stage: 'admission/validating', by: pluginName } as const;

function traceProblem(attributes: AdmissionAttributes, call: TracedCall, reason: string): void {
  recordPolicyStep(attributes, call, { ...step, outcome: 'deny', reason });
}

/** A refusal is one only if the binding's actions say so; what was found is there either way. */
function traceFindings(
  attributes: AdmissionAttributes,
  call: PolicyCall<Policy, Binding>,
  { denials, annotationErrors, explanations }: PolicyFindings,
): void {
  const actions = call.binding.spec.validationActions ?? [];
  const [first] = denials;
  const isDenied = first !== undefined && actions.includes('Deny');
  const expressionsOf = (part: 'conditions' | 'validations') =>
    tracedExpressions(attributes, call, explanations?.[part] ?? []);
  const conditions = expressionsOf('conditions');
  const isLeftOut = denials.length === 0 && conditions.some(({ value }) => value === 'false');
  recordPolicyStep(attributes, call, {
    ...step,
    outcome: isDenied || annotationErrors.length > 0 ? 'deny' : isLeftOut ? 'no-opinion' : 'allow',
    reason:
      first?.message ?? annotationErrors[0] ?? (isLeftOut ? 'match conditions are not met' : ''),
    detail: { actions, denials, conditions, validations: expressionsOf('validations') },
  });
}

const annotationMax = 10 * 1024;
const failureKey = 'validation.policy.admission.k8s.io/validation_failure';

function annotateFailure(
  attributes: AdmissionAttributes,
  { policy, binding }: PolicyCall<Policy, Binding>,
  { message, index }: PolicyDenial,
): void {
  const failure = {
    message,
    policy: policy.metadata.name,
    binding: binding.metadata.name,
    expressionIndex: index ?? 0,
    validationActions: binding.spec.validationActions,
  };
  attributes.annotate(failureKey, JSON.stringify([failure]));
}

const codes: ReadonlyMap<string, number> = new Map([
  ['Forbidden', 403],
  ['Unauthorized', 401],
  ['RequestEntityTooLarge', 413],
]);

function refusalError(attributes: AdmissionAttributes, refusal: Refusal): StatusError {
  const { policy, binding, message, reason = 'Invalid' } = refusal;
  const by = binding === undefined ? '' : ` with binding '${binding}'`;
  const why = `ValidatingAdmissionPolicy '${policy}'${by} denied request: ${message}`;
  const { status } = admissionForbidden(attributes, why);
  const causes = [...(status.details?.causes ?? []), { message: why }];
  return new StatusError({
    ...status,
    reason,
    code: codes.get(reason) ?? 422,
    details: { ...status.details, causes },
  });
}
