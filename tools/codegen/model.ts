// Joins OpenAPI, the protobuf messages and the Go overlay into one list of structs, with fields in
// Go's order. Emitters only print what stands here.

import type { Facts, ProtobufMessage, SchemaDefinition, SchemaNode } from './facts.ts';
import { requiredFields } from './descriptions.ts';
import { embeddedStructs, goFields } from './go-fields.ts';
import { optionalDefinitions, optionalFields, optionalUnions } from './optional-kinds.ts';
import { protobufOnlyKinds, protobufOnlyTypes } from './protobuf-only.ts';

export interface ModelField {
  readonly name: string;
  /** Compact type text; the grammar is documented in `schema/table.ts` of apimachinery. */
  readonly type: string;
  readonly presence: 'always' | 'omitzero' | 'pointer';
  /** The zero value of an `always` field is null although its type has another (Go pointers). */
  readonly nullable: boolean;
  readonly required: boolean;
  readonly goType: string;
  readonly protobuf: number;
  readonly within: readonly (readonly [goName: string, protobuf: number])[];
  readonly schema: SchemaNode;
}

export interface ModelStruct {
  readonly name: string;
  readonly goName: string;
  /** `core.v1`, the last segments before the name. */
  readonly packageName: string;
  readonly fields: readonly ModelField[];
  readonly atomic: boolean;
  readonly kinds: readonly string[];
  readonly unions?: readonly unknown[];
}

const specialTypes: Readonly<Record<string, readonly [code: string, goType: string]>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': ['quantity', 'resource.Quantity'],
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': ['time', 'v1.Time'],
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': ['micro-time', 'v1.MicroTime'],
  'io.k8s.apimachinery.pkg.apis.meta.v1.Duration': ['duration', 'v1.Duration'],
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': ['fields-v1', 'v1.FieldsV1'],
  'io.k8s.apimachinery.pkg.runtime.RawExtension': ['any', 'runtime.RawExtension'],
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': ['int-or-string', 'intstr.IntOrString'],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': ['any', 'v1.JSON'],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': [
    'schema-or-array',
    'v1.JSONSchemaPropsOrArray',
  ],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': [
    'schema-or-bool',
    'v1.JSONSchemaPropsOrBool',
  ],
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': [
    'schema-or-strings',
    'v1.JSONSchemaPropsOrStringArray',
  ],
};

/** Types of the overlay that stand for special types. */
const overlayTypes: Readonly<Record<string, string>> = {
  time: 'v1.Time',
  'micro-time': 'v1.MicroTime',
  quantity: 'resource.Quantity',
  intstr: 'intstr.IntOrString',
  raw: 'runtime.RawExtension',
  json: 'v1.JSON',
  fields: 'v1.FieldsV1',
  bytes: '[]uint8',
};

/** Field order of the one struct without a protobuf message. */
const versionInfoOrder =
  'major minor emulationMajor emulationMinor minCompatibilityMajor minCompatibilityMinor ' +
  'gitVersion gitCommit gitTreeState buildDate goVersion compiler platform';

