// Whether two objects have the same JSON, whatever the order of their fields. This is what decides
// that an update changes nothing: it costs a fraction of encoding both.

/** A field that is undefined counts as absent, as in JSON; 1n equals 1. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'bigint' || typeof b === 'bigint')
    return isInteger(a, b) && String(a) === String(b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) {
    return false;
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => equalJson(item, b[i]));
  }
  return equalFields(a as Record<string, unknown>, b as Record<string, unknown>);
}

function equalFields(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  let fields = 0;
  for (const name of Object.keys(a)) {
    if (a[name] === undefined) continue;
    fields++;
    if (!Object.hasOwn(b, name) || !equalJson(a[name], b[name])) return false;
  }
  for (const name of Object.keys(b)) if (b[name] !== undefined) fields--;
  return fields === 0;
}

function isInteger(a: unknown, b: unknown): boolean {
  const isOne = (v: unknown) => typeof v === 'bigint' || Number.isInteger(v);
  return isOne(a) && isOne(b);
}
