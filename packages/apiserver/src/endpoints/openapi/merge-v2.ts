// What other servers add to the OpenAPI document of version 2: the paths of their group versions and
// the definitions and parameters that these use. Where a name is taken by something else, the
// newcomer's definition is renamed (`io.example.Thing_v2`), and so are the references to it. Names of
// parameters are made from their content, so the same name is the same parameter.

import { encodeJsonText } from '@keelson/apimachinery';
import type { Member } from './endpoint-parts.ts';
import type { RemoteOpenApiV2 } from './remote-openapi.ts';

type Json = Record<string, unknown>;

/** The definition of that name in our document; `unknown` when it is there and nobody compares. */
export type TakenDefinition = (name: string) => object | 'unknown' | undefined;

export interface RemoteMembers {
  readonly paths: readonly Member[];
  readonly schemas: readonly Member[];
  readonly parameters: readonly Member[];
}

/** Of two servers with the same path, the first has it. */
export function remoteMembers(
  others: readonly RemoteOpenApiV2[],
  taken: TakenDefinition,
): RemoteMembers {
  const paths = new Map<string, unknown>();
  const schemas = new Map<string, unknown>();
  const parameters = new Map<string, unknown>();
  const known = (name: string) => schemas.get(name) ?? taken(name);
  for (const { document, prefixes } of others) {
    const theirs = document as Json;
    const added = Object.entries(objectOf(theirs['paths'])).filter(
      ([path]) => !paths.has(path) && prefixes.some((prefix) => path.startsWith(prefix)),
    );
    const theirParameters = objectOf(theirs['parameters']);
    const shared = [...referencesIn(added, parameterPrefix)].filter((name) =>
      Object.hasOwn(theirParameters, name),
    );
    const inUse = [added, ...shared.map((name) => theirParameters[name])];
    const used = usedDefinitions(inUse, objectOf(theirs['definitions']));
    const names = chosenNames(used, known);
    for (const [name, schema] of used) {
      const chosen = names.get(name) ?? name;
      // The same under the same name is there already.
      if (known(chosen) === undefined) schemas.set(chosen, withReferences(schema, names));
    }
    for (const name of shared) parameters.set(name, withReferences(theirParameters[name], names));
    for (const [path, item] of added) paths.set(path, withReferences(item, names));
  }
  return {
    paths: [...paths].map(toMember),
    schemas: [...schemas].map(toMember),
    parameters: [...parameters].map(toMember),
  };
}

const toMember = ([name, value]: [string, unknown]): Member => [
  name,
  encodeJsonText(objectOf(value)),
];

const referencePrefix = '#/definitions/';
const parameterPrefix = '#/parameters/';

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Json)
    : {};
}

/** The definitions that something refers to, and those that these refer to. */
function usedDefinitions(from: unknown, all: Json): ReadonlyMap<string, unknown> {
  const used = new Map<string, unknown>();
  const waiting = [...referencesIn(from)];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (used.has(name) || !Object.hasOwn(all, name)) continue;
    used.set(name, all[name]);
    waiting.push(...referencesIn(all[name]));
  }
  return used;
}

function* referencesIn(value: unknown, prefix = referencePrefix): Iterable<string> {
  const waiting = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (typeof next !== 'object' || next === null) continue;
    for (const [key, member] of Object.entries(next)) {
      if (key === '$ref' && typeof member === 'string' && member.startsWith(prefix))
        yield member.slice(prefix.length);
      else waiting.push(member);
    }
  }
}

/** New names for what would take the place of a different definition. */
function chosenNames(
  used: ReadonlyMap<string, unknown>,
  known: (name: string) => unknown,
): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const isFree = (name: string, schema: unknown) => {
    const there = known(name);
    return there === undefined || (there !== 'unknown' && isSame(there, schema));
  };
  for (const [name, schema] of used) {
    if (isFree(name, schema)) continue;
    let number = 2;
    while (!isFree(`${name}_v${number}`, schema)) number++;
    names.set(name, `${name}_v${number}`);
  }
  return names;
}

function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

function withReferences(value: unknown, names: ReadonlyMap<string, string>): unknown {
  if (names.size === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((member) => withReferences(member, names));
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => {
      if (key !== '$ref' || typeof member !== 'string') return [key, withReferences(member, names)];
      const name = names.get(member.slice(referencePrefix.length));
      return [key, name === undefined ? member : `${referencePrefix}${name}`];
    }),
  );
}
