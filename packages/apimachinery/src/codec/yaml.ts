// YAML bodies: the first document, turned into JSON by the rules of `sigs.k8s.io/yaml`, then
// decoded as JSON. js-yaml finds the structure; what scalars mean, which keys are allowed, aliases and
// merges are decided here.
//
// Bounds: nesting, and what aliases may multiply to (SECURITY: a few hundred bytes of nested
// aliases can stand for gigabytes, CVE-2019-11253).

import { EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import type { Event, ScalarEvent } from 'js-yaml';
import { setOwn, type JsonArray, type JsonObject, type JsonValue } from '../json.ts';
import type { StructType } from '../schema/types.ts';
import { quoteGo } from '../status/field-error.ts';
import { strictErrorsMax } from './decode-context.ts';
import { DecodeError } from './decode-error.ts';
import { decodeValue } from './decode-object.ts';
import type { DecodedObject, DecodeOptions } from './decode-object.ts';
import { asKubeObject } from '../meta/object.ts';
import { textOf } from './json-reader.ts';
import { firstDocument, lineOf, yamlSyntaxMessage } from './yaml-messages.ts';
import { resolvePlain, resolveTagged } from './yaml-scalars.ts';

/** The parser is recursive; no API object comes near. */
export const yamlDepthMax = 400;
/** Below this many nodes aliases are not looked at, as in Go's library. */
const aliasNodesMin = 1_000;
/** Scalars that aliases repeat may add this many characters to a document. */
const aliasCharactersMax = 8 * 1024 * 1024;

export interface YamlDocument {
  readonly value: JsonValue;
  /**
   * Keys that are there twice, as one text of Go's library: `yaml: unmarshal errors:` and a line
   * for each, `  line 3: key "a" already set in map`. The last value is kept; at most a hundred
   * are named.
   */
  readonly duplicateKeys?: string;
}

/** Reads the first document; an empty one is null. Throws `DecodeError`. */
export function parseYaml(source: Uint8Array | string): YamlDocument {
  const text = firstDocument(textOf(source));
  const composer = new Composer(text, readEvents(text));
  const value = composer.document();
  if (composer.duplicates.length === 0) return { value };
  return { value, duplicateKeys: `yaml: unmarshal errors:\n${composer.duplicates.join('\n')}` };
}

/** Decodes a YAML body by schema. Duplicate keys are the first of the strict errors, in one text. */
export function decodeYamlObject(
  source: Uint8Array | string,
  type: StructType,
  options: DecodeOptions = {},
): DecodedObject {
  const { value: json, duplicateKeys } = parseYaml(source);
  const { value, strictErrors } = decodeValue(json, type, options);
  const object = asKubeObject(value);
  if (duplicateKeys === undefined || options.strict !== true) return { object, strictErrors };
  return { object, strictErrors: [duplicateKeys, ...strictErrors] };
}

function readEvents(text: string): Event[] {
  try {
    return parseEvents(text, { maxDepth: yamlDepthMax });
  } catch (error) {
    if (error instanceof YAMLException) {
      const tooDeep = error.reason.startsWith('nesting exceeded');
      if (tooDeep) throw new DecodeError('yaml: exceeded max depth', 'limit');
      throw new DecodeError(yamlSyntaxMessage(text, error), 'syntax');
    }
    if (error instanceof RangeError) throw new DecodeError('yaml: exceeded max depth', 'limit');
    throw error;
  }
}

interface Anchor {
  /** Index of the event that the anchor is on. */
  readonly index: number;
  open: boolean;
}

/** Makes values of events. An alias makes the value of its anchor anew, so that nothing is shared. */
class Composer {
  readonly duplicates: string[] = [];
  readonly #text: string;
  readonly #events: readonly Event[];
  readonly #anchors = new Map<string, Anchor>();
  #at = 0;
  #nodes = 0;
  #aliasNodes = 0;
  #aliasCharacters = 0;
  #aliasDepth = 0;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  document(): JsonValue {
    if (this.#events[0]?.type !== EVENT_ID.DOCUMENT) return null;
    this.#at = 1;
    return this.#events[1]?.type === EVENT_ID.POP ? null : this.#node();
  }

  #node(): JsonValue {
    const event = this.#next();
    this.#count();
    switch (event.type) {
      case EVENT_ID.SCALAR: {
        this.#anchor(event.anchorStart, event.anchorEnd)?.close();
        return this.#scalar(event).value;
      }
      case EVENT_ID.SEQUENCE: {
        const anchor = this.#anchor(event.anchorStart, event.anchorEnd);
        const list: JsonArray = [];
        while (!this.#popped()) list.push(this.#node());
        anchor?.close();
        return list;
      }
      case EVENT_ID.MAPPING: {
        const anchor = this.#anchor(event.anchorStart, event.anchorEnd);
        const object = this.#mapping();
        anchor?.close();
        return object;
      }
      case EVENT_ID.ALIAS:
        return this.#alias(this.#text.slice(event.anchorStart, event.anchorEnd));
      default:
        throw new DecodeError('yaml: did not find expected node content', 'syntax');
    }
  }

  #mapping(): JsonObject {
    const object: JsonObject = {};
    while (!this.#popped()) {
      const keyEvent = this.#events[this.#at];
      if (keyEvent?.type === EVENT_ID.SCALAR && this.#isMerge(keyEvent)) {
        this.#at++;
        this.#merge(object);
        continue;
      }
      const key = this.#key();
      const position = this.#position();
      const value = this.#node();
      this.#set(object, { key, value, position });
    }
    return object;
  }

  #set(object: JsonObject, entry: { key: string; value: JsonValue; position: number }): void {
    if (Object.hasOwn(object, entry.key) && this.duplicates.length < strictErrorsMax) {
      const line = lineOf(this.#text, entry.position);
      const key = quoteGo(entry.key);
      this.duplicates.push(`  line ${line}: key ${key} already set in map`);
    }
    setOwn(object, entry.key, entry.value);
  }

  /** Keys are strings, or scalars that have a text. */
  #key(): string {
    const event = this.#next();
    this.#count();
    if (event.type === EVENT_ID.ALIAS) {
      const value = this.#alias(this.#text.slice(event.anchorStart, event.anchorEnd));
      if (typeof value === 'string' || typeof value === 'number') return String(value);
    }
    if (event.type === EVENT_ID.SCALAR) {
      // COMPAT: libyaml wants a key here.
      const empty = event.valueStart < 0 || event.valueStart === event.valueEnd;
      if (event.style === SCALAR_STYLE.PLAIN && empty) this.#refuse('did not find expected key');
      this.#anchor(event.anchorStart, event.anchorEnd)?.close();
      const { tag, value } = this.#scalar(event);
      if (tag !== 'null') return keyText(value);
      this.#refuse('unsupported map key: null');
    }
    return this.#refuse('invalid map key');
  }

  #isMerge(event: ScalarEvent): boolean {
    if (event.style !== SCALAR_STYLE.PLAIN || event.tagStart >= 0) return false;
    return getScalarValue(this.#text, event) === '<<';
  }

  /** COMPAT: what is merged replaces keys that stand before it, and those after it replace it. */
  #merge(object: JsonObject): void {
    const position = this.#position();
    const source = this.#node();
    for (const map of Array.isArray(source) ? source.toReversed() : [source]) {
      if (typeof map !== 'object' || map === null || Array.isArray(map)) {
        this.#refuse('map merge requires map or sequence of maps as the value');
      }
      for (const [key, value] of Object.entries(map)) {
        if (value !== undefined) this.#set(object, { key, value, position });
      }
    }
  }

  #scalar(event: ScalarEvent): { tag: string; value: JsonValue } {
    const text = event.valueStart < 0 ? '' : getScalarValue(this.#text, event);
    if (this.#aliasDepth > 0) {
      this.#aliasCharacters += text.length;
      if (this.#aliasCharacters > aliasCharactersMax) this.#excessive();
    }
    const tag = event.tagStart < 0 ? '' : this.#text.slice(event.tagStart, event.tagEnd);
    const known = /^(?:!!|!<tag:yaml\.org,2002:)(str|bool|int|float|null|binary|timestamp)>?$/.exec(
      tag,
    );
    const resolved =
      known?.[1] !== undefined
        ? resolveTagged(text, known[1])
        : event.style === SCALAR_STYLE.PLAIN && tag !== '!'
          ? resolvePlain(text)
          : ({ tag: 'str', value: text } as const);
    if (resolved.tag === 'float' && typeof resolved.value === 'string') {
      throw new DecodeError(`json: unsupported value: ${goInfinity(resolved.value)}`, 'syntax');
    }
    return resolved;
  }

  #anchor(start: number, end: number): { close(): void } | undefined {
    if (start < 0 || this.#aliasDepth > 0) return undefined;
    const anchor: Anchor = { index: this.#at - 1, open: true };
    this.#anchors.set(this.#text.slice(start, end), anchor);
    return { close: () => void (anchor.open = false) };
  }

  #alias(name: string): JsonValue {
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) return this.#refuse(`unknown anchor '${name}' referenced`);
    if (anchor.open) return this.#refuse(`anchor '${name}' value contains itself`);
    const back = this.#at;
    this.#at = anchor.index;
    this.#aliasDepth++;
    const value = this.#node();
    this.#aliasDepth--;
    this.#at = back;
    return value;
  }

  /** Go's rule: the larger the document, the fewer of its nodes may come from aliases. */
  #count(): void {
    this.#nodes++;
    if (this.#aliasDepth === 0) return;
    this.#aliasNodes++;
    if (this.#nodes <= 100 || this.#aliasNodes <= aliasNodesMin) return;
    if (this.#aliasNodes / this.#nodes > allowedAliasRatio(this.#nodes)) this.#excessive();
  }

  #excessive(): never {
    throw new DecodeError('yaml: document contains excessive aliasing', 'limit');
  }

  #popped(): boolean {
    if (this.#events[this.#at]?.type !== EVENT_ID.POP) return false;
    this.#at++;
    return true;
  }

  #next(): Event {
    const event = this.#events[this.#at++];
    if (event === undefined) throw new DecodeError('yaml: did not find expected node', 'syntax');
    return event;
  }

  /** Where the node that comes next starts. */
  #position(): number {
    const event = this.#events[this.#at];
    if (event === undefined) return 0;
    if (event.type === EVENT_ID.SCALAR) return Math.max(event.valueStart, 0);
    if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
    return 'start' in event ? event.start : 0;
  }

  #refuse(message: string): never {
    throw new DecodeError(`yaml: ${message}`, 'syntax');
  }
}

function allowedAliasRatio(nodes: number): number {
  if (nodes <= 400_000) return 0.99;
  if (nodes >= 4_000_000) return 0.1;
  return 0.99 - (0.89 * (nodes - 400_000)) / 3_600_000;
}

function keyText(value: JsonValue): string {
  return typeof value === 'string' ? value : String(value);
}

function goInfinity(text: string): string {
  if (/nan/i.test(text)) return 'NaN';
  return text.startsWith('-') ? '-Inf' : '+Inf';
}
