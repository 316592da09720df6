// The hash of a revision's data: FNV-1 of the bytes that Go's encoding/json writes, with the keys in
// order and `<`, `>` and `&` escaped. Names of revisions are made of it, so they are Kubernetes'.

import { encodeJsonText, type JsonValue } from '@keelson/apimachinery';
import { fnv1, safeText } from '../pods/template-hash.ts';

export function rawDataHash(data: JsonValue, collisions: number): string {
  const text = goJson(data) + String(collisions);
  return safeText(String(fnv1(Buffer.from(text))));
}

/** JSON as Go's encoder writes it of a map. */
function goJson(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(goJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([key, member]) => `${encodeJsonText(key)}:${goJson(member)}`);
    return `{${members.join(',')}}`;
  }
  return encodeJsonText(value);
}
