// What is wrong with an authorization configuration, field by field, in kube-apiserver's words, and
// what it says when nothing is. COMPAT: the fields of a webhook are named without the step
// `webhook`: `authorizers[0].timeout`.

import {
  fieldError,
  formatGoDuration,
  getOwn,
  isJsonObject,
  parseGoDuration,
  subdomainProblems,
  type FieldError,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import {
  compileRequestExpression,
  createRequestEnvironment,
  type RequestExpression,
} from '../webhook/match-conditions.ts';
import {
  authorizerTypes,
  type AuthorizationConfiguration,
  type AuthorizerEntry,
  type AuthorizerType,
  type WebhookConfiguration,
} from './authorization-configuration.ts';

/** The end of `Invalid value: …: `, or undefined for a regular file that can be read. */
export type FileCheck = (path: string) => string | undefined;

export interface Validation {
  /** Complete only when there are no errors. */
  readonly configuration: AuthorizationConfiguration;
  readonly errors: readonly FieldError[];
}
interface ValidationOptions {
  readonly features: Features;
  readonly checkFile: FileCheck;
}

const conditionsMax = 64;
const timeoutMaxMs = 30_000;
const defaultTtls = { authorizedTTL: 300_000, unauthorizedTTL: 30_000 } as const;

/** Takes the decoded file. */
export function validateConfiguration(
  document: JsonObject,
  options: ValidationOptions,
): Validation {
  const errors: FieldError[] = [];
  const authorizers: AuthorizerEntry[] = [];
  const listed = objectsOf(getOwn(document, 'authorizers'));
  if (listed.length === 0)
    errors.push(
      fieldError.required('authorizers', 'at least one authorization mode must be defined'),
    );
  const types = new Set<string>();
  const names = new Set<string>();
  for (const [i, entry] of listed.entries()) {
    const path = `authorizers[${i}]`;
    const type = checkType(entry, { path, types, errors });
    if (type === undefined) continue;
    const name = checkName(entry, { path, names, errors });
    const webhook = objectOf(entry, 'webhook');
    if (type !== 'Webhook') {
      if (webhook !== undefined)
        errors.push(
          fieldError.invalid(
            `${path}.webhook`,
            'non-null',
            'may only be specified when type=Webhook',
          ),
        );
      authorizers.push({ type, name });
    } else if (webhook === undefined) {
      errors.push(fieldError.required(`${path}.webhook`, 'required when type=Webhook'));
    } else {
      const found = { fields: webhook, path, errors };
      authorizers.push({ type, name, webhook: checkWebhook(found, options) });
    }
  }
  return { configuration: { authorizers }, errors };
}

function checkType(
  entry: JsonObject,
  { path, types, errors }: { path: string; types: Set<string>; errors: FieldError[] },
): AuthorizerType | undefined {
  const type = textOf(entry, 'type');
  const known = authorizerTypes.find((name) => name === type);
  if (type === '') errors.push(fieldError.required(`${path}.type`));
  else if (known === undefined)
    errors.push(fieldError.notSupported(`${path}.type`, type, authorizerTypes));
  else if (types.has(type) && known !== 'Webhook')
    errors.push(fieldError.duplicate(`${path}.type`, type));
  else {
    types.add(type);
    return known;
  }
  return undefined;
}

function checkName(
  entry: JsonObject,
  { path, names, errors }: { path: string; names: Set<string>; errors: FieldError[] },
): string {
  const name = textOf(entry, 'name');
  const at = `${path}.name`;
  const problems = subdomainProblems(name);
  if (name === '') errors.push(fieldError.required(at));
  else if (names.has(name)) errors.push(fieldError.duplicate(at, name));
  else if (problems.length > 0)
    errors.push(fieldError.invalid(at, name, `authorizer name is invalid: ${problems.join(', ')}`));
  names.add(name);
  return name;
}

interface WebhookFields {
  readonly fields: JsonObject;
  readonly path: string;
  readonly errors: FieldError[];
}

/** In the order of kube-apiserver's messages. */
function checkWebhook(found: WebhookFields, options: ValidationOptions): WebhookConfiguration {
  const { fields } = found;
  const timeoutMs = checkTimeout(found);
  const authorizedTtlMs = checkTtl(found, 'authorizedTTL');
  const unauthorizedTtlMs = checkTtl(found, 'unauthorizedTTL');
  const version = checkChoice(found, 'subjectAccessReviewVersion', ['v1', 'v1beta1']);
  checkConditionVersion(found);
  const failurePolicy = checkChoice(found, 'failurePolicy', ['NoOpinion', 'Deny']);
  return {
    timeoutMs,
    authorizedTtlMs: getOwn(fields, 'cacheAuthorizedRequests') === false ? 0 : authorizedTtlMs,
    unauthorizedTtlMs:
      getOwn(fields, 'cacheUnauthorizedRequests') === false ? 0 : unauthorizedTtlMs,
    subjectAccessReviewVersion: version === 'v1beta1' ? 'v1beta1' : 'v1',
    failurePolicy: failurePolicy === 'NoOpinion' ? 'NoOpinion' : 'Deny',
    kubeConfigFile: checkConnection(found, options.checkFile),
    matchConditions: checkConditions(found, options.features),
  };
}

function checkTimeout({ fields, path, errors }: WebhookFields): number {
  const nanos = nanosOf(fields, 'timeout');
  const timeoutMs = Number(nanos) / 1e6;
  if (nanos === 0n) errors.push(fieldError.required(`${path}.timeout`));
  else if (nanos < 0n || timeoutMs > timeoutMaxMs)
    errors.push(
      fieldError.invalid(`${path}.timeout`, formatGoDuration(nanos), 'must be > 0s and <= 30s'),
    );
  return timeoutMs;
}

/** Absent and zero mean the default; only the switches turn a cache off. */
function checkTtl(
  { fields, path, errors }: WebhookFields,
  name: 'authorizedTTL' | 'unauthorizedTTL',
): number {
  const nanos = nanosOf(fields, name);
  if (nanos < 0n)
    errors.push(fieldError.invalid(`${path}.${name}`, formatGoDuration(nanos), 'must be > 0s'));
  return nanos === 0n ? defaultTtls[name] : Number(nanos) / 1e6;
}

function checkChoice(
  { fields, path, errors }: WebhookFields,
  name: string,
  choices: readonly string[],
): string {
  const value = textOf(fields, name);
  if (value === '') errors.push(fieldError.required(`${path}.${name}`));
  else if (!choices.includes(value))
    errors.push(fieldError.notSupported(`${path}.${name}`, value, choices));
  return value;
}

function checkConditionVersion({ fields, path, errors }: WebhookFields): void {
  const name = 'matchConditionSubjectAccessReviewVersion';
  const value = textOf(fields, name);
  const hasConditions = objectsOf(getOwn(fields, 'matchConditions')).length > 0;
  if (value === '' && hasConditions)
    errors.push(
      fieldError.required(`${path}.${name}`, 'required if match conditions are specified'),
    );
  else if (value !== '' && value !== 'v1')
    errors.push(fieldError.notSupported(`${path}.${name}`, value, ['v1']));
}

/**
 * SECURITY: `InClusterConfig` is refused, because an API server has no credentials of a pod;
 * kube-apiserver takes the word and ends with a crash.
 */
function checkConnection({ fields, path, errors }: WebhookFields, checkFile: FileCheck): string {
  const connection = objectOf(fields, 'connectionInfo') ?? {};
  const type = textOf(connection, 'type');
  const file = textOf(connection, 'kubeConfigFile');
  const [typeAt, fileAt] = [`${path}.connectionInfo.type`, `${path}.connectionInfo.kubeConfigFile`];
  if (type === '') errors.push(fieldError.required(typeAt));
  else if (type !== 'KubeConfigFile') {
    if (type === 'InClusterConfig' && getOwn(connection, 'kubeConfigFile') !== undefined)
      errors.push(fieldError.invalid(fileAt, file, 'can only be set when type=KubeConfigFile'));
    errors.push(fieldError.notSupported(typeAt, type, ['KubeConfigFile']));
  } else if (file === '') errors.push(fieldError.required(fileAt));
  else if (!file.startsWith('/'))
    errors.push(fieldError.invalid(fileAt, file, 'must be an absolute path'));
  else {
    const problem = checkFile(file);
    if (problem !== undefined) errors.push(fieldError.invalid(fileAt, file, problem));
  }
  return file;
}

function checkConditions(
  { fields, path, errors }: WebhookFields,
  features: Features,
): RequestExpression[] {
  const listed = objectsOf(getOwn(fields, 'matchConditions'));
  if (listed.length > conditionsMax) {
    errors.push(fieldError.tooMany(`${path}.matchConditions`, listed.length, conditionsMax));
    return [];
  }
  const environment = createRequestEnvironment(features);
  const seen = new Set<string>();
  const compiled: RequestExpression[] = [];
  for (const [i, condition] of listed.entries()) {
    const at = `${path}.matchConditions[${i}].expression`;
    const expression = textOf(condition, 'expression');
    if (expression.trim() === '') errors.push(fieldError.required(at));
    else if (seen.has(expression)) errors.push(fieldError.duplicate(at, expression));
    else {
      const result = compileRequestExpression(environment, expression);
      if (typeof result === 'string') errors.push(fieldError.invalid(at, expression, result));
      else compiled.push(result);
    }
    seen.add(expression);
  }
  return compiled;
}

function nanosOf(fields: JsonObject, name: string): bigint {
  const text = textOf(fields, name);
  return text === '' ? 0n : parseGoDuration(text);
}
function textOf(object: JsonObject, name: string): string {
  const value = getOwn(object, name);
  return typeof value === 'string' ? value : '';
}
function objectOf(object: JsonObject, name: string): JsonObject | undefined {
  const value = getOwn(object, name);
  return isJsonObject(value) ? value : undefined;
}
function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  if (!Array.isArray(value)) return [];
  return value.map((item) => (isJsonObject(item) ? item : {}));
}
