// Field management as an endpoint uses it: keeps `metadata.managedFields` true when objects are
// created and updated, and applies configurations (server-side apply). What it adds to the bare
// rules:
//   - entries in requests: taken over when valid, cleared by [{}], ignored on subresources;
//   - identity and time of entries; at most ten updaters, older ones merged as `ancient-changes`;
//   - objects without managed fields stay so until the first apply, which makes
//     `before-first-apply` the owner of what was there; metadata that belongs to the system is
//     never owned;
//   - `kubectl` may take over its client-side applied fields (last-applied.ts).

import { formatTime, type Clock } from '../clock.ts';
import { jsonEqual, type JsonObject, type JsonValue } from '../json.ts';
import { parseApiVersion } from '../meta/group-version.ts';
import { asJson, asKubeObject, type KubeObject, type ManagedFieldsEntry } from '../meta/object.ts';
import type { StructType } from '../schema/types.ts';
import { statusErrors } from '../status/status.ts';
import { atomOf, ListItemError, type Atom } from './atom.ts';
import { ConflictError, conflictStatus } from './conflicts.ts';
import {
  difference,
  emptyFieldSet,
  fieldSetOf,
  isEmptySet,
  union,
  type FieldSet,
} from './field-set.ts';
import { onlyFields, withoutFields, type FieldFilter, type FieldPaths } from './field-filter.ts';
import { fieldsLastApplied, lastAppliedManager, withLastApplied } from './last-applied.ts';
import {
  capUpdaters,
  decodeManagers,
  decodeStoredManagers,
  encodeManagers,
  managerId,
  ManagedFieldsError,
  noManagers,
  withManager,
  type Manager,
  type Managers,
} from './managed-entries.ts';
import { fieldElement, FieldSetError } from './path-element.ts';
import { createUpdater, type Updater } from './updater.ts';
import { validateTyped } from './validate-typed.ts';
import { zeroObject } from './zero-object.ts';

export interface FieldManager {
  /**
   * The object with `managedFields` as they are after `manager` has made it of `live`. `live` is an
   * empty object of the kind when it is created. Neither is changed; the result shares parts with
   * them. An object whose fields cannot be tracked comes back without managed fields.
   */
  update(live: KubeObject, object: KubeObject, by: FieldManagerContext): KubeObject;
  /**
   * `live` with the configuration applied, and its `managedFields`. The result is neither decoded
   * nor defaulted: a member that lost all its parts may be null. Throws `StatusError`: 409 with the
   * conflicts, 400 for another kind or managed fields in the configuration, 500 for a
   * configuration that does not fit the schema (COMPAT).
   */
  apply(live: KubeObject, config: KubeObject, by: ApplyContext): KubeObject;
}

export interface FieldManagerContext {
  /** Name of the manager; empty means `unknown`. */
  readonly manager: string;
  /** Version of the request, in which both objects are. */
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** Instead of the manager's own. */
  readonly resetFields?: FieldPaths;
  /** The only fields that can be owned by this request; stronger than fields that are reset. */
  readonly ownedFields?: FieldPaths;
}
export interface ApplyContext extends FieldManagerContext {
  readonly force: boolean;
}

export interface FieldManagerOptions {
  /** Schema of the kind; undefined when there is none, and all maps are merged and lists atomic. */
  readonly type: StructType | undefined;
  readonly clock: Clock;
  /** Fields that the endpoint resets, and that therefore nobody owns through it. */
  readonly resetFields?: FieldPaths;
  /** For kinds that are served in several versions; else only that of the request is known. */
  readonly versions?: FieldVersions;
}

/** The versions in which a kind is served. Managers of other versions are forgotten. */
export interface FieldVersions {
  has(apiVersion: string): boolean;
  typeOf(apiVersion: string): StructType | undefined;
  /** Between served versions; must not change the object. */
  convert(object: KubeObject, from: string, to: string): KubeObject;
}

const noResetFields: FieldPaths = [];

/** Metadata that belongs to the system, and what every object has. */
const neverOwned: FieldSet = fieldSetOfNames([
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'clusterName',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['metadata', name]),
]);

const firstApplyManager = 'before-first-apply';

