// The versions of a kind, as field management sees them: managers may have expressed their fields
// in another version than the request's.

import type { JsonObject } from '../json.ts';
import type { Atom } from './atom.ts';

export interface KindVersions {
  /** Version of the request, in which objects come and go. */
  readonly apiVersion: string;
  /** The atom of the kind in a version; undefined when that is not served (any more). */
  atomIn(apiVersion: string): Atom | undefined;
  /** The object in another version, which `atomIn` knows; must not change the object. */
  convert(object: JsonObject, from: string, to: string): JsonObject;
}

export function convertBetween(
  versions: KindVersions,
  object: JsonObject,
  from: string,
  to: string,
): JsonObject {
  return from === to ? object : versions.convert(object, from, to);
}
