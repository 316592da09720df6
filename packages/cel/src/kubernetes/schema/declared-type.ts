// The type that a schema gives its values, with bounds on their sizes.
//
// What has no type in CEL is left out: nodes without type, lists without items, maps of such. What
// may be int or string is dyn. Bounds that the schema does not set follow from the size of the
// largest request. COMPAT: the bounds decide which rules a definition may have.

import { celTypes, listType, mapType, objectType, type CelType } from '../../types/type.ts';
import { escapeProperty } from './escaping.ts';
import {
  asResource,
  isEmbeddedResource,
  itemsOf,
  valuesOf,
  type StructuralSchema,
} from './schema.ts';

export interface DeclaredType {
  readonly type: CelType;
  /** Bytes of the shortest JSON. */
  readonly serializedSizeMin: number;
  /** Bytes of a text, entries of a list or map; 0 for what has no size. */
  readonly elementsMax: number;
  /** Items of a list or values of a map. */
  readonly element?: DeclaredType;
  /** By escaped name. */
  readonly fields?: ReadonlyMap<string, DeclaredType>;
}

/** The largest request, in bytes. */
export const requestBytesMax = 3 * 1024 * 1024;

const sizes = { number: 1, boolean: 4, text: 2, duration: 3, date: 12, dateTime: 21 } as const;
/** Bytes of the longest duration or time. */
const timeBytesMax = 32;
/** UTF-8 takes at most so many bytes for a character. */
const bytesPerCharacter = 4;
/** `{}` and `[]`. */
const emptySize = 2;

/**
 * The type of the values of a schema, undefined when rules cannot see them. Object types are named
 * after their place below `name`.
 */
export function declareType(
  schema: StructuralSchema,
  name: string,
  isResource = false,
): DeclaredType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) {
    return { ...simple(celTypes.dyn, sizes.number), elementsMax: requestBytesMax - 2 };
  }
  const known = isResource ? asResource(schema) : schema;
  switch (known.type) {
    case 'array':
      return declareList(known, name);
    case 'object':
      return valuesOf(known) === undefined ? declareObject(known, name) : declareMap(known, name);
    case 'string':
      return declareText(known);
    case 'boolean':
      return simple(celTypes.bool, sizes.boolean);
    case 'number':
      return simple(celTypes.double, sizes.number);
    case 'integer':
      return simple(celTypes.int, sizes.number);
    default:
      return undefined;
  }
}

function simple(type: CelType, serializedSizeMin: number, elementsMax = 0): DeclaredType {
  return { type, serializedSizeMin, elementsMax };
}

function bound(limit: number | bigint | undefined, otherwise: () => number): number {
  return limit === undefined ? otherwise() : Math.max(Number(limit), 0);
}

function declareList(schema: StructuralSchema, name: string): DeclaredType | undefined {
  const items = itemsOf(schema);
  if (items === undefined) return undefined;
  const element = declareType(items, `${name}.@idx`, isEmbeddedResource(items));
  if (element === undefined) return undefined;
  const elementsMax = bound(schema.maxItems, () =>
    Math.floor((requestBytesMax - 2) / (element.serializedSizeMin + 1)),
  );
  return { type: listType(element.type), serializedSizeMin: emptySize, elementsMax, element };
}

function declareMap(schema: StructuralSchema, name: string): DeclaredType | undefined {
  const values = valuesOf(schema);
  if (values === undefined) return undefined;
  const element = declareType(values, `${name}.@elem`, isEmbeddedResource(values));
  if (element === undefined) return undefined;
  // An entry has at least an empty key with quotes, a colon, a comma, and its value.
  const elementsMax = bound(schema.maxProperties, () =>
    Math.floor((requestBytesMax - 2) / (element.serializedSizeMin + 6)),
  );
  const type = mapType(celTypes.string, element.type);
  return { type, serializedSizeMin: emptySize, elementsMax, element };
}

function declareObject(schema: StructuralSchema, name: string): DeclaredType {
  const fields = new Map<string, DeclaredType>();
  const required = new Set(schema.required);
  let serializedSizeMin = emptySize;
  for (const [property, inner] of Object.entries(schema.properties ?? {})) {
    const escaped = escapeProperty(property);
    const place = `${name}.${escaped ?? property}`;
    const field = declareType(inner, place, isEmbeddedResource(inner));
    if (field === undefined) continue;
    if (escaped !== undefined) fields.set(escaped, field);
    // A required field that has a default need not be sent.
    if (required.has(property) && (inner.default ?? null) === null) {
      serializedSizeMin += byteLength(property) + field.serializedSizeMin + 4;
    }
  }
  return { type: objectType(name), serializedSizeMin, elementsMax: 0, fields };
}

function declareText(schema: StructuralSchema): DeclaredType {
  const { format, maxLength } = schema;
  switch (format) {
    case 'byte':
      return simple(
        celTypes.bytes,
        sizes.text,
        bound(maxLength, () => requestBytesMax - 2),
      );
    case 'duration':
      return simple(celTypes.duration, sizes.duration, timeBytesMax);
    case 'date':
      return simple(celTypes.timestamp, sizes.date, sizes.date);
    case 'date-time':
      return simple(celTypes.timestamp, sizes.dateTime, timeBytesMax);
    default: {
      const elementsMax =
        maxLength === undefined
          ? unboundedText(schema)
          : bound(maxLength, () => 0) * bytesPerCharacter;
      return simple(celTypes.string, sizes.text, elementsMax);
    }
  }
}

function unboundedText({ enum: values = [] }: StructuralSchema): number {
  if (values.length === 0) return requestBytesMax - 2;
  return Math.max(...values.map((value) => (typeof value === 'string' ? byteLength(value) : 0)));
}

const encoder = new TextEncoder();

function byteLength(text: string): number {
  return encoder.encode(text).length;
}
