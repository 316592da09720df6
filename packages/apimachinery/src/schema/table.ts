// Reads the generated tables into type descriptors. A struct is built when somebody asks for it and
// its fields when somebody looks at them, so that a server that serves pods does not pay for the
// other five hundred structs.
//
// A type is written as text: `string`, `int32`, …; `[` and the type of the items; `{` and the type
// of the values; `@` and the name of a struct.

import type { JsonValue } from '../json.ts';
import descriptionTexts from '../generated/descriptions.json' with { type: 'json' };
import schemaTexts from '../generated/schema.json' with { type: 'json' };
import { derivedPackage, deriveRows, type StructRows } from './derived-versions.ts';
import type { EmbeddedStruct, Field, StructType, TypeRef } from './types.ts';

type FieldRow = [
  name: string,
  type: string,
  flags: string,
  protobuf: number,
  goType: string | 0,
  extras?: FieldExtras,
];
interface FieldExtras {
  readonly e?: string[];
  readonly lt?: 'atomic' | 'set' | 'map';
  readonly mk?: string[];
  readonly mt?: string;
  readonly ps?: string[];
  readonly pk?: string;
  readonly d?: JsonValue;
  readonly w?: [goName: string, protobuf: number][];
}
type StructRow = [flags: string, fields: FieldRow[], extras?: { readonly u?: JsonValue }];

const structs = new Map<string, StructType>();
const packages = new Map<string, Record<string, StructRow>>();
const descriptions = new Map<string, Record<string, string[]>>();

/** The struct of a definition name, `io.k8s.api.core.v1.Pod`; always the same object. */
export function tableStruct(name: string): StructType | undefined {
  const known = structs.get(name);
  if (known !== undefined) return known;
  const { path, goName } = splitName(name);
  const rows = readRows(path);
  const row = rows !== undefined && Object.hasOwn(rows, goName) ? rows[goName] : undefined;
  if (row === undefined) return undefined;
  const struct = createStruct(name, row);
  structs.set(name, struct);
  return struct;
}

const joined = new Map<string, Record<string, StructRow>>();

/** The structs of a package: those of the table and those that are derived from a sibling's. */
function readRows(path: string): Record<string, StructRow> | undefined {
  const own = readPackage(packages, schemaTexts, path);
  const derived = derivedPackage(path);
  if (derived === undefined) return own;
  const known = joined.get(path);
  if (known !== undefined) return known;
  const sibling = readRows(`${derived.package}.${derived.sibling}`);
  if (sibling === undefined) return own;
  const made = deriveRows(derived, sibling as StructRows) as Record<string, StructRow>;
  const rows = { ...made, ...own };
  joined.set(path, rows);
  return rows;
}

/** Every definition name of the tables, sorted; derived versions are not among them. */
export function tableStructNames(): string[] {
  const names: string[] = [];
  for (const path of Object.keys(schemaTexts)) {
    for (const goName of Object.keys(readPackage(packages, schemaTexts, path) ?? {})) {
      names.push(`${path}.${goName}`);
    }
  }
  return names.toSorted();
}

function createStruct(name: string, [flags, rows, extras]: StructRow): StructType {
  let fields: readonly Field[] | undefined;
  let byName: ReadonlyMap<string, Field> | undefined;
  return {
    name,
    goName: splitName(name).goName,
    atomic: flags.includes('a'),
    preserveUnknown: false,
    get fields() {
      fields ??= rows.map((row, index) => createField(name, row, index));
      return fields;
    },
    get byName() {
      byName ??= new Map(this.fields.map((field) => [field.name, field]));
      return byName;
    },
    get description() {
      return descriptionOf(name, 0);
    },
    ...(extras?.u === undefined ? {} : { unions: extras.u }),
  };
}

function createField(struct: string, row: FieldRow, index: number): Field {
  const [name, typeText, flags, protobuf, goType, extras] = row;
  return {
    name,
    type: typeRef(typeText, extras),
    presence: flags.startsWith('A') ? 'always' : flags.startsWith('O') ? 'omitzero' : 'pointer',
    required: flags.includes('R'),
    protobuf,
    goType: goType === 0 ? goTypeOf(typeText) : goType,
    get description() {
      return descriptionOf(struct, index + 1);
    },
    ...(flags.includes('N') ? { nullable: true } : {}),
    ...(extras?.d === undefined ? {} : { default: extras.d }),
    ...(extras?.e === undefined ? {} : { enum: extras.e }),
    ...(extras?.ps === undefined ? {} : { patchStrategy: extras.ps }),
    ...(extras?.pk === undefined ? {} : { mergeKey: extras.pk }),
    ...(extras?.w === undefined ? {} : { within: extras.w.map(embeddedStruct) }),
  };
}

