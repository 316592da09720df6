// `metadata.managedFields` and its decoded form. A manager is identified by name, operation and
// subresource, and for updates by the version too; so an applier has one entry whatever version it
// used.

import { compareGoStrings } from '../go-string.ts';
import type { JsonObject } from '../json.ts';
import type { ManagedFieldsEntry } from '../meta/object.ts';
import { isEmptySet, parseFieldSet, union, type FieldSet } from './field-set.ts';

/** An entry that is not valid; the message is Kubernetes'. */
export class ManagedFieldsError extends Error {}

export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly subresource: string;
  /** Version of the paths in `fields`. */
  readonly apiVersion: string;
  readonly fields: FieldSet;
  /** When the entry last changed; kept as it is written. */
  readonly time?: string;
}

/** By identity (`managerId`). Never changed in place. */
export type Managers = ReadonlyMap<string, Manager>;

export const noManagers: Managers = new Map();

/** The identity under which the fields of a manager are kept. */
export function managerId(manager: Omit<Manager, 'fields' | 'time'>): string {
  const { name, operation, apiVersion, subresource } = manager;
  return JSON.stringify({
    ...(name === '' ? {} : { manager: name }),
    operation,
    ...(operation === 'Apply' || apiVersion === '' ? {} : { apiVersion }),
    ...(subresource === '' ? {} : { subresource }),
  });
}

/**
 * Decodes entries that a client gave: sets become canonical. Throws `ManagedFieldsError` or
 * `FieldSetError`.
 */
export function decodeManagers(entries: readonly ManagedFieldsEntry[]): Managers {
  return decode(entries, (fields) => parseFieldSet(fields));
}

/** Decodes stored entries, whose sets are canonical already. Throws as `decodeManagers`. */
export function decodeStoredManagers(entries: readonly ManagedFieldsEntry[]): Managers {
  return decode(entries, (fields) => fields as FieldSet);
}

function decode(
  entries: readonly ManagedFieldsEntry[],
  readFields: (fields: JsonObject) => FieldSet,
): Managers {
  const managers = new Map<string, Manager>();
  for (const [i, entry] of entries.entries()) {
    const { operation, apiVersion = '', fieldsType = '' } = entry;
    if (operation !== 'Apply' && operation !== 'Update') {
      throw new ManagedFieldsError('operation must be `Apply` or `Update`');
    }
    if (apiVersion === '') throw new ManagedFieldsError('apiVersion must not be empty');
    if (fieldsType === '')
      throw new ManagedFieldsError(`missing fieldsType in managed fields entry ${i}`);
    if (fieldsType !== 'FieldsV1') {
      const type = JSON.stringify(fieldsType);
      throw new ManagedFieldsError(`invalid fieldsType ${type} in managed fields entry ${i}`);
    }
    const manager: Manager = {
      name: entry.manager ?? '',
      operation,
      subresource: entry.subresource ?? '',
      apiVersion,
      fields: readFields(entry.fieldsV1 ?? {}),
      ...(entry.time ? { time: entry.time } : {}),
    };
    managers.set(managerId(manager), manager);
  }
  return managers;
}

/** The entries to store, in Kubernetes' order; undefined when there is no manager. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return [...managers.values()].sort(compareManagers).map((manager) => ({
    ...(manager.name === '' ? {} : { manager: manager.name }),
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: manager.fields as JsonObject,
    ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
  }));
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compareGoStrings(a.operation, b.operation) ||
    compareTimes(a, b) ||
    compareGoStrings(a.name, b.name) ||
    compareGoStrings(a.apiVersion, b.apiVersion) ||
    compareGoStrings(a.subresource, b.subresource)
  );
}

/** Older entries first; those without a time before all others. */
function compareTimes(a: Manager, b: Manager): number {
  return seconds(a) - seconds(b);
}
function seconds(manager: Manager): number {
  if (manager.time === undefined) return 0;
  const ms = Date.parse(manager.time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** The managers with one added or replaced; without it when it has no fields. */
export function withManager(managers: Managers, manager: Manager): Managers {
  const changed = new Map(managers);
  if (isEmptySet(manager.fields)) changed.delete(managerId(manager));
  else changed.set(managerId(manager), manager);
  return changed;
}

/** Updaters that are kept apart; upstream's number. */
const updatersMax = 10;
const mergedUpdaters = 'ancient-changes';

/** Merges the oldest updaters of each version into one, so that ten remain, if that can be. */
export function capUpdaters(managers: Managers): Managers {
  const updaters = [...managers].filter(([, manager]) => manager.operation === 'Update');
  let count = updaters.length;
  if (count <= updatersMax) return managers;
  updaters.sort(([a, x], [b, y]) => compareTimes(x, y) || compareGoStrings(a, b));
  const capped = new Map(managers);
  const firstOfVersion = new Map<string, string>();
  for (const [id, manager] of updaters) {
    if (count <= updatersMax) break;
    const { apiVersion } = manager;
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) {
      firstOfVersion.set(apiVersion, id);
      continue;
    }
    const name = mergedUpdaters;
    const bucket = managerId({ name, operation: 'Update', apiVersion, subresource: '' });
    const older = capped.get(bucket) ?? capped.get(first);
    if (!capped.has(bucket)) capped.delete(first);
    capped.delete(id);
    capped.set(bucket, {
      ...manager,
      name,
      subresource: '',
      fields: union(manager.fields, older?.fields ?? {}),
    });
    count--;
  }
  return capped;
}
