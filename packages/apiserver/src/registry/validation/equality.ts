// Equality as Kubernetes' update validation means it (apiequality.Semantic): an absent list, null
// and an empty list are one and the same; numbers and bigints compare by value.

/**
 * True when both are the same to the API. `{}` differs from absent: it is a pointer that is set.
 */
export function isSemanticallyEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isAbsent(a) || isAbsent(b)) return isAbsent(a) && isAbsent(b);
  if (typeof a !== 'object' || typeof b !== 'object') {
    return isNumeric(a) && isNumeric(b) && BigInt(a) === BigInt(b);
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => isSemanticallyEqual(item, b[i]));
  }
  const left = a as Readonly<Record<string, unknown>>;
  const right = b as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(left)) {
    if (!isSemanticallyEqual(left[key], right[key])) return false;
  }
  for (const key of Object.keys(right)) {
    if (!(key in left) && !isAbsent(right[key])) return false;
  }
  return true;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}
