// MutatingAdmissionPolicy: policies of the cluster, written in CEL, that change objects before they
// are stored. It runs before webhooks, and what it makes is validated like what a client sends.
//
// - Which policies are concerned is decided on the object as it came. Their mutations run in order;
//   each sees what those before it made of the object.
// - An apply configuration is merged: it sets fields, and never what is atomic. A JSON patch is
//   applied; one whose test fails does nothing.
// - In a second pass run only the policies that ask for it (IfNeeded) and were followed by changes.
// - What cannot be evaluated is refused or left out as the policy's failurePolicy says.

import {
  applyJsonPatch,
  asJson,
  DecodeError,
  formatApiVersion,
  mergeConfiguration,
  MergeConfigurationError,
  PatchError,
  StatusError,
  statusErrors,
  type GroupVersionResource,
  type JsonObject,
  type KubeObject,
  type StructType,
} from '@keelson/apimachinery';
import type {
  MutatingAdmissionPolicy,
  MutatingAdmissionPolicyBinding,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { CelResult } from '@keelson/cel';
import { isSemanticallyEqual } from '../../registry/validation/equality.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { createPolicyCompiler, type PolicyCompiler } from '../policy/compile-policy.ts';
import {
  runPass,
  type ExplainedExpression,
  type PolicyExpression,
} from '../policy/expression-pass.ts';
import { paramsVariable, type PolicyVariables } from '../policy/policy-inputs.ts';
import { recordPolicyStep, tracedExpressions } from '../policy/policy-trace.ts';
import {
  createPolicyRequest,
  findPolicyCalls,
  settled,
  watchConditions,
  type PolicyCall,
  type PolicyPluginOptions,
  type PolicyRequest,
} from '../policy/policy-requests.ts';
import { createPolicyTables } from '../policy/policy-table.ts';
import { matchConditions, policyCostMax } from '../policy/validating-policy.ts';
import { WrittenValueError, writtenConfiguration, writtenPatch } from '../policy/written-value.ts';
import { handling } from '../request-match.ts';
import { beginPass } from '../reinvocation-passes.ts';

export interface MutatingPolicyOptions extends PolicyPluginOptions {
  /** The type of the objects of a resource in a version; undefined for what is not served. */
  typeOf(gvr: GroupVersionResource): StructType | undefined;
}

type Policy = MutatingAdmissionPolicy;
type Binding = MutatingAdmissionPolicyBinding;
type Call = PolicyCall<Policy, Binding>;

const pluginName = 'MutatingAdmissionPolicy';

interface CompiledMutation {
  readonly kind: 'ApplyConfiguration' | 'JSONPatch';
  readonly expression: PolicyExpression;
}

interface CompiledPolicy {
  readonly compiler: PolicyCompiler;
  readonly mutations: readonly CompiledMutation[];
}

export function createMutatingAdmissionPolicy(options: MutatingPolicyOptions): AdmissionPlugin {
  const compiled = new WeakMap<object, CompiledPolicy>();
  const compile = (policy: Policy): CompiledPolicy => {
    let known = compiled.get(policy);
    if (known === undefined) {
      known = compilePolicy(policy, options);
      compiled.set(policy, known);
    }
    return known;
  };
  const tables = createPolicyTables<Policy, Binding>(options, options.manifests);
  return {
    name: pluginName,
    handles: handling('CREATE', 'UPDATE', 'CONNECT'),
    async mutate(attributes, reinvocation) {
      const calls = await findPolicyCalls(tables, options, attributes);
      if (calls.length === 0) return;
      const passes = beginPass(pluginName, reinvocation, attributes.object);
      const request = createPolicyRequest(options, attributes);
      const errors: string[] = [];
      for (const call of calls) {
        if ('message' in call) {
          const what = call.binding === undefined ? 'policy' : 'binding';
          errors.push(`${by(call)} denied request: failed to configure ${what}: ${call.message}`);
          continue;
        }
        const id = idOf(call);
        if (!passes.isAsked(id)) continue;
        const mutator: Mutator = { options, attributes, request, call, ...compile(call.policy) };
        const observe = options.metrics?.start();
        const mutated = await mutate(mutator);
        const { isChanged, isSkipped, problems } = mutated;
        if (attributes.trace.enabled) traceMutated(attributes, call, mutated);
        if (!isSkipped && problems.length === 0) observe?.(namesOf(call));
        for (const message of problems) observe?.({ ...namesOf(call), message });
        if (call.policy.spec.failurePolicy !== 'Ignore') {
          errors.push(...problems.map((problem) => `${by(call)} denied request: ${problem}`));
        }
        if (isChanged) passes.changed();
        if (call.policy.spec.reinvocationPolicy === 'IfNeeded') passes.asked(id);
      }
      passes.finish(attributes.object);
      if (errors.length > 0) throw refusal(attributes, errors);
    },
  };
}

function traceMutated(
  attributes: AdmissionAttributes,
  call: Call,
  { isChanged, problems, explanations }: Mutated,
): void {
  const isDenied = problems.length > 0 && call.policy.spec.failurePolicy !== 'Ignore';
  recordPolicyStep(attributes, call, {
    stage: 'admission/mutating',
    by: pluginName,
    outcome: isDenied ? 'deny' : isChanged ? 'changed' : 'unchanged',
    reason: problems.join('; '),
    detail: { mutations: tracedExpressions(attributes, call, explanations) },
  });
}

function compilePolicy({ spec }: Policy, { environment }: MutatingPolicyOptions): CompiledPolicy {
  const compiler = createPolicyCompiler(environment, {
    hasParams: spec.paramKind !== undefined,
    matchConditions: spec.matchConditions ?? [],
    variables: spec.variables ?? [],
  });
  const mutations = (spec.mutations ?? []).flatMap((mutation): CompiledMutation[] => {
    const { patchType, applyConfiguration, jsonPatch } = mutation;
    if (patchType === 'ApplyConfiguration' && applyConfiguration) {
      const text = applyConfiguration.expression ?? '';
      return [{ kind: patchType, expression: compiler.compile(text, 'apply-configuration') }];
    }
    if (patchType !== 'JSONPatch' || !jsonPatch) return [];
    const text = jsonPatch.expression ?? '';
    return [{ kind: patchType, expression: compiler.compile(text, 'json-patch') }];
  });
  return { compiler, mutations };
}

function idOf({ policy, binding, params }: Call): string {
  const { namespace = '', name = '' } = params?.metadata ?? {};
  return JSON.stringify([policy.metadata.name, binding.metadata.name, namespace, name]);
}

function namesOf({ policy, binding }: Call): { policy: string; binding: string } {
  return { policy: policy.metadata.name ?? '', binding: binding.metadata.name ?? '' };
}

function by({
  policy,
  binding,
}: {
  readonly policy: Policy;
  readonly binding: Binding | undefined;
}): string {
  if (binding === undefined) return `policy ${JSON.stringify(policy.metadata.name)}`;
  return `policy '${policy.metadata.name}' with binding '${binding.metadata.name}'`;
}

interface Mutator extends CompiledPolicy {
  readonly options: MutatingPolicyOptions;
  readonly attributes: AdmissionAttributes;
  readonly request: PolicyRequest;
  readonly call: Call;
}

interface Mutated {
  readonly isChanged: boolean;
  /** Its conditions say that it is about something else. */
  readonly isSkipped: boolean;
  readonly problems: readonly string[];
  /** Why; only for a request that is traced. */
  readonly explanations: readonly (ExplainedExpression | undefined)[];
}

/** Runs all mutations of one policy. One that fails does not keep the next from running. */
async function mutate(mutator: Mutator): Promise<Mutated> {
  const { options, attributes, request, call, compiler } = mutator;
  const bindings = await visible(mutator);
  // COMPAT: conditions do not see the namespace.
  const watch = watchConditions(options, call.policy, attributes);
  const conditions = await settled(request, () =>
    matchConditions(compiler, { ...bindings, namespaceObject: null }, { watch }),
  );
  watch?.publish();
  const explanations: (ExplainedExpression | undefined)[] = [];
  const nothing = { isChanged: false, explanations };
  if (conditions === false) return { ...nothing, isSkipped: true, problems: [] };
  if (conditions !== true) return { ...nothing, isSkipped: false, problems: [conditions] };
  const problems: string[] = [];
  let isChanged = false;
  for (const mutation of mutator.mutations) {
    if (attributes.object === undefined) break;
    const { outcome, explanation } = await evaluate(mutator, mutation);
    explanations.push(explanation);
    if ('error' in outcome) {
      problems.push(outcome.error);
      continue;
    }
    const problem = await change(mutator, mutation, outcome.value);
    if (typeof problem === 'string') problems.push(problem);
    else if (problem) isChanged = true;
  }
  return { isChanged, isSkipped: false, problems, explanations };
}

/** What expressions see of the object as it is now. */
async function visible({ options, attributes, request, call }: Mutator): Promise<PolicyVariables> {
  const objects = await options.versions.show(attributes, call.matched.gvr);
  const inputs = request.inputs(call.matched, objects);
  const params = call.policy.spec.paramKind === undefined ? {} : paramsVariable(call.params);
  return { ...inputs.request, ...inputs.authorizer, ...params };
}

interface EvaluatedMutation {
  readonly outcome: { readonly value: CelResult } | { readonly error: string };
  readonly explanation: ExplainedExpression | undefined;
}

async function evaluate(
  mutator: Mutator,
  { expression }: CompiledMutation,
): Promise<EvaluatedMutation> {
  const { attributes, compiler, request } = mutator;
  const bindings = await visible(mutator);
  const pass = await settled(request, () =>
    runPass({
      expressions: [expression],
      bindings,
      budget: policyCostMax,
      explain: attributes.trace.enabled,
      ...(compiler.variables === undefined ? {} : { variables: compiler.variables }),
    }),
  );
  const outcome = pass.outcomes[0] ?? { error: pass.exhausted ?? '' };
  return { outcome, explanation: pass.explanations[0] };
}

/** Whether the object was changed, or why it could not be. */
async function change(
  { options, attributes, call }: Mutator,
  { kind }: CompiledMutation,
  value: CelResult,
): Promise<boolean | string> {
  const { gvr } = call.matched;
  const { object } = await options.versions.show(attributes, gvr);
  if (object === undefined) return false;
  let changed: JsonObject;
  try {
    changed =
      kind === 'JSONPatch'
        ? (applyJsonPatch(asJson(object), writtenPatch(value)) as JsonObject)
        : merged(object, writtenConfiguration(value), { options, call });
  } catch (error) {
    if (error instanceof PatchError) {
      // A test that fails is how a patch says that it has nothing to do.
      return error.message.endsWith(': test failed') ? false : `JSON Patch: ${error.message}`;
    }
    if (error instanceof MergeConfigurationError) return `error applying patch: ${error.message}`;
    if (error instanceof WrittenValueError) return error.message;
    throw error;
  }
  const taken = await take(options, attributes, { gvr, changed });
  if (isSemanticallyEqual(taken, attributes.object)) return false;
  attributes.object = taken;
  return true;
}

function merged(
  object: KubeObject,
  configuration: JsonObject,
  { options, call }: Pick<Mutator, 'options' | 'call'>,
): JsonObject {
  const { gvr, gvk } = call.matched;
  const config = { ...configuration, apiVersion: formatApiVersion(gvk), kind: gvk.kind };
  return mergeConfiguration(asJson(object), config, options.typeOf(gvr));
}

interface Changed {
  readonly gvr: GroupVersionResource;
  readonly changed: JsonObject;
}

async function take(
  { versions }: MutatingPolicyOptions,
  attributes: AdmissionAttributes,
  { gvr, changed }: Changed,
): Promise<KubeObject> {
  try {
    return await versions.take(attributes, gvr, changed);
  } catch (error) {
    if (error instanceof DecodeError) throw statusErrors.internalError(error.message);
    throw error;
  }
}

/** COMPAT: the reason is Invalid, the code that of a refusal. */
function refusal(attributes: AdmissionAttributes, errors: readonly string[]): StatusError {
  const { status } = admissionForbidden(attributes, '');
  const message = errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`;
  const causes = errors.map((text) => ({ message: text }));
  return new StatusError({
    ...status,
    message,
    reason: 'Invalid',
    details: { ...status.details, causes },
  });
}