export function createFieldManager(options: FieldManagerOptions): FieldManager {
  const updaterFor = createUpdaters(options);
  const now = () => formatTime(options.clock.now());

  /** The managers after a change, the one who made it with all that changed. */
  const record = (
    { before, after, former }: { before: JsonObject; after: JsonObject; former: Managers },
    by: FieldManagerContext,
  ): Managers => {
    const { managers, changed } = updaterFor(by).update(before, after, former);
    const owned = difference(changed, neverOwned);
    if (isEmptySet(owned)) return capUpdaters(isSame(managers, former) ? former : managers);
    const manager = identify(by, 'Update');
    const previous = managers.get(managerId(manager))?.fields ?? emptyFieldSet;
    const fields = union(owned, previous);
    return capUpdaters(withManager(managers, { ...manager, fields, time: now() }));
  };

  return {
    update(live, object, by) {
      const former = formerManagers(live, object, by.subresource);
      if (former.managers.size === 0 && (live.metadata.uid ?? '') !== '') {
        return withEntries(object, undefined);
      }
      try {
        const before = startingPoint(live, typeIn(options, by.apiVersion));
        const change = { before, after: withoutEntries(object), former: former.managers };
        const managers = record(change, by);
        const kept = managers === former.managers ? former.entries : undefined;
        return withEntries(object, kept ?? encodeManagers(managers));
      } catch (e) {
        if (e instanceof ListItemError) return withEntries(object, undefined);
        throw e;
      }
    },

    apply(live, config, by) {
      checkConfig(live, config, by.apiVersion);
      const type = typeIn(options, by.apiVersion);
      const before = startingPoint(live, type);
      let former = storedManagers(live);
      if (former.size === 0) {
        const all = { before: startingPoint(undefined, type), after: before, former };
        former = ofLive(() => record(all, { ...by, manager: firstApplyManager }));
      }
      checkForm(config, atomOf(type));
      const application = { before, config: asJson(config), former, atom: atomOf(type) };
      const applied = applyAs(updaterFor(by), application, by);
      const id = managerId(identify(by, 'Apply'));
      let managers = stripped(applied.managers, id);
      // COMPAT: an apply that changes only managers leaves its entry with the time it had, or none.
      const manager = managers.get(id);
      if (manager && applied.object !== before && !jsonEqual(applied.object, before)) {
        managers = withManager(managers, { ...manager, time: now() });
      }
      const isKubectl = by.manager === lastAppliedManager;
      const object = isKubectl ? withLastApplied(applied.object, asJson(config)) : applied.object;
      return withEntries(asKubeObject(object), encodeManagers(managers));
    },
  };
}

interface Application {
  readonly before: JsonObject;
  readonly config: JsonObject;
  readonly former: Managers;
  readonly atom: Atom;
}

/** Applies; `kubectl` again with force, when it only takes over what it set on the client side. */
function applyAs(
  updater: Updater,
  { before, config, former, atom }: Application,
  by: ApplyContext,
): { object: JsonObject; managers: Managers } {
  const manager = identify(by, 'Apply');
  const time = former.get(managerId(manager))?.time;
  const applier = { ...manager, ...(time === undefined ? {} : { time }) };
  try {
    return ofLive(() => updater.apply(before, config, former, { ...applier, force: by.force }));
  } catch (e) {
    if (!(e instanceof ConflictError)) throw e;
    if (by.manager !== lastAppliedManager) throw conflictStatus(e);
    const mine = fieldsLastApplied(before, by.apiVersion, atom);
    const others = e.conflicts
      .map((conflict) => ({ ...conflict, fields: difference(conflict.fields, mine) }))
      .filter(({ fields }) => !isEmptySet(fields));
    if (others.length > 0) throw conflictStatus(new ConflictError(others));
    return updater.apply(before, config, former, { ...applier, force: true });
  }
}

/**
 * A stored object may have lists that its schema does not allow; then nothing can be applied to it.
 */
function ofLive<T>(read: () => T): T {
  try {
    return read();
  } catch (e) {
    if (!(e instanceof ListItemError)) throw e;
    throw failure(`failed to create typed live object: ${e.message}`);
  }
}

/** The updater for each version and list of fields, made once. */
function createUpdaters(options: FieldManagerOptions): (by: FieldManagerContext) => Updater {
  const updaters = new Map<string, WeakMap<FieldPaths, Updater>>();
  return (by) => {
    const paths = by.ownedFields ?? by.resetFields ?? options.resetFields ?? noResetFields;
    let ofVersion = updaters.get(by.apiVersion);
    if (!ofVersion) updaters.set(by.apiVersion, (ofVersion = new WeakMap()));
    let updater = ofVersion.get(paths);
    if (!updater) {
      const filter =
        by.ownedFields === undefined
          ? withoutFields(fieldSetOfNames(paths))
          : onlyFields(by.ownedFields);
      updater = createVersionUpdater(options, by.apiVersion, filter);
      ofVersion.set(paths, updater);
    }
    return updater;
  };
}

function createVersionUpdater(
  options: FieldManagerOptions,
  apiVersion: string,
  filter: FieldFilter,
): Updater {
  const { versions } = options;
  return createUpdater({
    apiVersion,
    filter,
    atomIn(version) {
      if (version === apiVersion || versions?.has(version)) return atomOf(typeIn(options, version));
      return undefined;
    },
    convert(object, from, to) {
      return versions ? asJson(versions.convert(asKubeObject(object), from, to)) : object;
    },
  });
}

function typeIn({ type, versions }: FieldManagerOptions, version: string): StructType | undefined {
  return versions ? versions.typeOf(version) : type;
}

function identify(by: FieldManagerContext, operation: 'Apply' | 'Update'): Omit<Manager, 'fields'> {
  const { manager, apiVersion, subresource } = by;
  return { name: manager === '' ? 'unknown' : manager, operation, apiVersion, subresource };
}

