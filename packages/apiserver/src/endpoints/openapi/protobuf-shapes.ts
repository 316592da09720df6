// The building blocks of protobuf messages that are made from JSON documents. A shape knows how the
// value of one field is written; messages name their fields in the order of their numbers.
//
// The writer works from the end to the front: last field first, content before header. Keys that a
// message does not know are errors: a document must not lose anything on its way.

import { encodeJsonText, type ProtobufWriter } from '@keelson/apimachinery';

/** How a value is written. */
export interface Shape {
  /** The wire type of protobuf. */
  readonly wire: 0 | 1 | 2;
  /** The value that an absent field stands for; it is not written. */
  readonly absent?: string | number | boolean;
  /** Written once for each item of an array. */
  readonly repeated?: true;
  /** Writes the value, with its length and without the field number. */
  write(writer: ProtobufWriter, value: unknown): void;
}
/** A message; `content` writes it without its length, as the outermost one is. */
export interface Message extends Shape {
  content(writer: ProtobufWriter, value: unknown): void;
}
type Entries = Readonly<Record<string, unknown>>;

export const text: Shape = {
  wire: 2,
  absent: '',
  write: (writer, value) =>
    writer.string(typeof value === 'string' ? value : mismatch('a string', value)),
};
export const bool: Shape = {
  wire: 0,
  absent: false,
  write: (writer, value) =>
    writer.varint(Number(typeof value === 'boolean' ? value : mismatch('a boolean', value))),
};
export const int64: Shape = {
  wire: 0,
  absent: 0,
  write: (writer, value) =>
    writer.integer(
      typeof value === 'bigint' || Number.isSafeInteger(value)
        ? (value as number | bigint)
        : mismatch('an integer', value),
    ),
};
export const double: Shape = {
  wire: 1,
  absent: 0,
  write: (writer, value) =>
    writer.double(typeof value === 'number' ? value : mismatch('a number', value)),
};
/** `Any` of gnostic: whatever it is, as YAML in field 2. JSON is YAML. */
export const anything: Shape = framed((writer, value) =>
  writeField(writer, 2, text, `${encodeJsonText(value)}\n`),
);

export const repeated = (item: Shape): Shape => ({
  wire: item.wire,
  repeated: true,
  write: item.write,
});

/** A message around one value or an array of them, in field 1. */
export function wrapped(item: Shape): Shape {
  const items = repeated(item);
  return framed((writer, value) =>
    writeField(writer, 1, items, Array.isArray(value) ? value : [value]),
  );
}

/** A message with exactly one of several fields, chosen by the value. */
export function oneOf(choose: (value: unknown) => readonly [number: number, shape: Shape]): Shape {
  return framed((writer, value) => {
    const [number, shape] = choose(value);
    // Not `writeField`: in a choice, false is something else than nothing.
    shape.write(writer, value);
    writer.varint(number * 8 + shape.wire);
  });
}

/** A message whose fields have the numbers 1, 2, … in the order of `fields`. */
export function closedMessage(
  name: string,
  fields: () => Readonly<Record<string, Shape>>,
): Message {
  return createMessage(name, fields, false);
}

/** The same with vendor extensions (`x-…`) in a last field. */
export function message(name: string, fields: () => Readonly<Record<string, Shape>>): Message {
  return createMessage(name, fields, true);
}

/**
 * A message of pairs of name and value, in the order of the object. Vendor extensions have a field
 * of their own if `extensions` names one.
 */
export function mapOf(
  value: Shape,
  numbers: { entries?: number; extensions?: number } = {},
): Shape {
  const { entries = 1, extensions } = numbers;
  return framed((writer, map) => {
    for (const [key, item] of Object.entries(asObject(map)).toReversed()) {
      if (extensions !== undefined && isExtension(key))
        writePair(writer, extensions, [key, item], anything);
      else writePair(writer, entries, [key, item], value);
    }
  });
}

function createMessage(
  name: string,
  fields: () => Readonly<Record<string, Shape>>,
  extensible: boolean,
): Message {
  // Made at first use: messages may contain themselves.
  let known: Map<string, Shape> | undefined;
  return framed((writer, value) => {
    const object = asObject(value);
    known ??= new Map(Object.entries(fields()));
    const extensions: string[] = [];
    for (const key of Object.keys(object)) {
      if (extensible && isExtension(key)) extensions.push(key);
      else if (!known.has(key)) throw new Error(`${name} has no field ${JSON.stringify(key)}`);
    }
    for (const key of extensions.toReversed())
      writePair(writer, known.size + 1, [key, object[key]], anything);
    const shapes = [...known];
    for (let i = shapes.length - 1; i >= 0; i--) {
      const [key, shape] = shapes[i]!;
      if (Object.hasOwn(object, key)) writeField(writer, i + 1, shape, object[key]);
    }
  });
}

function writeField(writer: ProtobufWriter, number: number, shape: Shape, value: unknown): void {
  if (value === undefined) return;
  const header = number * 8 + shape.wire;
  if (shape.repeated) {
    for (const item of asArray(value).toReversed()) {
      shape.write(writer, item);
      writer.varint(header);
    }
  } else if (value !== shape.absent) {
    shape.write(writer, value);
    writer.varint(header);
  }
}

/** A message of name and value; what is undefined is not there, as in JSON. */
function writePair(
  writer: ProtobufWriter,
  number: number,
  [key, value]: readonly [string, unknown],
  shape: Shape,
): void {
  if (value === undefined) return;
  const before = writer.written;
  writeField(writer, 2, shape, value);
  writeField(writer, 1, text, key);
  writer.varint(writer.written - before);
  writer.varint(number * 8 + 2);
}

/** A message: its content with the length in front. */
function framed(content: Message['content']): Message {
  return {
    content,
    wire: 2,
    write(writer, value) {
      const before = writer.written;
      content(writer, value);
      writer.varint(writer.written - before);
    },
  };
}

const isExtension = (key: string): boolean => key.startsWith('x-');

function asObject(value: unknown): Entries {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Entries)
    : mismatch('an object', value);
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : mismatch('an array', value);
}

function mismatch(wanted: string, value: unknown): never {
  throw new Error(`expected ${wanted}, got ${encodeJsonText(value)}`);
}