export function buildModel(facts: Facts): ModelStruct[] {
  const structs: ModelStruct[] = [];
  for (const [name, definition] of Object.entries(facts.schema)) {
    if (specialTypes[name] !== undefined || name.endsWith('.meta.v1.Patch')) continue;
    structs.push(buildStruct(facts, name, definition));
  }
  for (const name of protobufOnlyTypes) {
    const definition = definitionFromMessage(facts, name, protobufOnlyKinds[name]);
    structs.push(buildStruct(facts, name, definition));
  }
  for (const [name, gvk] of optionalDefinitions(facts)) {
    if (specialTypes[name] !== undefined || protobufOnlyTypes.includes(name)) continue;
    structs.push(buildStruct(facts, name, optionalDefinition(facts, name, gvk)));
  }
  return structs.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function buildStruct(facts: Facts, name: string, definition: SchemaDefinition): ModelStruct {
  const segments = name.split('.');
  const goName = segments.at(-1) ?? '';
  const packageName = segments.slice(-3, -1).join('.');
  const overlay = parseOverlay(`${packageName}.${goName}`, segments.at(-2) ?? '');
  const used = new Set<string>();
  const fields: ModelField[] = [];
  for (const slot of orderedFields(facts, name, definition)) {
    const schema = definition.fields?.[slot.name];
    if (schema === undefined) continue;
    const token = overlay.get(slot.name);
    if (token !== undefined) used.add(slot.name);
    const required = definition.required?.includes(slot.name) === true;
    fields.push(buildField({ slot, schema, token, required }));
  }
  for (const field of overlay.keys()) {
    if (!used.has(field)) throw new Error(`overlay names no field: ${name}.${field}`);
  }
  return {
    name,
    goName,
    packageName,
    fields,
    atomic: definition.mapType === 'atomic',
    kinds: definition.gvk ?? [],
    ...(definition.unions === undefined ? {} : { unions: definition.unions }),
  };
}

interface Slot {
  readonly name: string;
  readonly protobuf: number;
  readonly within: readonly (readonly [goName: string, protobuf: number])[];
}

interface OverlayToken {
  readonly pointer: boolean;
  readonly goType: string;
  readonly mark: '' | '!' | '?';
}

function parseOverlay(key: string, version: string): Map<string, OverlayToken> {
  const tokens = new Map<string, OverlayToken>();
  for (const text of (goFields[key] ?? '').split(' ').filter((t) => t !== '')) {
    const colon = text.indexOf(':');
    const last = text.at(-1);
    const mark = last === '!' || last === '?' ? last : '';
    let type = mark === '' ? text.slice(colon + 1) : text.slice(colon + 1, -1);
    const pointer = type.startsWith('*');
    if (pointer) type = type.slice(1);
    const goType =
      overlayTypes[type] ?? type.replace(/(?<![.\w])[A-Z]/g, (letter) => `${version}.${letter}`);
    tokens.set(text.slice(0, colon), { pointer, goType, mark });
  }
  return tokens;
}

/** JSON fields in Go's order: that of the message, embedded structs in their place. */
function orderedFields(facts: Facts, name: string, definition: SchemaDefinition): Slot[] {
  const byKey = new Map<string, string>();
  for (const field of Object.keys(definition.fields ?? {})) byKey.set(looseKey(field), field);
  const slots: Slot[] = [];
  for (const field of ['kind', 'apiVersion']) {
    if (definition.gvk !== undefined && byKey.delete(looseKey(field))) {
      slots.push({ name: field, protobuf: 0, within: [] });
    }
  }
  const walk = (messageName: string, within: Slot['within']): void => {
    const embedded = embeddedStructs[messageName.split('.').slice(-3).join('.')];
    for (const [field, { n, type }] of Object.entries(messageOf(facts, messageName))) {
      if (embedded !== undefined && embedded[1] === field) {
        walk(siblingName(messageName, type), [...within, [embedded[0], n]]);
        continue;
      }
      const json = byKey.get(looseKey(field));
      if (json === undefined) continue;
      byKey.delete(looseKey(field));
      slots.push({ name: json, protobuf: n, within });
    }
  };
  walk(name, []);
  const rest = name.endsWith('.version.Info') ? versionInfoOrder.split(' ') : [...byKey.values()];
  for (const field of rest) slots.push({ name: field, protobuf: 0, within: [] });
  return slots;
}

/**
 * `$ref` and `ref`, `x-kubernetes-list-type` and `xKubernetesListType`, `aPIGroup` and `apiGroup`.
 */
export function looseKey(field: string): string {
  return field.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function protobufName(definitionName: string): string {
  return definitionName
    .replace(/^io\.k8s\./, 'k8s.io.')
    .replace('apiextensions-apiserver', 'apiextensions_apiserver')
    .replace('kube-aggregator', 'kube_aggregator');
}
function definitionName(messageName: string): string {
  return messageName
    .replace(/^\.?k8s\.io\./, 'io.k8s.')
    .replace('apiextensions_apiserver', 'apiextensions-apiserver')
    .replace('kube_aggregator', 'kube-aggregator');
}
function siblingName(from: string, type: string): string {
  if (type.includes('.')) return definitionName(type);
  return `${from.slice(0, from.lastIndexOf('.'))}.${type}`;
}
function messageOf(facts: Facts, name: string): ProtobufMessage {
  return facts.protobuf[protobufName(name)] ?? {};
}

interface FieldSource {
  readonly slot: Slot;
  readonly schema: SchemaNode;
  readonly token: OverlayToken | undefined;
  readonly required: boolean;
}

function buildField({ slot, schema, token, required }: FieldSource): ModelField {
  const type = typeText(schema);
  const presence = presenceOf({ slot, schema, token, required }, type);
  const nullable = presence === 'always' && (token?.pointer === true || isPointerStruct(schema));
  const goType = token?.goType ?? goTypeOf(schema);
  const { name, protobuf, within } = slot;
  return { name, type, presence, nullable, required, goType, protobuf, within, schema };
}

function isPointerStruct(schema: SchemaNode): boolean {
  if (schema.ref === undefined || schema.default !== undefined) return false;
  return specialTypes[schema.ref] === undefined;
}

function presenceOf(source: FieldSource, type: string): ModelField['presence'] {
  const { schema, token, required } = source;
  if (token?.mark === '!') return 'always';
  if (token?.pointer === true) return 'pointer';
  if (token?.mark === '?') return 'omitzero';
  if (type.startsWith('schema-or-')) return 'pointer';
  if (schema.ref !== undefined) {
    // Go writes struct values whether or not they are empty.
    return isPointerStruct(schema) ? 'pointer' : 'always';
  }
  if (schema.type === 'array' || schema.type === 'object' || schema.format === 'byte') {
    return required ? 'always' : 'omitzero';
  }
  const zero = schema.default === '' || schema.default === 0 || schema.default === false;
  return zero ? 'always' : 'omitzero';
}

function typeText(schema: SchemaNode): string {
  if (schema.ref !== undefined) return specialTypes[schema.ref]?.[0] ?? `@${schema.ref}`;
  if (schema.type === 'array') return `[${typeText(schema.items ?? {})}`;
  if (schema.type === 'object') return `{${typeText(schema.values ?? {})}`;
  if (schema.type === 'string') return schema.format === 'byte' ? 'bytes' : 'string';
  if (schema.type === 'integer') return schema.format === 'int32' ? 'int32' : 'int64';
  if (schema.type === 'boolean') return 'bool';
  if (schema.type === 'number') return 'double';
  throw new Error(`no type for ${JSON.stringify(schema)}`);
}

function goTypeOf(schema: SchemaNode): string {
  if (schema.ref !== undefined) {
    const segments = schema.ref.split('.');
    return specialTypes[schema.ref]?.[1] ?? segments.slice(-2).join('.');
  }
  if (schema.type === 'array') return `[]${goTypeOf(schema.items ?? {})}`;
  if (schema.type === 'object') return `map[string]${goTypeOf(schema.values ?? {})}`;
  if (schema.type === 'string') return schema.format === 'byte' ? '[]uint8' : 'string';
  if (schema.type === 'integer') return schema.format === 'int32' ? 'int32' : 'int64';
  return schema.type === 'boolean' ? 'bool' : 'float64';
}

/** What OpenAPI would say about a type that it does not show. Struct fields are values. */
function definitionFromMessage(
  facts: Facts,
  name: string,
  gvk: readonly string[] | undefined,
): SchemaDefinition {
  const fields: Record<string, SchemaNode> = {};
  if (gvk !== undefined) {
    fields['kind'] = { type: 'string' };
    fields['apiVersion'] = { type: 'string' };
  }
  const overlay = parseOverlay(name.split('.').slice(-3).join('.'), '');
  for (const [field, { type, label }] of Object.entries(messageOf(facts, name))) {
    const node = schemaFromProtobuf(name, type);
    const json = field === 'aPIVersion' ? 'apiVersion' : field;
    if (label === 'repeated') fields[json] = { type: 'array', items: node };
    else if (node.ref === undefined || overlay.get(json)?.pointer === true) fields[json] = node;
    else fields[json] = { ...node, default: {} };
  }
  return { type: 'object', fields, ...(gvk === undefined ? {} : { gvk }) };
}

/** The same, with what the client's declarations and the overlay of optional kinds know. */
function optionalDefinition(facts: Facts, name: string, gvk: readonly string[]): SchemaDefinition {
  const definition = definitionFromMessage(facts, name, gvk.length === 0 ? undefined : gvk);
  const key = name.split('.').slice(-3).join('.');
  const required = new Set(requiredFields(key));
  const isRequired = (field: string) => required.has(looseKey(field));
  const more = optionalFields[key] ?? {};
  const fields = Object.entries(definition.fields ?? {}).map(([field, schema]) => [
    field,
    { ...schema, ...(isRequired(field) ? zeroDefault(schema) : {}), ...more[field] },
  ]);
  const unions = optionalUnions[key];
  return {
    ...definition,
    fields: Object.fromEntries(fields) as Record<string, SchemaNode>,
    required: Object.keys(definition.fields ?? {}).filter(isRequired),
    ...(unions === undefined ? {} : { unions }),
  };
}

/** OpenAPI gives required values their zero as default: Go writes them always. */
function zeroDefault({ type, format }: SchemaNode): { default?: unknown } {
  if (type === 'string' && format !== 'byte') return { default: '' };
  if (type === 'integer') return { default: 0 };
  return type === 'boolean' ? { default: false } : {};
}

function schemaFromProtobuf(messageName: string, type: string): SchemaNode {
  switch (type) {
    case 'string':
      return { type: 'string' };
    case 'bool':
      return { type: 'boolean' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'int32':
    case 'int64':
      return { type: 'integer', format: type };
    case 'double':
      return { type: 'number', format: 'double' };
  }
  const map = /^map<string,(.*)>$/.exec(type);
  if (map?.[1] !== undefined) {
    return { type: 'object', values: schemaFromProtobuf(messageName, map[1]) };
  }
  return { ref: siblingName(messageName, type) };
}
