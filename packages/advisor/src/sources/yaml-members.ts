// Reads the members of a YAML file into what they should be, or says by file and line what is
// wrong: a key that nobody knows, a text where a list belongs.

import {
  isJsonObject,
  parseYamlDocuments,
  DecodeError,
  type JsonObject,
  type JsonValue,
  type PositionedDocument,
  type YamlPath,
} from '@keelson/apimachinery';
import { SourceError, type Source } from './source.ts';

/** One value in a file. */
export interface Member {
  readonly value: JsonValue | undefined;
  readonly source: Source;
  /** Throws SourceError, naming the value's line. */
  fail(message: string): never;
  /** Undefined when it is not there; throws for a key that is none of `keys`. */
  object(keys: readonly string[]): ObjectMember | undefined;
  /** Whatever keys it has. */
  record(): ObjectMember | undefined;
  /** Empty when it is not there. */
  list(): readonly Member[];
  /** A list, or one value that stands for a list of one. */
  oneOrMore(): readonly Member[];
  text(): string | undefined;
  boolean(): boolean | undefined;
  number(): number | undefined;
  oneOf<T extends string>(values: readonly T[]): T | undefined;
}

export interface ObjectMember {
  readonly value: JsonObject;
  readonly keys: readonly string[];
  readonly source: Source;
  get(key: string): Member;
  /** Throws SourceError when it is not there. */
  need(key: string): Member;
}

/** The documents of a file. Throws SourceError for what is not YAML. */
export function readMembers(file: string, text: string): readonly Member[] {
  let documents: readonly PositionedDocument[];
  try {
    documents = parseYamlDocuments(text);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const line = Number(/\bline (\d+)/.exec(error.message)?.[1] ?? 1);
    throw new SourceError({ file, line }, error.message.replaceAll('\n', ' '), error);
  }
  return documents.map((document) => createMember({ file, document }, [], document.value));
}

interface Origin {
  readonly file: string;
  readonly document: PositionedDocument;
}

function createMember(origin: Origin, path: YamlPath, value: JsonValue | undefined): Member {
  const { file, document } = origin;
  const what = path.length === 0 ? 'the document' : formatPath(path);
  const member: Member = {
    value,
    get source() {
      return { file, line: document.lineOf(path) };
    },
    fail(message) {
      throw new SourceError(member.source, message);
    },
    object(keys) {
      const found = member.record();
      const surprise = found?.keys.find((key) => !keys.includes(key));
      if (found !== undefined && surprise !== undefined) {
        const known = keys.join(', ');
        found.get(surprise).fail(`${what} has no ${JSON.stringify(surprise)}; it has ${known}`);
      }
      return found;
    },
    record() {
      if (value === undefined || value === null) return undefined;
      if (!isJsonObject(value)) return member.fail(`${what} must be an object`);
      return createObjectMember(origin, path, value);
    },
    list() {
      if (value === undefined || value === null) return [];
      if (!Array.isArray(value)) return member.fail(`${what} must be a list`);
      return value.map((item, index) => createMember(origin, [...path, index], item));
    },
    oneOrMore: () =>
      value === undefined || value === null || Array.isArray(value) ? member.list() : [member],
    text() {
      if (value === undefined || value === null) return undefined;
      return typeof value === 'string' ? value : member.fail(`${what} must be a text`);
    },
    boolean() {
      if (value === undefined || value === null) return undefined;
      return typeof value === 'boolean' ? value : member.fail(`${what} must be true or false`);
    },
    number() {
      if (value === undefined || value === null) return undefined;
      return typeof value === 'number' ? value : member.fail(`${what} must be a number`);
    },
    oneOf(values) {
      const text = member.text();
      const known = values.find((one) => one === text);
      if (text !== undefined && known === undefined)
        member.fail(`${what} is ${JSON.stringify(text)}; it must be one of ${values.join(', ')}`);
      return known;
    },
  };
  return member;
}

function createObjectMember(origin: Origin, path: YamlPath, value: JsonObject): ObjectMember {
  const get = (key: string): Member =>
    createMember(origin, [...path, key], Object.hasOwn(value, key) ? value[key] : undefined);
  return {
    value,
    keys: Object.keys(value),
    get source() {
      return { file: origin.file, line: origin.document.lineOf(path) };
    },
    get,
    need(key) {
      const member = get(key);
      if (member.value === undefined) member.fail(`${formatPath([...path, key])} is missing`);
      return member;
    },
  };
}

function formatPath(path: YamlPath): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('');
}
