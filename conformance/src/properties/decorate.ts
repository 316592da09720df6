// Objects that fit their schema: a valid one with some fields more, or changed. Values look like
// what people write in a field of that name, so that many get past validation.

import type {
  Field,
  JsonObject,
  JsonValue,
  Random,
  StructType,
  TypeRef,
} from '@keelson/apimachinery';

/** What the server fills in, or takes from nobody. */
const serverFields = new Set(['kind', 'apiVersion', 'metadata', 'status']);
/** Version 1 of discovery takes it, drops it, and counts that as a change each time. */
const retired = 'deprecatedTopology';
const deepest = 9;

/** Changes one place of the object, which must be a value of the type. */
export function decorate(object: JsonObject, type: StructType, random: Random): void {
  decorateStruct(object, type, { random, depth: 0 });
}

/** The same for its status. */
export function decorateStatus(object: JsonObject, type: StructType, random: Random): void {
  const field = type.byName.get('status');
  if (field?.type.kind !== 'struct') return;
  const status = (object['status'] ??= {}) as JsonObject;
  decorateStruct(status, field.type.type, { random, depth: 1 });
}

interface Making {
  readonly random: Random;
  readonly depth: number;
}

function decorateStruct(object: JsonObject, type: StructType, making: Making): void {
  const fields = type.fields.filter(
    ({ name }) => name !== retired && (making.depth > 0 || !serverFields.has(name)),
  );
  const field = pick(fields, making.random);
  if (field === undefined) return;
  const current = object[field.name];
  const inside = { ...making, depth: making.depth + 1 };
  // What is there is gone into three times of four.
  if (current !== undefined && current !== null && making.random.float() < 0.75) {
    if (field.type.kind === 'struct')
      return decorateStruct(current as JsonObject, field.type.type, inside);
    if (field.type.kind === 'list' && field.type.items.kind === 'struct') {
      const item = pick(current as JsonObject[], making.random);
      if (item !== undefined) return decorateStruct(item, field.type.items.type, inside);
    }
  }
  object[field.name] = valueOf(field.type, field, inside);
}

function pick<T>(list: readonly T[], random: Random): T | undefined {
  return list[Math.floor(random.float() * list.length)];
}

function valueOf(type: TypeRef, field: Field, making: Making): JsonValue {
  const { random } = making;
  const choose = (...of: JsonValue[]): JsonValue => pick(of, random) ?? null;
  switch (type.kind) {
    case 'string':
      return text(field, random);
    case 'bool':
      return random.float() < 0.5;
    case 'int32':
    case 'int64':
      return choose(0, 1, 2, 3, 30, 80, 443, 1000);
    case 'double':
      return choose(0, 0.5, 1);
    case 'bytes':
      return choose('YQ==', 'YWJj');
    case 'time':
      return '2024-01-02T03:04:05Z';
    case 'micro-time':
      return '2024-01-02T03:04:05.678901Z';
    case 'duration':
      return choose('1m0s', '10s');
    case 'quantity':
      return choose('1', '2', '500m', '1Gi');
    case 'int-or-string':
      return choose(1, 8080, '50%', 'http');
    case 'fields-v1':
      return { 'f:data': {} };
    case 'any':
      return type.union === undefined ? { a: [1, 'b'] } : { type: 'object' };
    case 'list':
      return Array.from({ length: 1 + Math.floor(random.float() * 2) }, () =>
        valueOf(type.items, field, making),
      );
    case 'map':
      return {
        [String(choose('a', 'app', 'example.com/b', 'cpu', 'storage'))]: valueOf(
          type.values,
          field,
          making,
        ),
      };
    case 'struct':
      return struct(type.type, making);
  }
}

function struct(type: StructType, making: Making): JsonObject {
  const object: JsonObject = {};
  const inside = { ...making, depth: making.depth + 1 };
  for (const field of type.fields) {
    if (field.name === retired) continue;
    const isWanted = field.required || making.random.float() < 1.5 / type.fields.length;
    if (isWanted && (field.required || making.depth < deepest))
      object[field.name] = valueOf(field.type, field, inside);
  }
  return object;
}

const anyText = [
  'abc',
  'x',
  'a-b',
  'example.com/abc',
  '/abc',
  'a b',
  'Always',
  'TCP',
  'ReadOnlyMany',
];
const byName: readonly (readonly [pattern: RegExp, texts: readonly string[]])[] = [
  [/(?:^ip$|IPs?$|address)/i, ['10.1.2.3', 'fd00::1']],
  [/cidr/i, ['10.0.0.0/24', 'fd00::/64']],
  [/path$/i, ['/abc', 'abc/d', '/']],
  [/expression/i, ['true', 'object.metadata.name == "x"', '"text"']],
  [/apiVersions?$/, ['v1', 'apps/v1']],
  [/group/i, ['apps', 'rbac.authorization.k8s.io', '']],
  [/kind/i, ['Deployment', 'Pod', 'User', 'Group', 'ServiceAccount']],
  [/verbs?$/i, ['get', 'list', '*']],
  [/resources?$/i, ['pods', 'deployments', '*']],
  [/operator/i, ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Equal']],
  [/driver|provisioner|signer|attacher|controller/i, ['example.com', 'example.com/c']],
  [/policy|type|mode|scope/i, ['Always', 'Never', 'IfNotPresent', 'Local', 'Cluster', 'Retain']],
  [/name$|key$/i, ['abc', 'x', 'a-b', 'example.com/abc']],
  [/zone/i, ['Europe/Paris', 'a']],
  [/url/i, ['https://example.com/x']],
];

function text(field: Field, random: Random): string {
  if (field.enum !== undefined && field.enum.length > 0) return pick(field.enum, random) ?? '';
  const known = byName.find(([pattern]) => pattern.test(field.name))?.[1];
  return pick(known !== undefined && random.float() < 0.8 ? known : anyText, random) ?? '';
}
