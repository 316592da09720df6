// Objects from files as people and `kubectl` write them: several documents, lists, whole
// directories.

import { posix } from 'node:path';
import { isJsonObject, type JsonValue } from '@keelson/apimachinery';
import { SourceError, type Source, type SourcedObject } from './source.ts';
import { readMembers } from './yaml-members.ts';

/**
 * What is read from. Paths have slashes; `list` gives names, directories with one behind.
 */
export interface SourceFiles {
  /** Undefined when there is no such file. */
  read(path: string): string | undefined;
  /** Undefined when it is no directory. */
  list(path: string): readonly string[] | undefined;
}

export interface ReadObjectsOptions {
  /** Where the path was named, for when there is nothing there. */
  readonly named: Source;
  /** Names of files that are not read where a directory is. */
  readonly except?: readonly string[];
}

/** The objects of a file, or of all YAML and JSON files of a directory. Lists are their items. */
export function readObjects(
  files: SourceFiles,
  path: string,
  { named, except = [] }: ReadObjectsOptions,
): SourcedObject[] {
  const entries = files.list(path);
  if (entries !== undefined) {
    return entries
      .filter((name) => isObjectFile(name) && !except.includes(name))
      .toSorted()
      .flatMap((name) => readObjects(files, joinPath(path, name), { named, except }));
  }
  const text = files.read(path);
  if (text === undefined) throw new SourceError(named, `there is no ${path}`);
  return readMembers(path, text).flatMap((member) => objectsOf(member.value, member.source));
}

function objectsOf(value: JsonValue | undefined, source: Source): SourcedObject[] {
  if (!isJsonObject(value) || typeof value['kind'] !== 'string')
    throw new SourceError(source, 'a resource must be an object with apiVersion and kind');
  if (typeof value['apiVersion'] !== 'string')
    throw new SourceError(source, `the ${value['kind']} has no apiVersion`);
  const { items } = value;
  if (value['kind'] !== 'List' || !Array.isArray(items)) return [{ object: value, source }];
  return items.flatMap((item) => objectsOf(item, source));
}

export function isObjectFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/.test(name);
}

export function joinPath(directory: string, name: string): string {
  return posix.isAbsolute(name) ? name : posix.join(directory, name);
}
