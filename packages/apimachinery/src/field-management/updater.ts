// The heart of field management: who owns which fields after an update or an apply. An update owns
// what it changed; whoever owned that before loses it. An apply owns all that its configuration
// names, and what it named before but no longer does is removed (prune.ts).
// The rules are those of sigs.k8s.io/structured-merge-diff.

import { isJsonObject, type JsonObject } from '../json.ts';
import { deducedAtom } from './atom.ts';
import { compareTyped, noDifference, type Comparison } from './compare-typed.ts';
import { ConflictError, type Conflict } from './conflicts.ts';
import {
  difference,
  emptyFieldSet,
  intersection,
  isEmptySet,
  union,
  type FieldSet,
} from './field-set.ts';
import { everyField, filterComparison, type FieldFilter } from './field-filter.ts';
import { managerId, type Manager, type Managers } from './managed-entries.ts';
import { mergeTyped } from './merge-typed.ts';
import { prune } from './prune.ts';
import { fieldSetOfTyped, reconcileFieldSet } from './set-of-typed.ts';
import { convertBetween, type KindVersions } from './versions.ts';

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

export interface UpdaterOptions extends KindVersions {
  /** What can be owned through this endpoint. */
  readonly filter: FieldFilter;
}

export function createUpdater(options: UpdaterOptions): Updater {
  const { apiVersion, filter } = options;
  const atom = options.atomIn(apiVersion) ?? deducedAtom;
  const change = (before: JsonObject, after: JsonObject): Change => {
    const comparison = filtered(compareTyped(before, after, atom), filter);
    return { before, after, comparison };
  };

  return {
    update(before, after, managers) {
      const made = change(before, after);
      const { added, modified } = made.comparison;
      const isOwnVersion = (manager: Manager) => manager.apiVersion === apiVersion;
      if (made.comparison === noDifference && managers.values().every(isOwnVersion)) {
        return { managers, changed: emptyFieldSet };
      }
      const reconciled = reconcile(managers, options);
      const released = release(options, made, reconciled, { force: true });
      return { managers: released, changed: union(modified, added) };
    },

    apply(live, config, managers, { force, ...applier }) {
      const reconciled = reconcile(managers, options);
      const id = managerId(applier);
      const last = reconciled.get(id);
      const fields = filter.keep(fieldSetOfTyped(config, atom));
      const claimed = new Map(reconciled).set(id, { ...applier, fields });
      const merged = mergeTyped(live, config, atom);
      const pruning = { last, fields, managers: claimed };
      const object = prune(options, isJsonObject(merged) ? merged : {}, pruning);
      const released = release(options, change(live, object), claimed, { id, force });
      if (!isEmptySet(fields)) return { object, managers: released };
      return { object, managers: new Map([...released].filter(([other]) => other !== id)) };
    },
  };
}

interface Change {
  readonly before: JsonObject;
  readonly after: JsonObject;
  /** In the version of the request. */
  readonly comparison: Comparison;
}

/** Takes from all managers but `self` what changed; throws when that matters to them. */
function release(
  options: UpdaterOptions,
  change: Change,
  managers: Managers,
  self: { readonly id?: string; readonly force: boolean },
): Managers {
  const comparisons = new Map<string, Comparison | undefined>([
    [options.apiVersion, change.comparison],
  ]);
  const released = new Map<string, Manager>();
  const conflicts: Conflict[] = [];
  for (const [id, manager] of managers) {
    if (id === self.id) {
      released.set(id, manager);
      continue;
    }
    const version = manager.apiVersion;
    if (!comparisons.has(version)) comparisons.set(version, compareIn(options, change, version));
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
}

function compareIn(
  options: UpdaterOptions,
  { before, after }: Change,
  version: string,
): Comparison | undefined {
  const atom = options.atomIn(version);
  if (!atom) return undefined;
  const old = convertBetween(options, before, options.apiVersion, version);
  const now = convertBetween(options, after, options.apiVersion, version);
  return filtered(compareTyped(old, now, atom), options.filter);
}

function filtered(comparison: Comparison, filter: FieldFilter): Comparison {
  if (comparison === noDifference || filter === everyField) return comparison;
  return filterComparison(comparison, filter);
}

/** Adapts the sets of managers to fields that became atomic since; drops unknown versions. */
function reconcile(managers: Managers, versions: KindVersions): Managers {
  let reconciled: Map<string, Manager> | undefined;
  for (const [id, manager] of managers) {
    const atom = versions.atomIn(manager.apiVersion);
    const fields = atom ? reconcileFieldSet(manager.fields, atom) : manager.fields;
    if (atom && fields === manager.fields) continue;
    reconciled ??= new Map(managers);
    if (atom) reconciled.set(id, { ...manager, fields });
    else reconciled.delete(id);
  }
  return reconciled ?? managers;
}
