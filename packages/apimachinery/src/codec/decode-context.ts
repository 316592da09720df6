// What one decoding run knows besides the text: where it stands (for messages), the first type
// error, and the strict errors.
//
// COMPAT: errors are those of Kubernetes' fork of encoding/json. A value of the wrong JSON type is
// remembered and passed over, the first one is reported at the end; a value that its own parser
// refuses (times, quantities) ends the run at once. Unknown and duplicate fields are collected,
// each text once.

import { setOwn, type JsonObject } from '../json.ts';
import type { Field } from '../schema/types.ts';
import { cannotUnmarshal, DecodeError } from './decode-error.ts';
import { JsonReader, formatPath } from './json-reader.ts';

/** Kubernetes' own bound on the strict errors of one body. */
export const strictErrorsMax = 100;

export interface FieldFrame {
  /** Go name of the struct that has the field. */
  readonly struct: string;
  readonly field: Field;
}
/** A step into the value: a field, an item, or the key of a map. */
export type Frame = FieldFrame | number | string;

export class DecodeContext {
  readonly reader: JsonReader;
  readonly frames: Frame[] = [];
  readonly strictErrors: string[] = [];
  /** Maps that occurred more than once; sorted at the end, since each time would be quadratic. */
  readonly mergedMaps = new Set<JsonObject>();
  /** Whether unknown and duplicate fields are collected; off inside values that Go reads on their own. */
  strict: boolean;
  #typeError: string | undefined;

  constructor(text: string, strict: boolean) {
    this.reader = new JsonReader(text);
    this.strict = strict;
  }

  /** Passes over a value of the wrong type and remembers the first. */
  wrongType(goType: string): undefined {
    const code = this.reader.peek();
    const value = valueNames.get(code) ?? 'number';
    this.reader.skipValue();
    return this.wrongValue(value, goType);
  }

  /** Remembers the first value that does not fit; `value` is Go's word for it. */
  wrongValue(value: string, goType: string): undefined {
    this.#typeError ??= cannotUnmarshal(value, goType, this.#where());
    return undefined;
  }

  /** Remembers an error that is not about types (base64) as the first, if it is. */
  wrongText(message: string): undefined {
    this.#typeError ??= message;
    return undefined;
  }

  /** Ends the run: a value that reads itself was given another JSON type. */
  abortWrongType(value: string, goType: string): never {
    throw new DecodeError(cannotUnmarshal(value, goType, this.#where()));
  }

  strictError(kind: 'unknown' | 'duplicate', name: string): void {
    if (!this.strict || this.strictErrors.length >= strictErrorsMax) return;
    const path = this.frames.map((frame) => (typeof frame === 'object' ? frame.field.name : frame));
    const text = `${kind} field "${formatPath([...path, name])}"`;
    if (!this.strictErrors.includes(text)) this.strictErrors.push(text);
  }

  /** To be called after the value: reports what was remembered. */
  finish(): void {
    this.reader.end();
    for (const map of this.mergedMaps) sortKeys(map);
    if (this.#typeError !== undefined) throw new DecodeError(this.#typeError);
  }

  #where(): { struct: string; path: string } | undefined {
    const steps: string[] = [];
    let struct = '';
    for (const frame of this.frames) {
      if (typeof frame !== 'object') continue;
      struct = frame.struct;
      for (const { goName } of frame.field.within ?? []) steps.push(goName);
      steps.push(frame.field.name);
    }
    return steps.length === 0 ? undefined : { struct, path: steps.join('.') };
  }
}

function sortKeys(map: JsonObject): void {
  const entries = Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1));
  for (const [key] of entries) delete map[key];
  for (const [key, value] of entries) if (value !== undefined) setOwn(map, key, value);
}

/** Go's word for a JSON value, by its first character. */
const valueNames: ReadonlyMap<number, string> = new Map([
  [0x7b, 'object'],
  [0x5b, 'array'],
  [0x22, 'string'],
  [0x74, 'bool'],
  [0x66, 'bool'],
  [0x6e, 'null'],
]);