/** The managers before an update, and the stored entries when they are those. */
function formerManagers(
  live: KubeObject,
  object: KubeObject,
  subresource: string,
): { managers: Managers; entries?: ManagedFieldsEntry[] } {
  const stored = live.metadata.managedFields ?? [];
  const given = object.metadata.managedFields ?? [];
  if (subresource === '' && isReset(given)) return { managers: noManagers };
  if (
    subresource === '' &&
    given.length > 0 &&
    given !== stored &&
    !haveSameEntries(given, stored)
  ) {
    const managers = decodeOrNothing(() => decodeManagers(given));
    if (managers.size > 0) return { managers };
  }
  return { managers: decodeOrNothing(() => decodeStoredManagers(stored)), entries: stored };
}

function haveSameEntries(a: ManagedFieldsEntry[], b: ManagedFieldsEntry[]): boolean {
  return jsonEqual(a as unknown as JsonValue, b as unknown as JsonValue);
}

/** The request to forget all managers: one empty entry. */
function isReset(entries: readonly ManagedFieldsEntry[]): boolean {
  const [only] = entries;
  return entries.length === 1 && only !== undefined && Object.values(only).every((v) => !v);
}

/** Entries that are not valid count as none. */
function decodeOrNothing(decode: () => Managers): Managers {
  try {
    return decode();
  } catch (e) {
    if (e instanceof ManagedFieldsError || e instanceof FieldSetError) return noManagers;
    throw e;
  }
}

function storedManagers(live: KubeObject): Managers {
  try {
    return decodeStoredManagers(live.metadata.managedFields ?? []);
  } catch (e) {
    if (!(e instanceof ManagedFieldsError)) throw e;
    throw failure(`failed to decode managed fields: ${e.message}`);
  }
}

/** What an object is compared with: itself, or when it does not exist yet, an empty one. */
function startingPoint(live: KubeObject | undefined, type: StructType | undefined): JsonObject {
  if (live !== undefined && !isBlank(live)) return withoutEntries(live);
  return type === undefined ? {} : zeroObject(type);
}

/** Not stored yet, and with nothing but its kind and metadata. */
function isBlank(live: KubeObject): boolean {
  if ((live.metadata.uid ?? '') !== '') return false;
  for (const name in live) {
    if (name !== 'apiVersion' && name !== 'kind' && name !== 'metadata') return false;
  }
  return true;
}

function withoutEntries(object: KubeObject): JsonObject {
  if (object.metadata.managedFields === undefined) return asJson(object);
  const { managedFields: _, ...metadata } = object.metadata;
  return asJson({ ...object, metadata });
}

function withEntries(object: KubeObject, entries: ManagedFieldsEntry[] | undefined): KubeObject {
  const { managedFields: current, ...metadata } = object.metadata;
  if (current === entries) return object;
  if (entries === undefined || entries.length === 0) return { ...object, metadata };
  return { ...object, metadata: { ...metadata, managedFields: entries } };
}

function checkConfig(live: KubeObject, config: KubeObject, apiVersion: string): void {
  if (config.apiVersion !== apiVersion || (live.kind !== undefined && config.kind !== live.kind)) {
    throw statusErrors.badRequest(`invalid object type: ${formatGvk(config)}`);
  }
  if (Array.isArray(config.metadata.managedFields)) {
    throw statusErrors.badRequest('metadata.managedFields must be nil');
  }
}

function checkForm(config: KubeObject, atom: Atom): void {
  const fault = validateTyped(asJson(config), atom);
  if (fault === undefined) return;
  throw failure(`failed to create typed patch object (${describe(config)}): ${fault}`);
}

/** Takes from a manager what nobody may own. */
function stripped(managers: Managers, id: string): Managers {
  const manager = managers.get(id);
  if (!manager) return managers;
  const fields = difference(manager.fields, neverOwned);
  return fields === manager.fields ? managers : withManager(managers, { ...manager, fields });
}

/** Whether all managers are untouched. */
function isSame(a: Managers, b: Managers): boolean {
  if (a.size !== b.size) return false;
  for (const [id, manager] of a) if (b.get(id) !== manager) return false;
  return true;
}

function fieldSetOfNames(paths: FieldPaths): FieldSet {
  return fieldSetOf(...paths.map((path) => path.map(fieldElement)));
}

function describe({ metadata, ...object }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}; ${formatGvk(object)}`;
}
/** COMPAT: of a configuration that was never decoded; what is no text counts as absent. */
function formatGvk(object: { apiVersion?: unknown; kind?: unknown }): string {
  const apiVersion = typeof object.apiVersion === 'string' ? object.apiVersion : '';
  const gv = parseApiVersion(apiVersion) ?? { group: '', version: '' };
  return `${gv.group}/${gv.version}, Kind=${typeof object.kind === 'string' ? object.kind : ''}`;
}

/** COMPAT: answers without a reason. */
function failure(message: string) {
  return statusErrors.generic(500, '', message);
}
