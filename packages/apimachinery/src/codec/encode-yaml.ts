// Writes YAML as `sigs.k8s.io/yaml` does (`Accept: application/yaml`): keys in natural order, lists
// at the indentation of their key, long texts folded after column 80, texts quoted when YAML 1.1
// would read something else.

import type { JsonArray, JsonObject, JsonValue } from '../json.ts';
import { parseJson } from './decode-object.ts';
import { plainJsonText } from './encode-json.ts';
import { compareYamlKeys, scalarStyle } from './yaml-styles.ts';

/** Folding starts at the first space after this column. */
const lineWidth = 80;
const indentWidth = 2;
/** Longer keys need the form `? key`. */
const simpleKeyMax = 128;

/** The YAML of what `encodeJson` would write. */
export function encodeYaml(value: unknown): Uint8Array {
  // Through JSON, so that undefined fields and the like are what they are there.
  return Buffer.from(encodeYamlText(parseJson(plainJsonText(value))));
}

/** The same as text, of a JSON value. */
export function encodeYamlText(value: JsonValue): string {
  const printer = new YamlPrinter();
  printer.value(value, -indentWidth, 'top');
  return `${printer.text}\n`;
}

type Place = 'top' | 'mapping' | 'sequence';

class YamlPrinter {
  text = '';
  #column = 0;

  /** `indent` is that of the collection which holds the value. */
  value(value: JsonValue, indent: number, place: Place): void {
    if (Array.isArray(value) && value.length > 0) this.#sequence(value, indent, place);
    else if (isMapping(value)) this.#mapping(value, indent, place);
    else {
      if (place !== 'top') this.#write(' ');
      if (typeof value === 'string') this.#string(value, Math.max(indent, 0) + indentWidth, false);
      else this.#write(scalarText(value));
    }
  }

  #sequence(list: JsonArray, outer: number, place: Place): void {
    const indent = place === 'mapping' ? outer : outer + indentWidth;
    for (const [i, item] of list.entries()) {
      // A list in a list starts on the line of its dash.
      if (place === 'sequence' && i === 0) this.#write(' ');
      else if (place !== 'top' || i > 0) this.#line(indent);
      this.#write('-');
      this.value(item, indent, 'sequence');
    }
  }

  #mapping(mapping: JsonObject, outer: number, place: Place): void {
    const indent = outer + indentWidth;
    let first = true;
    for (const key of Object.keys(mapping).toSorted(compareYamlKeys)) {
      if (place === 'sequence' && first) this.#write(' ');
      else if (place !== 'top' || !first) this.#line(indent);
      first = false;
      const simple = Buffer.byteLength(key) <= simpleKeyMax && !key.includes('\n');
      if (!simple) this.#write('? ');
      this.#string(key, indent + indentWidth, simple);
      if (!simple) this.#line(indent);
      this.#write(':');
      this.value(mapping[key] ?? null, indent, simple ? 'mapping' : 'sequence');
    }
  }

  #string(value: string, indent: number, isKey: boolean): void {
    switch (scalarStyle(value, isKey)) {
      case 'plain':
        return this.#folded(value, { indent, isKey, quoted: false });
      case 'single':
        this.#write("'");
        this.#folded(value.replaceAll("'", "''"), { indent, isKey, quoted: true });
        return this.#write("'");
      case 'literal':
        return this.#literal(value, indent);
      case 'double':
        return this.#double(value, indent, isKey);
    }
  }

  /** Single spaces may become line breaks, outside of keys. */
  #folded(value: string, form: { indent: number; isKey: boolean; quoted: boolean }): void {
    if (form.isKey || this.#column + value.length <= lineWidth) return this.#write(value);
    let run = '';
    for (let i = 0; i < value.length; i++) {
      const space = value.charAt(i) === ' ';
      const alone = space && value.charAt(i - 1) !== ' ' && value.charAt(i + 1) !== ' ';
      const inside = !form.quoted || (i > 0 && i < value.length - 1);
      if (alone && inside && this.#column + run.length > lineWidth) {
        this.#write(run);
        run = '';
        this.#line(form.indent);
      } else run += value.charAt(i);
    }
    this.#write(run);
  }

  #literal(value: string, indent: number): void {
    const hint = /^[ \n]/.test(value) ? String(indentWidth) : '';
    const chomp = value.endsWith('\n') ? (/(?:^|\n)\n$/.test(value) ? '+' : '') : '-';
    this.#write(`|${hint}${chomp}`);
    const body = value.endsWith('\n') ? value.slice(0, -1) : value;
    for (const line of body.split('\n')) {
      if (line === '') this.text += '\n';
      else {
        this.#line(indent);
        this.#write(line);
      }
    }
  }

  #double(value: string, indent: number, isKey: boolean): void {
    this.#write('"');
    const characters = [...value];
    let afterSpace = false;
    for (const [i, character] of characters.entries()) {
      const inside = i > 0 && i < characters.length - 1;
      if (character === ' ' && !isKey && !afterSpace && inside && this.#column > lineWidth) {
        this.#line(indent);
        if (characters[i + 1] === ' ') this.#write('\\');
      } else this.#write(escapeDouble(character));
      afterSpace = character === ' ';
    }
    this.#write('"');
  }

  #line(indent: number): void {
    this.text += `\n${' '.repeat(indent)}`;
    this.#column = indent;
  }

  #write(text: string): void {
    this.text += text;
    this.#column += text.length;
  }
}

function isMapping(value: JsonValue): value is JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).length > 0;
}

function scalarText(value: Exclude<JsonValue, string>): string {
  if (typeof value === 'number' && !Number.isInteger(value)) return goFloat(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[]' : '{}';
  return String(value);
}

/** Go's shortest form: an exponent from a million on, with two digits. */
function goFloat(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e6) return String(value);
  return value.toExponential().replace(/e([-+])(\d)$/, 'e$10$2');
}

const named: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\xa0': '\\_',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function escapeDouble(character: string): string {
  const escape = named[character];
  if (escape !== undefined) return escape;
  const code = character.codePointAt(0) ?? 0;
  const printable =
    (code >= 0x20 && code < 0x7f) ||
    (code > 0xa0 && code < 0xd800) ||
    (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff);
  if (printable) return character;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0');
}
