// The heart of field management: who owns which fields after an update or an apply. An update owns what
// it changed; whoever owned that before loses it. An apply owns all that its configuration names, and
// what it named before but no longer does is removed, unless another manager owns it too.
// The rules are those of sigs.k8s.io/structured-merge-diff.

import { isJsonObject, type JsonObject, type JsonValue } from '../json.ts';
import { deducedAtom, type Atom } from './atom.ts';
import { compareTyped, noDifference, type Comparison } from './compare-typed.ts';
import { ConflictError, type Conflict } from './conflicts.ts';
import {
  difference,
  emptyFieldSet,
  intersection,
  isEmptySet,
  isSubset,
  recursiveDifference,
  union,
  type FieldSet,
} from './field-set.ts';
import { managerId, type Manager, type Managers } from './managed-entries.ts';
import { mergeTyped } from './merge-typed.ts';
import { removeTyped } from './remove-typed.ts';
import {
  fieldSetOfTyped,
  fieldSetWithNamedFields,
  reconcileFieldSet,
  withNamedFields,
} from './set-of-typed.ts';

export interface Updater {
  /**
   * What the change from `before` to `after` does to ownership: the managers without the fields
   * that changed, and these fields.
   */
  update(
    before: JsonObject,
    after: JsonObject,
    managers: Managers,
  ): { managers: Managers; changed: FieldSet };
  /**
   * The merged object and the managers after `manager` has applied `config`, which is valid. The
   * object is `live` itself when nothing changed. Throws `ConflictError`, unless forced.
   */
  apply(
    live: JsonObject,
    config: JsonObject,
    managers: Managers,
    manager: Omit<Manager, 'fields'> & { readonly force: boolean },
  ): { object: JsonObject; managers: Managers };
}

export interface UpdaterOptions {
  readonly apiVersion: string;
  /** Fields that this endpoint resets: never owned through it. */
  readonly resetFields: FieldSet;
  /** The atom of the kind in a version; undefined when that is not served (any more). */
  atomIn(apiVersion: string): Atom | undefined;
  /** The object in another version, which `atomIn` knows. */
  convert(object: JsonObject, from: string, to: string): JsonObject;
}

