// Merging a configuration into an object without owning what it sets, as mutating admission policies
// do. What is atomic cannot be set so: it would replace what others set.

import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import type { StructType } from '../schema/types.ts';
import { atomKind, atomOf, itemElement, memberAtom, type Atom } from './atom.ts';
import { mergeTyped } from './merge-typed.ts';
import { formatElement } from './path-element.ts';
import { validateTyped } from './validate-typed.ts';

/** The configuration cannot be merged; the message is Kubernetes'. */
export class MergeConfigurationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MergeConfigurationError';
  }
}

/** The merged object; the inputs are not changed. Throws `MergeConfigurationError`. */
export function mergeConfiguration(
  live: JsonObject,
  config: JsonObject,
  type: StructType | undefined,
): JsonObject {
  const atom = atomOf(type);
  const fault = validateTyped(config, atom);
  if (fault !== undefined) {
    throw new MergeConfigurationError(`failed to convert patch object to typed object: ${fault}`);
  }
  const atomics = atomicPaths(config, atom, '');
  if (atomics.length > 0) {
    throw new MergeConfigurationError(
      `invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(', ')}`,
    );
  }
  const merged = mergeTyped(live, config, atom);
  return isJsonObject(merged) ? merged : live;
}

/** Places of the configuration that are owned as one. */
function atomicPaths(value: JsonValue, atom: Atom, path: string): string[] {
  const kind = atomKind(atom, value);
  if (kind === 'map' && atom.map && isJsonObject(value)) {
    const { map } = atom;
    const inner = Object.entries(value).flatMap(([name, member]) => {
      const memberType = map.field(name) && memberAtom(map, name);
      if (memberType === undefined || member === undefined) return [];
      return atomicPaths(member, memberType, `${path}.${name}`);
    });
    return map.atomic ? [path, ...inner] : inner;
  }
  if (kind === 'list' && atom.list && Array.isArray(value)) {
    const { list } = atom;
    if (list.atomic) return [path];
    return value.flatMap((item) =>
      atomicPaths(item, list.items, `${path}${formatElement(itemElement(list, item))}`),
    );
  }
  return [];
}
