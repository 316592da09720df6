// Claims as values of expressions. Every number is a double, as Go reads JSON without a type. A
// name that is no identifier is written escaped, on every level:
// `claims.kubernetes__dot__io.x__dash__y`.

import { lazyList, lazyMap, type CelMap, type CelValue } from '@keelson/cel';
import { unescapeProperty } from '@keelson/cel/kubernetes';

/** The value of JSON, adapted when it is read. */
export function claimValue(json: unknown): CelValue {
  if (json === null || json === undefined) return null;
  if (typeof json === 'bigint') return Number(json);
  if (typeof json !== 'object') return json as string | number | boolean;
  if (Array.isArray(json)) return lazyList(json as readonly unknown[], claimValue);
  return escapedMap(lazyMap(json as Readonly<Record<string, unknown>>, claimValue));
}

/** COMPAT: a key that can be read as an escaped one is, and is then not found as it stands. */
function escapedMap(map: CelMap): CelMap {
  return {
    kind: 'map',
    get size() {
      return map.size;
    },
    get: (key) => map.get(typeof key === 'string' ? (unescapeProperty(key) ?? key) : key),
    keys: () => map.keys(),
  };
}
