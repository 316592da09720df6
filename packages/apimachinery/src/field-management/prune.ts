// What an apply removes: the fields and items that the applier named last time, does not name now,
// and that no other manager owns. Everything else that goes along with them comes back.

import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import type { Atom } from './atom.ts';
import {
  difference,
  emptyFieldSet,
  intersection,
  isEmptySet,
  isSubset,
  union,
  type FieldSet,
} from './field-set.ts';
import type { Manager, Managers } from './managed-entries.ts';
import { removeTyped } from './remove-typed.ts';
import { fieldSetWithNamedFields, withNamedFields } from './set-of-typed.ts';
import { convertBetween, type KindVersions } from './versions.ts';

export interface Pruning {
  /** The applier's entry before, if it has applied before. */
  readonly last: Manager | undefined;
  readonly fields: FieldSet;
  /** All managers, the applier with its new fields. */
  readonly managers: Managers;
}

/** The merged object without what the applier gave up; itself when that is nothing. */
export function prune(
  versions: KindVersions,
  merged: JsonObject,
  { last, fields, managers }: Pruning,
): JsonObject {
  if (!last || isEmptySet(last.fields)) return merged;
  const version = last.apiVersion;
  if (version === versions.apiVersion && isSubset(last.fields, fields)) return merged;
  const atom = versions.atomIn(version);
  if (!atom) return merged;
  const object = convertBetween(versions, merged, versions.apiVersion, version);
  const lastFields = withNamedFields(last.fields, atom);
  const all = fieldSetWithNamedFields(object, atom);
  const emptied = asObject(removeTyped(object, lastFields, atom));
  const owned = addBackOwned(versions, { whole: object, all, rest: emptied, version }, managers);
  // Only what the applier named last time may go.
  const rest = convertBetween(versions, owned.rest, owned.version, version);
  const gone = intersection(difference(all, fieldSetWithNamedFields(rest, atom)), lastFields);
  const pruned = asObject(removeTyped(object, gone, atom));
  return convertBetween(versions, pruned, version, versions.apiVersion);
}

/** An object with its set, what is left of it, and the version of both. */
interface Pruned {
  readonly whole: JsonObject;
  readonly all: FieldSet;
  readonly rest: JsonObject;
  readonly version: string;
}

/** Puts back what any manager owns, the version that was pruned first. */
function addBackOwned(versions: KindVersions, pruned: Pruned, managers: Managers): Pruned {
  const owned = new Map<string, FieldSet>([[pruned.version, emptyFieldSet]]);
  for (const { apiVersion: version, fields } of managers.values()) {
    owned.set(version, union(owned.get(version) ?? emptyFieldSet, fields));
  }
  let current = pruned;
  for (const [version, fields] of owned) {
    const atom = versions.atomIn(version);
    if (!atom) continue;
    const { whole, all, rest } = inVersion(versions, current, version, atom);
    const kept = union(fieldSetWithNamedFields(rest, atom), withNamedFields(fields, atom));
    const restored = asObject(removeTyped(whole, difference(all, kept), atom));
    current = { whole, all, rest: restored, version };
  }
  return current;
}

function inVersion(versions: KindVersions, pruned: Pruned, version: string, atom: Atom): Pruned {
  if (pruned.version === version) return pruned;
  const whole = convertBetween(versions, pruned.whole, pruned.version, version);
  const rest = convertBetween(versions, pruned.rest, pruned.version, version);
  return { whole, all: fieldSetWithNamedFields(whole, atom), rest, version };
}

function asObject(value: JsonValue): JsonObject {
  return isJsonObject(value) ? value : {};
}
