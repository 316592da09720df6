// Flags as Kubernetes' programs read them (github.com/spf13/pflag), with its errors:
//
//   --name=value  --name value  --switch  --switch=false  -v2  -v=2  -v 2  --
//
// A switch takes its value only after `=`. Underscores in names mean hyphens. Flags that may be
// repeated add up; of others the last one counts.

import { DurationError, parseGoDuration } from '@keelson/apimachinery';

export type FlagType =
  | 'bool'
  | 'int'
  | 'float'
  | 'string'
  | 'duration'
  /** Values parted by commas; repeated flags add to them. */
  | 'strings'
  /** One value each time; a comma is part of it. */
  | 'stringArray'
  /** `key=value` parted by commas. */
  | 'mapStringString';

export interface FlagDefinition {
  /** Without hyphens. */
  readonly name: string;
  readonly type: FlagType;
  readonly shorthand?: string;
  /** As it is written on the command line; absent: none. */
  readonly default?: string;
  readonly usage: string;
}

/** The message is pflag's. */
export class FlagError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FlagError';
  }
}

/** Values by name. All throw for a name that is not defined: that is a bug. */
export interface FlagValues {
  isSet(name: string): boolean;
  bool(name: string): boolean;
  /** Of a flag with a default. */
  number(name: string): number;
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  /** Of a flag with a default. */
  durationMs(name: string): number;
  /** Names of the flags that were given, in order. */
  given(): readonly string[];
  /** What is not a flag. */
  readonly positional: readonly string[];
}

/** Throws FlagError for what is not defined or has the wrong form. */
export function parseGoFlags(
  definitions: readonly FlagDefinition[],
  argv: readonly string[],
): FlagValues {
  const byName = new Map(definitions.map((d) => [d.name, d]));
  const byShorthand = new Map(
    definitions.flatMap((d) => (d.shorthand === undefined ? [] : [[d.shorthand, d] as const])),
  );
  const given = new Map<string, string[]>();
  const positional: string[] = [];
  const record = (definition: FlagDefinition, value: string): void => {
    checkValue(definition, value);
    const values = given.get(definition.name) ?? [];
    given.set(definition.name, [...values, value]);
  };
  const words = [...argv];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '--') {
      positional.push(...words);
      break;
    }
    if (word.startsWith('--')) readLong(word, byName, words, record);
    else if (word.startsWith('-') && word !== '-') readShort(word, byShorthand, words, record);
    else positional.push(word);
  }
  return createValues(byName, given, positional);
}

type Record = (definition: FlagDefinition, value: string) => void;

function readLong(
  word: string,
  byName: ReadonlyMap<string, FlagDefinition>,
  rest: string[],
  record: Record,
): void {
  const body = word.slice(2);
  if (body.startsWith('-') || body.startsWith('=')) throw new FlagError(`bad flag syntax: ${word}`);
  const equals = body.indexOf('=');
  const name = (equals < 0 ? body : body.slice(0, equals)).replaceAll('_', '-');
  const definition = byName.get(name);
  if (definition === undefined) throw new FlagError(`unknown flag: --${name}`);
  if (equals >= 0) return record(definition, body.slice(equals + 1));
  if (definition.type === 'bool') return record(definition, 'true');
  const value = rest.shift();
  if (value === undefined) throw new FlagError(`flag needs an argument: --${name}`);
  record(definition, value);
}

function readShort(
  word: string,
  byShorthand: ReadonlyMap<string, FlagDefinition>,
  rest: string[],
  record: Record,
): void {
  let letters = word.slice(1);
  while (letters !== '') {
    const letter = letters[0] ?? '';
    const definition = byShorthand.get(letter);
    if (definition === undefined)
      throw new FlagError(`unknown shorthand flag: '${letter}' in -${letters}`);
    if (letters[1] === '=') return record(definition, letters.slice(2));
    if (definition.type === 'bool') {
      record(definition, 'true');
      letters = letters.slice(1);
      continue;
    }
    if (letters.length > 1) return record(definition, letters.slice(1));
    const value = rest.shift();
    if (value === undefined)
      throw new FlagError(`flag needs an argument: '${letter}' in -${letters}`);
    return record(definition, value);
  }
}

const booleanWords: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'TRUE', 'true', 'True'].map((word) => [word, true] as const),
  ...['0', 'f', 'F', 'FALSE', 'false', 'False'].map((word) => [word, false] as const),
]);

function checkValue(definition: FlagDefinition, value: string): void {
  const problem = problemOf(definition.type, value);
  if (problem === undefined) return;
  const names =
    definition.shorthand === undefined
      ? `--${definition.name}`
      : `-${definition.shorthand}, --${definition.name}`;
  throw new FlagError(
    `invalid argument ${JSON.stringify(value)} for ${JSON.stringify(names)} flag: ${problem}`,
  );
}

function problemOf(type: FlagType, value: string): string | undefined {
  const syntax = (parser: string) =>
    `strconv.${parser}: parsing ${JSON.stringify(value)}: invalid syntax`;
  switch (type) {
    case 'bool':
      return booleanWords.has(value) ? undefined : syntax('ParseBool');
    case 'int':
      return /^[+-]?\d+$/.test(value) ? undefined : syntax('ParseInt');
    case 'float':
      return value !== '' && Number.isFinite(Number(value)) ? undefined : syntax('ParseFloat');
    case 'duration':
      try {
        parseGoDuration(value);
        return undefined;
      } catch (error) {
        if (error instanceof DurationError) return error.message;
        throw error;
      }
    default:
      return undefined;
  }
}

function createValues(
  byName: ReadonlyMap<string, FlagDefinition>,
  given: ReadonlyMap<string, readonly string[]>,
  positional: readonly string[],
): FlagValues {
  const all = (name: string): readonly string[] => {
    const definition = byName.get(name);
    if (definition === undefined) throw new Error(`no flag is called ${name}`);
    return given.get(name) ?? (definition.default === undefined ? [] : [definition.default]);
  };
  const required = (name: string): string => {
    const value = all(name).at(-1);
    if (value === undefined) throw new Error(`the flag ${name} has no default`);
    return value;
  };
  return {
    isSet: (name) => given.has(name),
    bool: (name) => booleanWords.get(all(name).at(-1) ?? 'false') === true,
    number: (name) => Number(required(name)),
    text: (name) => all(name).at(-1),
    list: (name) =>
      byName.get(name)?.type === 'stringArray'
        ? all(name)
        : all(name).flatMap((text) => text.split(',').filter((part) => part !== '')),
    durationMs: (name) => Number(parseGoDuration(required(name))) / 1e6,
    given: () => [...given.keys()],
    positional,
  };
}

/** One line per flag, by name, as `--help` shows them. */
export function describeFlags(definitions: readonly FlagDefinition[]): string {
  const rows = definitions.map((d) => {
    const short = d.shorthand === undefined ? '      ' : `  -${d.shorthand}, `;
    const left = `${short}--${d.name}${d.type === 'bool' ? '' : ` ${d.type}`}`;
    const fallback = d.default === undefined ? '' : ` (default ${d.default})`;
    return { left, right: d.usage + fallback };
  });
  const width = Math.max(0, ...rows.map(({ left }) => left.length));
  return rows.map(({ left, right }) => `${left.padEnd(width)}   ${right}\n`).join('');
}
