// Bodies that a server must survive: JSON, YAML and protobuf that are cut, deep, huge, doubled or
// simply noise, and patches of every kind that do not fit what they patch.

import {
  encodeProtobuf,
  encodeYaml,
  asKubeObject,
  type JsonObject,
  type JsonValue,
  type ResourceDefinition,
} from '@keelson/apimachinery';
import type { Chance } from './chance.ts';
import { objectOfType, oddText, oddValue } from './odd-values.ts';

export interface Body {
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

const json = 'application/json';
const yaml = 'application/yaml';
const protobuf = 'application/vnd.kubernetes.protobuf';
const text = (contentType: string, content: string): Body => ({
  contentType,
  bytes: Buffer.from(content),
});

/** An object of the resource, more or less right, in one of the three encodings. */
export function objectBody(
  chance: Chance,
  definition: ResourceDefinition,
  name: string,
  namespace: string,
): Body {
  const object = objectOfType(chance, definition.type, chance.pick([4, 20, 1000]));
  if (chance.percent(97))
    object['apiVersion'] =
      definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
  if (chance.percent(97)) object['kind'] = definition.kind;
  if (chance.percent(90))
    object['metadata'] = {
      ...(isObject(object['metadata']) && chance.percent(30) ? object['metadata'] : {}),
      name,
      ...(definition.namespaced ? { namespace } : {}),
    };
  const roll = chance.below(100);
  if (roll < 70) return text(json, safeStringify(object));
  if (roll < 90)
    return { contentType: yaml, bytes: orFallback(() => encodeYaml(asKubeObject(object)), object) };
  return {
    contentType: protobuf,
    bytes: mutate(
      chance,
      orFallback(() => encodeProtobuf(asKubeObject(object), definition.type), object),
    ),
  };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function safeStringify(value: JsonValue): string {
  return JSON.stringify(value, (_key, v: unknown) =>
    typeof v === 'bigint' ? JSON.rawJSON(String(v)) : v,
  );
}

/** The encoders refuse what no decoder would give them; JSON then stands in. */
function orFallback(encode: () => Uint8Array, object: JsonObject): Uint8Array {
  try {
    return encode();
  } catch {
    return Buffer.from(safeStringify(object));
  }
}

function mutate(chance: Chance, bytes: Uint8Array): Uint8Array {
  if (chance.percent(30)) return bytes;
  const changed = Buffer.from(bytes);
  for (let i = 1 + chance.below(4); i > 0 && changed.length > 0; i--)
    changed[chance.below(changed.length)] = chance.below(256);
  return chance.percent(30) ? changed.subarray(0, chance.below(changed.length + 1)) : changed;
}

/** `head` keeps the kind, so that what follows is looked at. */
export function brokenBody(chance: Chance, definition: ResourceDefinition): Body {
  const { group, version, kind } = definition;
  const apiVersion = group === '' ? version : `${group}/${version}`;
  const subject: Subject = {
    apiVersion,
    kind,
    head: `"apiVersion":"${apiVersion}","kind":"${kind}"`,
    depth: chance.pick([100, 5000, 60_000]),
    digits: '9'.repeat(chance.pick([30, 400, 30_000])),
  };
  return chance.pick<() => Body>([
    ...brokenJson(chance, subject),
    ...brokenYaml(chance, subject),
    ...brokenProtobuf(chance, subject),
    () => oddlyNamed(chance, subject),
  ])();
}

interface Subject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly head: string;
  readonly depth: number;
  readonly digits: string;
}

function brokenJson(chance: Chance, { head, depth, digits }: Subject): (() => Body)[] {
  return [
    () => text(json, ''),
    () => text(json, '{'),
    () => text(json, `{${head},"metadata":{"name":"x"}`),
    () => text(json, `{${head},"metadata":{"name":"x"}} trailing`),
    () => text(json, `{${head},"metadata":${'['.repeat(depth)}${']'.repeat(depth)}}`),
    () => text(json, `{${head},"spec":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`),
    () => text(json, `{${head},"spec":{"replicas":${digits}}}`),
    () => text(json, `{${head},"spec":{"replicas":1e${digits.slice(0, 5)}}}`),
    () => text(json, `{${head},${head},"metadata":{"name":"x","name":"y"}}`),
    () => text(json, `{${head},"metadata":{"name":"\\ud800","labels":{"\\u0000":"\\q"}}}`),
    () =>
      text(
        json,
        `{${head},"metadata":{"__proto__":{"name":"x"},"constructor":{"prototype":{"y":1}}}}`,
      ),
    () => text(json, `{"__proto__":{${head}},${head},"metadata":{"name":"p-x"}}`),
    () =>
      text(
        json,
        `{${head},"metadata":{"name":"x","annotations":{${Array.from({ length: 3000 }, (_, i) => `"k${i}":"v"`).join(',')}}}}`,
      ),
    () =>
      text(
        json,
        chance.pick([
          'null',
          '[]',
          '0',
          '"x"',
          'true',
          '[{}]',
          'NaN',
          "{'a':1}",
          '\ufeff{}',
          '{"kind":1,"apiVersion":{}}',
        ]),
      ),
    () => ({ contentType: json, bytes: chance.bytes(1 + chance.below(200)) }),
    () => ({
      contentType: json,
      bytes: Buffer.concat([
        Buffer.from(`{${head},"metadata":{"name":"`),
        Buffer.from([0xc3, 0x28, 0xff, 0xfe]),
        Buffer.from('"}}'),
      ]),
    }),
  ];
}

function brokenYaml(chance: Chance, { apiVersion, kind, depth }: Subject): (() => Body)[] {
  return [
    () => text(yaml, aliasBomb(chance.pick([9, 20]))),
    () =>
      text(
        yaml,
        `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: &m\n  name: x\n  labels: *m\n`,
      ),
    () =>
      text(
        yaml,
        `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {<<: {name: x}, ? [a, b] : c}\n`,
      ),
    () => text(yaml, `${'- '.repeat(chance.pick([50, 3000]))}x`),
    () => text(yaml, `a: ${'['.repeat(depth)}`),
    () => text(yaml, '%YAML 9.9\n---\n!!js/function "x"\n...\n---\nb'),
    () => text(yaml, `kind: ${kind}\n\tbad: tab\n"unclosed`),
    () =>
      text(
        yaml,
        `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: 0o17, labels: {a: 1_000, b: .inf, c: 2001-01-01, d: ~}}\n`,
      ),
  ];
}

function brokenProtobuf(chance: Chance, { apiVersion, kind }: Subject): (() => Body)[] {
  return [
    () => ({ contentType: protobuf, bytes: chance.bytes(1 + chance.below(200)) }),
    () => ({
      contentType: protobuf,
      bytes: Buffer.concat([Buffer.from([0x6b, 0x38, 0x73, 0]), chance.bytes(chance.below(200))]),
    }),
    () => ({ contentType: protobuf, bytes: protobufNoise(chance, apiVersion, kind) }),
  ];
}

/** JSON under a name that is none of JSON's. */
function oddlyNamed(chance: Chance, { head }: Subject): Body {
  return {
    contentType: chance.pick([
      'text/plain',
      'application/xml',
      'multipart/form-data; boundary=x',
      'application/json; charset=utf-16',
      ';',
      'a'.repeat(2000),
      'application/json, application/yaml',
      'APPLICATION/JSON',
    ]),
    bytes: Buffer.from(`{${head}}`),
  };
}

/** Each level names the one below nine times: 9^levels scalars when expanded. */
function aliasBomb(levels: number): string {
  let document = 'a0: &a0 [x,x,x,x,x,x,x,x,x]\n';
  for (let i = 1; i < levels; i++)
    document += `a${i}: &a${i} [${Array.from({ length: 9 }, () => `*a${i - 1}`).join(',')}]\n`;
  return document;
}

/** A right envelope around a message with lengths that lie and groups that never end. */
function protobufNoise(chance: Chance, apiVersion: string, kind: string): Uint8Array {
  const field = (tag: number, bytes: Uint8Array) =>
    Buffer.concat([Buffer.from([(tag << 3) | 2, bytes.length & 0x7f]), bytes]);
  const typeMeta = field(
    1,
    Buffer.concat([field(1, Buffer.from(apiVersion)), field(2, Buffer.from(kind))]),
  );
  const raw = chance.pick([
    Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
    Buffer.from(Array.from({ length: 120 }, () => 0x0b)),
    Buffer.from(Array.from({ length: 60 }, () => [0x0a, 0x7f]).flat()),
    Buffer.from([0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    Buffer.from(chance.bytes(100)),
  ]);
  return Buffer.concat([
    Buffer.from([0x6b, 0x38, 0x73, 0]),
    typeMeta,
    field(2, raw.subarray(0, 127)),
  ]);
}

const pointers = [
  '',
  '/',
  '/metadata',
  '/metadata/labels/a',
  '/spec',
  '/spec/-',
  '/spec/containers/0',
  '/spec/containers/99',
  '/spec/containers/-1',
  '/metadata/__proto__/x',
  '/constructor/prototype/x',
  '/~2',
  '/~',
  'x',
  '/metadata/name',
  '/kind',
  `/${'a/'.repeat(500)}`,
  '/metadata/managedFields/0',
  '/metadata/managedFields',
];
const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test', 'explode', ''];

export function patchBody(chance: Chance, definition: ResourceDefinition, name: string): Body {
  const type = chance.pick([
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
    'application/apply-patch+cbor',
    json,
    '',
  ]);
  if (type === 'application/json-patch+json' && chance.percent(90)) {
    const count = chance.pick([0, 1, 1, 2, 5, 10_001]);
    const one = () => ({
      op: chance.pick(operations),
      path: chance.pick(pointers),
      ...(chance.percent(40) ? { from: chance.pick(pointers) } : {}),
      ...(chance.percent(70) ? { value: oddValue(chance) } : {}),
    });
    return text(
      type,
      JSON.stringify(
        count > 10
          ? Array.from({ length: count }, () => ({
              op: 'add',
              path: '/metadata/labels/a',
              value: 'x',
            }))
          : Array.from({ length: count }, one),
      ),
    );
  }
  if (type === 'application/apply-patch+yaml' && chance.percent(70))
    return { ...objectBody(chance, definition, name, 'fuzz'), contentType: type };
  if (type === 'application/strategic-merge-patch+json' && chance.percent(60))
    return text(type, JSON.stringify(strategicPatch(chance)));
  if (chance.percent(30)) return { ...brokenBody(chance, definition), contentType: type };
  if (chance.percent(40))
    return text(type, safeStringify(objectOfType(chance, definition.type, 5)));
  return text(type, safeStringify(oddValue(chance)));
}

function strategicPatch(chance: Chance): JsonObject {
  const directives: JsonValue = chance.pick<JsonValue>([
    'delete',
    'replace',
    'merge',
    'bogus',
    1,
    null,
    {},
  ]);
  return {
    ...(chance.percent(30) ? { $patch: directives } : {}),
    ...(chance.percent(30)
      ? { $retainKeys: chance.pick<JsonValue>([['spec'], 'spec', [1], null, {}]) }
      : {}),
    metadata: chance.pick<JsonValue>([
      { labels: { $patch: directives, a: null } },
      { '$deleteFromPrimitiveList/finalizers': chance.pick<JsonValue>([['x'], 'x', [null], 1]) },
      { '$setElementOrder/ownerReferences': [{ uid: 1 }, 'x', null] },
      {
        finalizers: [1, null, 'a/b'],
        ownerReferences: [{ $patch: 'delete' }, { uid: 'x', $patch: directives }],
      },
      oddValue(chance),
    ]),
    spec: chance.pick<JsonValue>([
      { containers: [{ $patch: directives, name: 'a' }] },
      { containers: [{ $patch: 'delete' }] },
      { containers: [{ name: {} }, 'x', null, 3] },
      {
        '$setElementOrder/containers': [{ name: 'a' }, {}],
        containers: [{ name: oddText(chance), image: 'x' }],
      },
      { template: { spec: { containers: { $patch: 'replace' } } } },
      { ports: [{ port: 80, $patch: directives }, { port: '80' }] },
      oddValue(chance),
    ]),
  };
}