function embeddedStruct([goName, protobuf]: [string, number]): EmbeddedStruct {
  return { goName, protobuf };
}

const schemaProps = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps';

function typeRef(text: string, extras: FieldExtras | undefined): TypeRef {
  if (text.startsWith('[')) {
    const { lt: listType = 'atomic', mk: mapKeys = [] } = extras ?? {};
    return { kind: 'list', items: typeRef(text.slice(1), undefined), listType, mapKeys };
  }
  if (text.startsWith('{')) {
    const values = typeRef(text.slice(1), undefined);
    return { kind: 'map', values, atomic: extras?.mt === 'atomic' };
  }
  if (text.startsWith('@')) {
    const name = text.slice(1);
    const atomic = extras?.mt === undefined ? {} : { atomic: extras.mt === 'atomic' };
    return {
      kind: 'struct',
      get type() {
        return requireStruct(name);
      },
      ...atomic,
    };
  }
  const union = unions[text];
  if (union !== undefined) {
    return {
      kind: 'any',
      get union() {
        return { or: union, schema: requireStruct(schemaProps) };
      },
    };
  }
  return { kind: text as ScalarKind };
}

type ScalarKind = Exclude<TypeRef['kind'], 'list' | 'map' | 'struct'>;

const unions: Readonly<Record<string, 'schemas' | 'bool' | 'strings'>> = {
  'schema-or-array': 'schemas',
  'schema-or-bool': 'bool',
  'schema-or-strings': 'strings',
};

function requireStruct(name: string): StructType {
  const struct = tableStruct(name);
  if (struct === undefined) throw new Error(`the schema table lacks ${name}`);
  return struct;
}

/** Go names of the scalar types, as decoding errors print them. */
const scalarGoTypes: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int32',
  int64: 'int64',
  double: 'float64',
  bytes: '[]uint8',
  time: 'v1.Time',
  'micro-time': 'v1.MicroTime',
  duration: 'v1.Duration',
  quantity: 'resource.Quantity',
  'int-or-string': 'intstr.IntOrString',
  'fields-v1': 'v1.FieldsV1',
  any: 'runtime.RawExtension',
  'schema-or-array': 'v1.JSONSchemaPropsOrArray',
  'schema-or-bool': 'v1.JSONSchemaPropsOrBool',
  'schema-or-strings': 'v1.JSONSchemaPropsOrStringArray',
};

function goTypeOf(text: string): string {
  if (text.startsWith('@')) return text.split('.').slice(-2).join('.');
  if (text.startsWith('[')) return `[]${goTypeOf(text.slice(1))}`;
  if (text.startsWith('{')) return `map[string]${goTypeOf(text.slice(1))}`;
  return scalarGoTypes[text] ?? '';
}

function descriptionOf(name: string, index: number): string | undefined {
  const { path, goName } = splitName(name);
  const texts = readPackage(descriptions, descriptionTexts, path)?.[goName];
  const derived = derivedPackage(path);
  if (texts === undefined && derived !== undefined) {
    const sibling = `${derived.package}.${derived.sibling}.${goName}`;
    if (index === 0) return descriptionOf(sibling, 0);
    const field = tableStruct(name)?.fields[index - 1]?.name;
    return tableStruct(sibling)?.fields.find((f) => f.name === field)?.description;
  }
  const text = texts?.[index];
  return text === '' ? undefined : text;
}

function splitName(name: string): { path: string; goName: string } {
  const dot = name.lastIndexOf('.');
  return { path: name.slice(0, dot), goName: name.slice(dot + 1) };
}

function readPackage<Row>(
  cache: Map<string, Record<string, Row>>,
  texts: Readonly<Record<string, string>>,
  path: string,
): Record<string, Row> | undefined {
  const known = cache.get(path);
  if (known !== undefined) return known;
  const text = Object.hasOwn(texts, path) ? texts[path] : undefined;
  if (text === undefined) return undefined;
  const rows = JSON.parse(text) as Record<string, Row>;
  cache.set(path, rows);
  return rows;
}
