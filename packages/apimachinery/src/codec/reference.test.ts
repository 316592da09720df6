// The codecs against recordings of a real server (`$KEELSON_REFERENCE`): every body that it
// answered is what Go writes, so decoding must not change it; every refusal of a body has its exact
// text.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { parseApiVersion } from '../meta/group-version.ts';
import type { KubeObject } from '../meta/object.ts';
import { typeForKind } from '../schema/builtin.ts';
import type { StructType } from '../schema/types.ts';
import { DecodeError } from './decode-error.ts';
import { decodeObject } from './decode-object.ts';
import { decodeProtobuf, encodeProtobuf } from './protobuf.ts';

const directory = process.env['KEELSON_REFERENCE'] ?? '';
const skip = existsSync(join(directory, 'cases')) ? false : 'KEELSON_REFERENCE is not set';

interface RecordedStep {
  readonly request?: {
    readonly method?: string;
    readonly path?: string;
    readonly body?: JsonValue;
  };
  readonly response?: {
    readonly status: number;
    readonly warnings?: readonly string[];
    readonly body?: JsonValue;
  };
}
interface RecordedCase {
  readonly id: string;
  readonly steps: readonly RecordedStep[];
}

function* recordedSteps(): Generator<RecordedStep & { readonly id: string }> {
  const folder = join(directory, 'cases');
  for (const file of readdirSync(folder)) {
    for (const line of readFileSync(join(folder, file), 'utf8').trim().split('\n')) {
      const { id, steps } = JSON.parse(line) as RecordedCase;
      for (const step of steps) yield { ...step, id };
    }
  }
}

function typeOf(body: JsonValue | undefined): StructType | undefined {
  if (!isJsonObject(body)) return undefined;
  const { apiVersion, kind } = body;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined;
  const gv = parseApiVersion(apiVersion);
  return gv === undefined ? undefined : typeForKind({ ...gv, kind });
}

/** The recorder replaced times and ports by words; any value of the type will do. */
function withValues(body: JsonValue): string {
  return JSON.stringify(body)
    .replace(/"<time>"/g, '"2024-01-01T00:00:00Z"')
    .replace(/"<microtime>"/g, '"2024-01-01T00:00:00.000001Z"')
    .replace(/"<now\+\d+s>"/g, '"2024-01-01T00:00:00Z"')
    .replace(/"<nodePort>"/g, '30000');
}

test('answers of the reference server are what Go writes', { skip }, () => {
  let count = 0;
  for (const { id, response } of recordedSteps()) {
    const body = response?.body;
    const type = typeOf(body);
    // Where the recorder masked or left out parts of a body, it is not one that a server wrote.
    if (type === undefined || body === undefined || isReduced(type, body)) continue;
    const text = withValues(body);
    const { object, strictErrors } = decodeObject(text, type, { strict: true });
    assert.deepEqual(strictErrors, [], id);
    assert.equal(JSON.stringify(object), text, id);
    count++;
  }
  assert.ok(count > 4000, `${count} bodies`);
});

/** Masked values have no type, and fields that Go always writes were left out on purpose. */
function isReduced(type: StructType, body: JsonValue): boolean {
  if (/"<(?:any|decoded|ptr)|"token":\{|"data":"<|\\"<any>/.test(JSON.stringify(body))) return true;
  if (!isJsonObject(body)) return true;
  const written = ['metadata', 'spec', 'status'].filter(
    (name) => type.byName.get(name)?.presence === 'always',
  );
  const bootstrapService = body['kind'] === 'Service' && type.goName === 'Service';
  return bootstrapService || written.some((name) => body[name] === undefined);
}

test('bodies are refused with the texts of the reference server', { skip }, () => {
  let refused = 0;
  for (const { id, request, response } of recordedSteps()) {
    const type = typeOf(request?.body);
    const { method, body } = request ?? {};
    if (type === undefined || body === undefined || (method !== 'POST' && method !== 'PUT'))
      continue;
    const message = isJsonObject(response?.body) ? response.body['message'] : undefined;
    const said = /cannot be handled as an? \w+: (.*)$/s.exec(String(message ?? ''))?.[1];
    if (said === undefined || said.startsWith('converting ')) continue;
    assert.equal(refusalOf(body, type), said, id);
    refused++;
  }
  assert.ok(refused > 400, `${refused} refusals`);
});

function refusalOf(body: JsonValue, type: StructType): string {
  try {
    const { strictErrors } = decodeObject(JSON.stringify(body), type, { strict: true });
    return `strict decoding error: ${strictErrors.join(', ')}`;
  } catch (error) {
    assert.ok(error instanceof DecodeError);
    return error.message;
  }
}

test('accepted bodies have the warnings of the reference server', { skip }, () => {
  let warned = 0;
  for (const { id, request, response } of recordedSteps()) {
    const type = typeOf(request?.body);
    const { method, path = '', body } = request ?? {};
    if (type === undefined || body === undefined || (method !== 'POST' && method !== 'PUT'))
      continue;
    if (response === undefined || response.status >= 300) continue;
    if (/fieldValidation=Ignore/.test(path)) continue;
    const warnings = (response.warnings ?? []).filter((text) =>
      /^(unknown|duplicate) field/.test(text),
    );
    const { strictErrors } = decodeObject(JSON.stringify(body), type, { strict: true });
    assert.deepEqual(strictErrors, warnings, id);
    warned += warnings.length;
  }
  assert.ok(warned > 50, `${warned} warnings`);
});

interface Pair {
  readonly id: string;
  readonly json: KubeObject;
  readonly protobuf: string;
}

test('protobuf and JSON of the same answer are one object', { skip }, () => {
  const text = readFileSync(join(directory, 'protobuf', 'pairs.jsonl'), 'utf8');
  for (const line of text.trim().split('\n')) {
    const { id, json, protobuf } = JSON.parse(line) as Pair;
    const bytes = Buffer.from(protobuf, 'base64');
    const { gvk, object } = decodeProtobuf(bytes);
    const type = typeForKind(gvk);
    assert.ok(type, id);
    assert.equal(JSON.stringify(object), JSON.stringify(withoutTemplateKinds(json)), id);
    assert.ok(bytes.equals(encodeProtobuf(json, type)), id);
  }
});

/** Messages do not carry kinds: those of claim templates come back with defaulting. */
function withoutTemplateKinds(json: KubeObject): JsonObject {
  return JSON.parse(
    JSON.stringify(json, (key, value: JsonObject[]) =>
      key === 'volumeClaimTemplates'
        ? value.map(({ kind: _kind, apiVersion: _apiVersion, ...rest }) => rest)
        : value,
    ),
  ) as JsonObject;
}
