// A value of a built-in type as Go's spew prints it (`%#v` without methods): type names, every
// field in order, zero values too. Controllers of Kubernetes hash this text, and the hash is part
// of names that users see (`pod-template-hash`), so it has to be the same to the letter. In
// Kubernetes: `dump.ForHash` of k8s.io/apimachinery/pkg/util/dump.
//
// COMPAT: quantities and times are printed with the unexported fields they have in Go.

import { compareGoStrings } from './go-string.ts';
import { isJsonObject, type JsonValue } from './json.ts';
import { parseQuantity } from './quantity.ts';
import { goFieldName } from './schema/go-field-names.ts';
import type { Field, StructType, TypeRef } from './schema/types.ts';

/** `v1.PodTemplateSpec` for `io.k8s.api.core.v1.PodTemplateSpec`. */
export function dumpGoStruct(value: JsonValue, type: StructType): string {
  const goPackage = type.name.split('.').at(-2) ?? '';
  const goType = `${goPackage}.${type.goName}`;
  return dump(value, { type: { kind: 'struct', type }, goType, isPointer: false });
}

interface Place {
  readonly type: TypeRef;
  readonly goType: string;
  readonly isPointer: boolean;
}

/** With its type, as a field or at the top. */
function dump(value: JsonValue | undefined, { type, goType, isPointer }: Place): string {
  const head = `(${isPointer ? '*' : ''}${goType})`;
  const isAbsent = value === undefined || value === null;
  const isNil = isAbsent && (isPointer || type.kind === 'list' || type.kind === 'map');
  return isNil ? `${head}<nil>` : head + dumpBare(value ?? undefined, type, goType);
}

/** Without its type, as an item of a list or map. */
function dumpBare(value: JsonValue | undefined, type: TypeRef, goType: string): string {
  switch (type.kind) {
    case 'struct':
      return dumpFields(value, type.type);
    case 'list': {
      const items = Array.isArray(value) ? value : [];
      const itemType = goType.replace(/^\[\]/, '');
      return `[${items.map((item) => dumpBare(item, type.items, itemType)).join(' ')}]`;
    }
    case 'map': {
      const map = isJsonObject(value) ? value : {};
      const keys = Object.keys(map).sort(compareGoStrings);
      return `map[${keys.map((key) => `${key}:${dumpBare(map[key], type.values, '')}`).join(' ')}]`;
    }
    case 'bool':
      return String(value ?? false);
    case 'int32':
    case 'int64':
    case 'double':
      return String(value ?? 0);
    case 'quantity':
      return dumpQuantity(value);
    case 'int-or-string':
      return dumpIntOrString(value);
    case 'time':
    case 'micro-time':
      return '{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}';
    case 'string':
    case 'duration':
      return typeof value === 'string' ? value : '';
    default:
      return '<nil>';
  }
}

/** Fields of embedded structs stand in a struct of their own. */
function dumpFields(value: JsonValue | undefined, type: StructType): string {
  const object = isJsonObject(value) ? value : {};
  const parts: string[] = [];
  let embedded: { readonly name: string; readonly parts: string[] } | undefined;
  const endEmbedded = () => {
    if (embedded !== undefined)
      parts.push(`${embedded.name}:(v1.${embedded.name}){${embedded.parts.join(' ')}}`);
    embedded = undefined;
  };
  for (const field of type.fields) {
    const text = `${goFieldName(type.goName, field.name)}:${dump(object[field.name], placeOf(field))}`;
    const name = field.within?.[0]?.goName;
    if (embedded?.name !== name) endEmbedded();
    if (name === undefined) parts.push(text);
    else (embedded ??= { name, parts: [] }).parts.push(text);
  }
  endEmbedded();
  return `{${parts.join(' ')}}`;
}

function placeOf({ type, goType, presence, nullable = false }: Field): Place {
  return { type, goType, isPointer: presence === 'pointer' || nullable };
}

function dumpQuantity(value: JsonValue | undefined): string {
  const given = typeof value === 'string' || typeof value === 'number';
  const quantity = given ? parseQuantity(String(value)) : undefined;
  const { unscaled = 0n, exponent = 0, text = '', format = '' } = quantity ?? {};
  const digits = `value:(int64)${unscaled} scale:(resource.Scale)${exponent}`;
  const decimal = '(resource.infDecAmount){Dec:(*inf.Dec)<nil>}';
  return `{i:(resource.int64Amount){${digits}} d:${decimal} s:(string)${text} Format:(resource.Format)${format}}`;
}

function dumpIntOrString(value: JsonValue | undefined): string {
  const isText = typeof value === 'string';
  const number = typeof value === 'number' ? value : 0;
  const text = isText ? value : '';
  return `{Type:(intstr.Type)${isText ? 1 : 0} IntVal:(int32)${number} StrVal:(string)${text}}`;
}