export function createUpdater(options: UpdaterOptions): Updater {
  const { apiVersion, resetFields } = options;
  const atom = options.atomIn(apiVersion) ?? deducedAtom;

  const convert = (object: JsonObject, from: string, to: string): JsonObject =>
    from === to ? object : options.convert(object, from, to);

  const compareIn = (before: JsonObject, after: JsonObject, version: string) => {
    const versionAtom = options.atomIn(version);
    if (!versionAtom) return undefined;
    const old = convert(before, apiVersion, version);
    const now = convert(after, apiVersion, version);
    return exclude(compareTyped(old, now, versionAtom), resetFields);
  };

  interface Change {
    readonly before: JsonObject;
    readonly after: JsonObject;
    readonly comparison: Comparison;
  }

  /** Takes from all managers but `self` what changed. Throws when that matters to them. */
  const release = (
    { before, after, comparison }: Change,
    managers: Managers,
    self: { readonly id?: string; readonly force: boolean },
  ): Managers => {
    const comparisons = new Map<string, Comparison | undefined>([[apiVersion, comparison]]);
    const released = new Map<string, Manager>();
    const conflicts: Conflict[] = [];
    for (const [id, manager] of managers) {
      if (id === self.id) {
        released.set(id, manager);
        continue;
      }
      const version = manager.apiVersion;
      if (!comparisons.has(version)) comparisons.set(version, compareIn(before, after, version));
      const changes = comparisons.get(version);
      // Managers of versions that are gone are gone too.
      if (!changes) continue;
      const fields = intersection(manager.fields, union(changes.modified, changes.added));
      if (!isEmptySet(fields)) conflicts.push({ id, manager, fields });
      const kept = difference(difference(manager.fields, fields), changes.removed);
      if (isEmptySet(kept)) continue;
      released.set(id, kept === manager.fields ? manager : { ...manager, fields: kept });
    }
    if (conflicts.length > 0 && !self.force) throw new ConflictError(conflicts);
    return released;
  };

  const isOwnVersion = (manager: Manager) => manager.apiVersion === apiVersion;

  return {
    update(before, after, managers) {
      const comparison = exclude(compareTyped(before, after, atom), resetFields);
      if (comparison === noDifference && [...managers.values()].every(isOwnVersion)) {
        return { managers, changed: emptyFieldSet };
      }
      const reconciled = reconcile(managers, options);
      const released = release({ before, after, comparison }, reconciled, { force: true });
      return { managers: released, changed: union(comparison.modified, comparison.added) };
    },

    apply(live, config, managers, { force, ...applier }) {
      const reconciled = reconcile(managers, options);
      const id = managerId(applier);
      const fields = recursiveDifference(fieldSetOfTyped(config, atom), resetFields);
      const manager: Manager = { ...applier, fields };
      const claimed = new Map(reconciled).set(id, manager);
      const merged = asObject(mergeTyped(live, config, atom));
      const object = prune(merged, { last: reconciled.get(id), manager, managers: claimed });
      const comparison = exclude(compareTyped(live, object, atom), resetFields);
      const released = release({ before: live, after: object, comparison }, claimed, { id, force });
      if (!isEmptySet(fields)) return { object, managers: released };
      return { object, managers: new Map([...released].filter(([other]) => other !== id)) };
    },
  };

  interface Pruning {
    readonly last: Manager | undefined;
    readonly manager: Manager;
    readonly managers: Managers;
  }

  /** Removes what the applier named last time and nobody names now. */
  function prune(merged: JsonObject, { last, manager, managers }: Pruning): JsonObject {
    if (!last || isEmptySet(last.fields)) return merged;
    const version = last.apiVersion;
    if (version === apiVersion && isSubset(last.fields, manager.fields)) {
      return merged;
    }
    const versionAtom = options.atomIn(version);
    if (!versionAtom) return merged;
    const object = convert(merged, apiVersion, version);
    const lastFields = withNamedFields(last.fields, versionAtom);
    const emptied = asObject(removeTyped(object, lastFields, versionAtom));
    const all = fieldSetWithNamedFields(object, versionAtom);
    const owned = addBackOwned({ whole: object, rest: emptied, version }, all, managers);
    // Only what the applier named last time may go; the rest of what it took along comes back.
    const rest = convert(owned.rest, owned.version, version);
    const kept = fieldSetWithNamedFields(rest, versionAtom);
    const gone = intersection(difference(all, kept), lastFields);
    return convert(asObject(removeTyped(object, gone, versionAtom)), version, apiVersion);
  }

  /** An object, what is left of it, and the version in which both are. */
  interface Pruned {
    readonly whole: JsonObject;
    readonly rest: JsonObject;
    readonly version: string;
  }

  /** Puts back what any manager owns, the version that was pruned first. `allOfWhole` is its set. */
  function addBackOwned(pruned: Pruned, allOfWhole: FieldSet, managers: Managers): Pruned {
    const owned = new Map<string, FieldSet>([[pruned.version, emptyFieldSet]]);
    for (const { apiVersion: version, fields } of managers.values()) {
      owned.set(version, union(owned.get(version) ?? emptyFieldSet, fields));
    }
    let current = pruned;
    for (const [version, fields] of owned) {
      const versionAtom = options.atomIn(version);
      if (!versionAtom) continue;
      const whole = convert(current.whole, current.version, version);
      const rest = convert(current.rest, current.version, version);
      const all = whole === pruned.whole ? allOfWhole : fieldSetWithNamedFields(whole, versionAtom);
      const kept = union(
        fieldSetWithNamedFields(rest, versionAtom),
        withNamedFields(fields, versionAtom),
      );
      const restored = removeTyped(whole, difference(all, kept), versionAtom);
      current = { whole, rest: asObject(restored), version };
    }
    return current;
  }
}

function exclude(comparison: Comparison, fields: FieldSet): Comparison {
  if (comparison === noDifference || isEmptySet(fields)) return comparison;
  return {
    added: recursiveDifference(comparison.added, fields),
    modified: recursiveDifference(comparison.modified, fields),
    removed: recursiveDifference(comparison.removed, fields),
  };
}

/** Adapts the sets of managers to fields that became atomic since; drops unknown versions. */
function reconcile(managers: Managers, options: UpdaterOptions): Managers {
  let reconciled: Map<string, Manager> | undefined;
  for (const [id, manager] of managers) {
    const atom = options.atomIn(manager.apiVersion);
    const fields = atom ? reconcileFieldSet(manager.fields, atom) : manager.fields;
    if (atom && fields === manager.fields) continue;
    reconciled ??= new Map(managers);
    if (atom) reconciled.set(id, { ...manager, fields });
    else reconciled.delete(id);
  }
  return reconciled ?? managers;
}

function asObject(value: JsonValue): JsonObject {
  return isJsonObject(value) ? value : {};
}
