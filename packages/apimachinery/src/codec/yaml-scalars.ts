// What a plain YAML scalar means to Kubernetes: the resolution of its YAML 1.1 library, in which
// `yes` and `on` are booleans, `010` is eight and `1e3` is a string.

import type { JsonValue } from '../json.ts';
import { canonicalBase64 } from './base64.ts';
import { DecodeError } from './decode-error.ts';

type ScalarTag = 'str' | 'bool' | 'int' | 'float' | 'null' | 'merge' | 'binary' | 'timestamp';

export interface ResolvedScalar {
  readonly tag: ScalarTag;
  readonly value: JsonValue;
}

const words: ReadonlyMap<string, ResolvedScalar> = new Map<string, ResolvedScalar>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    (word) => [word, { tag: 'bool', value: true }] as const,
  ),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (word) => [word, { tag: 'bool', value: false }] as const,
  ),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, { tag: 'null', value: null }] as const),
  ['<<', { tag: 'merge', value: '<<' }],
]);
const notFinite = /^(?:\.(?:nan|NaN|NAN)|[-+]?\.(?:inf|Inf|INF))$/;
const floatForm = /^[-+]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][-+][0-9]+)?$/;
/** Texts that Go's parser takes after a dot: the float form above does not see `1.`. */
const dottedFloat = /^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$/;

/** Resolves a plain scalar without a tag. */
export function resolvePlain(text: string): ResolvedScalar {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (!/^[-+.0-9]/.test(text)) return { tag: 'str', value: text };
  if (notFinite.test(text)) return { tag: 'float', value: text };
  const digits = text.replaceAll('_', '');
  const integer = text.startsWith('.') ? undefined : parseGoInteger(digits);
  if (integer !== undefined) return { tag: 'int', value: integer };
  const float = text.startsWith('.') ? dottedFloat.test(text) : floatForm.test(digits);
  if (float) return { tag: 'float', value: Number(digits) };
  return { tag: 'str', value: text };
}

const goInteger = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
/** Sign, prefix and 64 binary digits. */
const integerTextMax = 67;
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;

/** Go's integers of any base; undefined for other texts and for those that no 64 bits hold. */
function parseGoInteger(text: string): number | bigint | undefined {
  if (text.length > integerTextMax) return undefined;
  const match = goInteger.exec(text);
  if (match === null) return undefined;
  const [, sign = '', digits = ''] = match;
  const octal = /^0[0-7]+$/.test(digits);
  const magnitude = BigInt(octal ? `0o${digits.slice(1)}` : digits);
  const value = sign === '-' ? -magnitude : magnitude;
  if (value < int64Min || value > uint64Max) return undefined;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Resolves a scalar with a tag of YAML's own, or refuses the combination as Go's library does. */
export function resolveTagged(text: string, tag: string): ResolvedScalar {
  if (tag === 'str') return { tag: 'str', value: text };
  if (tag === 'binary') return { tag: 'str', value: decodeBinary(text) };
  if (tag === 'timestamp') return { tag: 'str', value: text };
  const resolved = resolvePlain(text);
  if (resolved.tag === tag) return resolved;
  if (tag === 'float' && resolved.tag === 'int') return { tag: 'float', value: resolved.value };
  const message = `yaml: cannot decode !!${resolved.tag} \`${text}\` as a !!${tag}`;
  throw new DecodeError(message, 'syntax');
}

function decodeBinary(text: string): string {
  try {
    return Buffer.from(canonicalBase64(text), 'base64').toString('utf8');
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError('yaml: !!binary value contains invalid base64 data', 'syntax');
  }
}
