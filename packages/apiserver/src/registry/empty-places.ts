// What an object that is refused looked like. Empty lists and maps are dropped when a body is
// decoded, for they are dropped when it is stored, and nothing may depend on them. Go still holds
// them while it validates, so its refusals show `[]` and `{}` where ours would show `null`.
//
// The object without them decides whether and where there are errors; with them it is only asked
// again for the words.

import {
  copyJson,
  isJsonObject,
  type EmptyPlace,
  type FieldError,
  type JsonValue,
  type KubeObject,
} from '@keelson/apimachinery';

/** The errors of the object as its client gave it; the same ones if more than words differs. */
export function rewordErrors(
  errors: readonly FieldError[],
  object: KubeObject,
  places: readonly EmptyPlace[],
  validate: (object: KubeObject) => readonly FieldError[],
): readonly FieldError[] {
  if (errors.length === 0 || places.length === 0) return errors;
  const given = copyJson(object);
  const holders = new Set<unknown>();
  for (const place of places) putBack(given as unknown as JsonValue, place, holders);
  // A part of the object is shown as it would be written, so without what is empty inside it.
  const reworded = validate(given).map((error, i) =>
    holders.has(error.badValue) ? { ...error, badValue: errors[i]?.badValue } : error,
  );
  const isSame =
    reworded.length === errors.length &&
    reworded.every(({ type, path }, i) => type === errors[i]?.type && path === errors[i].path);
  return isSame ? reworded : errors;
}

/**
 * Only where nothing is by now: defaulting and admission may have filled the place. `holders` get
 * what the place is in.
 */
function putBack(root: JsonValue, { path, value }: EmptyPlace, holders: Set<unknown>): void {
  let holder: JsonValue | undefined = root;
  for (const step of path.slice(0, -1)) {
    holder = member(holder, step);
    if (holder !== undefined) holders.add(holder);
  }
  const last = path.at(-1);
  if (last === undefined || (member(holder, last) ?? null) !== null) return;
  const empty = value === 'list' ? [] : {};
  if (typeof last === 'string' && isJsonObject(holder) && last !== '__proto__')
    holder[last] = empty;
}

function member(holder: JsonValue | undefined, step: string | number): JsonValue | undefined {
  if (typeof step === 'number') return Array.isArray(holder) ? holder[step] : undefined;
  return isJsonObject(holder) && Object.hasOwn(holder, step) ? holder[step] : undefined;
}
