// What of a decision trace its reader may see. SECURITY: the law, in three steps.
//
//   1. Who did not send the request, and may not get (or, without a name, list) what it was about,
//      sees that there was a request, its verb, and who decided how; nothing else.
//   2. A detail that names an object, as `{ kind, name, namespace? }` at any depth, is shown only to
//      who may get that object; else it is withheld, and so is the reason of its step.
//   3. Who did not send the request sees no other text that was meant for its sender: the reasons of
//      admission, of validation and of authorizers that do not say what objects they speak of.
//
// Steps never hold values of Secrets, tokens or bodies; that is for those who record them. A kind that
// is not served cannot be asked about, so only who may get everything sees objects of it.

import type { JsonObject, JsonValue } from '@keelson/apimachinery';
import type { TraceDocument, TracedRequest, TracedStep } from './trace-document.ts';

export interface TraceReader {
  readonly isSender: boolean;
  /** May get every object there is. */
  readonly seesAll: boolean;
  mayGet(reference: ObjectReference): Promise<boolean>;
  /** May get, list or call what the request was about. */
  mayReadTarget(request: TracedRequest): Promise<boolean>;
}

export interface ObjectReference {
  readonly kind: string;
  readonly name: string;
  /** Empty for what is of the whole cluster. */
  readonly namespace: string;
  /** Undefined: every group that has such a kind. */
  readonly group: string | undefined;
}

export async function redactTrace(
  document: TraceDocument,
  reader: TraceReader,
): Promise<TraceDocument> {
  if (reader.seesAll) return document;
  if (!reader.isSender && !(await reader.mayReadTarget(document.request)))
    return {
      ...document,
      request: { verb: document.request.verb, withheld: true },
      steps: document.steps.map(withoutTexts),
    };
  const steps: TracedStep[] = [];
  for (const step of document.steps) steps.push(await redactStep(step, reader));
  return { ...document, steps };
}

/** Stages whose reasons name nothing but the request and its caller. */
const plainStages: ReadonlySet<string> = new Set([
  'authentication',
  'impersonation',
  'flow-control',
  'storage',
  'answer',
]);

async function redactStep(step: TracedStep, reader: TraceReader): Promise<TracedStep> {
  const { detail, ...bare } = step;
  const redacted = detail === undefined ? undefined : await redactValue(detail, reader);
  if (redacted?.isWhole === false)
    return redacted.value === undefined
      ? withoutTexts(step)
      : { ...withoutTexts(step), detail: redacted.value as JsonObject };
  const isStructured = step.stage === 'authorization' && detail !== undefined;
  if (reader.isSender || isStructured || plainStages.has(step.stage) || bare.reason === '')
    return step;
  return withoutTexts(step);
}

function withoutTexts({ stage, by, outcome }: TracedStep): TracedStep {
  return { stage, by, outcome, reason: '', withheld: true };
}

interface Redacted {
  /** Undefined: nothing of it may be seen. */
  readonly value: JsonValue | undefined;
  readonly isWhole: boolean;
}

async function redactValue(value: unknown, reader: TraceReader): Promise<Redacted> {
  if (typeof value !== 'object' || value === null)
    return { value: value as JsonValue, isWhole: true };
  if (Array.isArray(value)) return redactList(value, reader);
  const reference = referenceOf(value as Record<string, unknown>);
  if (reference !== undefined && !(await reader.mayGet(reference)))
    return { value: undefined, isWhole: false };
  const out: Record<string, JsonValue> = {};
  let isWhole = true;
  for (const [key, member] of Object.entries(value)) {
    const redacted = await redactValue(member, reader);
    // What stands beside an object that is withheld describes it: its rule, its subject.
    if (!redacted.isWhole && !Array.isArray(member)) return { value: undefined, isWhole: false };
    isWhole &&= redacted.isWhole;
    if (redacted.value !== undefined) out[key] = redacted.value;
  }
  return { value: out, isWhole };
}

/** Members that may not be seen are left out. */
async function redactList(list: readonly unknown[], reader: TraceReader): Promise<Redacted> {
  const shown: JsonValue[] = [];
  let isWhole = true;
  for (const member of list) {
    const redacted = await redactValue(member, reader);
    isWhole &&= redacted.isWhole;
    if (redacted.value !== undefined) shown.push(redacted.value);
  }
  return { value: shown, isWhole };
}

/** Users and groups are no objects. */
const kindsOfNames: ReadonlySet<string> = new Set(['User', 'Group']);

function referenceOf(value: Record<string, unknown>): ObjectReference | undefined {
  const { kind, name, namespace, group, apiGroup } = value;
  if (typeof kind !== 'string' || typeof name !== 'string' || name === '') return undefined;
  if (kindsOfNames.has(kind)) return undefined;
  const given = group ?? apiGroup;
  return {
    kind,
    name,
    namespace: typeof namespace === 'string' ? namespace : '',
    group: typeof given === 'string' ? given : undefined,
  };
}
