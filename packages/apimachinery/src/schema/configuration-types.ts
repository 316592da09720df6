// Types of configuration files, for the strict decoder: fields that were not given stay absent.

import type { Field, StructType, StructTypeRef, TypeRef } from './types.ts';

/** What is not among its members is an unknown field. */
export function configurationStruct(
  goName: string,
  members: Readonly<Record<string, TypeRef>>,
): StructTypeRef {
  const fields = Object.entries(members).map(([name, type]): Field => ({
    name,
    type,
    presence: 'pointer',
    required: false,
    protobuf: 0,
    goType: goTypeOf(type),
  }));
  const type: StructType = {
    name: goName,
    goName,
    fields,
    byName: new Map(fields.map((field) => [field.name, field])),
    atomic: false,
    preserveUnknown: false,
  };
  return { kind: 'struct', type };
}

export function configurationList(items: TypeRef): TypeRef {
  return { kind: 'list', items, listType: 'atomic', mapKeys: [] };
}

function goTypeOf(type: TypeRef): string {
  if (type.kind === 'list') return `[]${goTypeOf(type.items)}`;
  return type.kind === 'struct' ? `v1.${type.type.goName}` : type.kind;
}
