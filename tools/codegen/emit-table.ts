// Prints the model as the compact tables that apimachinery loads. Each package is a JSON text of
// its own inside the file, so that reading one group does not parse the others.

import type { Description } from './descriptions.ts';
import type { Facts, ResourceFact } from './facts.ts';
import type { ModelField, ModelStruct } from './model.ts';
import { looseKey } from './model.ts';
import { optionalResources, withOptionalKinds } from './optional-kinds.ts';
import { tableColumns } from './table-columns.ts';

/** `{ "io.k8s.api.core.v1": "<JSON of its structs>" }`; the rows are read by `schema/table.ts`. */
export function emitSchemaTable(structs: readonly ModelStruct[]): string {
  const packages: Record<string, Record<string, unknown>> = {};
  for (const struct of structs) {
    const { packagePath } = split(struct.name);
    (packages[packagePath] ??= {})[struct.goName] = structRow(struct);
  }
  return stringifyPackages(packages);
}

/** `[flags, fields, extras?]`. */
function structRow(struct: ModelStruct): unknown[] {
  const row: unknown[] = [struct.atomic ? 'a' : '', struct.fields.map(fieldRow)];
  if (struct.unions !== undefined) row.push({ u: struct.unions });
  return row;
}

/** `[name, type, flags, protobuf number, Go type or 0 when derivable, extras?]`. */
function fieldRow(field: ModelField): unknown[] {
  const presence = { always: 'A', omitzero: 'O', pointer: 'P' }[field.presence];
  const flags = presence + (field.nullable ? 'N' : '') + (field.required ? 'R' : '');
  const goType = field.goType === derivedGoType(field.type) ? 0 : field.goType;
  const row: unknown[] = [field.name, field.type, flags, field.protobuf, goType];
  const extras = fieldExtras(field);
  if (Object.keys(extras).length > 0) row.push(extras);
  return row;
}

function fieldExtras({ schema, within }: ModelField): Record<string, unknown> {
  const extras: Record<string, unknown> = {};
  const put = (key: string, value: unknown): void => {
    if (value !== undefined) extras[key] = value;
  };
  put('e', schema.enum ?? schema.items?.enum ?? schema.values?.enum);
  put('lt', schema.listType);
  put('mk', schema.listMapKeys);
  put('mt', schema.mapType);
  put('ps', schema.patchStrategy?.split(','));
  put('pk', schema.mergeKey);
  put('d', schema.default);
  if (within.length > 0) put('w', within);
  return extras;
}

/** Go names of scalar codes. Must agree with `schema/table.ts` of apimachinery. */
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

function derivedGoType(type: string): string {
  if (type.startsWith('@')) return type.split('.').slice(-2).join('.');
  if (type.startsWith('[')) return `[]${derivedGoType(type.slice(1))}`;
  if (type.startsWith('{')) return `map[string]${derivedGoType(type.slice(1))}`;
  return scalarGoTypes[type] ?? '';
}

export function emitDescriptions(
  structs: readonly ModelStruct[],
  descriptions: ReadonlyMap<string, Description>,
): string {
  const packages: Record<string, Record<string, unknown>> = {};
  for (const struct of structs) {
    const found = descriptions.get(struct.name);
    if (found === undefined) continue;
    const { packagePath } = split(struct.name);
    const texts = struct.fields.map((field) => found.fields[looseKey(field.name)] ?? '');
    (packages[packagePath] ??= {})[struct.goName] = [found.text, ...texts];
  }
  return stringifyPackages(packages);
}

export function emitResources(facts: Facts, structs: readonly ModelStruct[]): string {
  const kinds: Record<string, string> = {};
  for (const struct of structs) {
    for (const kind of struct.kinds)
      kinds[kind === '*' ? `*.${struct.goName}` : kind] = struct.name;
  }
  const rowsOf = (known: Facts, resources: readonly ResourceFact[]) =>
    resources.map((resource) => {
      const key = `${resource.group === '' ? 'core' : resource.group}/${resource.version}/${resource.resource}`;
      return {
        ...resource,
        columns: tableColumns(known, resource),
        fieldLabels: known.fieldSelectors[key] ?? [],
      };
    });
  const resources = rowsOf(facts, facts.resources);
  const optional = rowsOf(withOptionalKinds(facts), optionalResources());
  return `${JSON.stringify({ kinds, resources, optional }, null, 1)}\n`;
}

function stringifyPackages(packages: Record<string, Record<string, unknown>>): string {
  const texts = Object.entries(packages).map(([path, rows]) => [path, JSON.stringify(rows)]);
  return `${JSON.stringify(Object.fromEntries(texts), null, 1)}\n`;
}

function split(name: string): { packagePath: string } {
  return { packagePath: name.slice(0, name.lastIndexOf('.')) };
}
