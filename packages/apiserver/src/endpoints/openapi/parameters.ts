// Query and path parameters of API operations, and how documents of version 2 share them.

import { encodeJsonText } from '@keelson/apimachinery';
import type { Member } from './endpoint-parts.ts';
import { queryParameters } from './parameter-texts.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly type: 'string' | 'boolean' | 'integer';
  readonly required: boolean;
  readonly description: string;
}

const pathDescriptions: Readonly<Record<string, string>> = {
  namespace: 'object name and auth scope, such as for teams and projects',
  path: 'path to the resource',
};

/** `id` is a name, followed by the place where it means something else there: `container@exec`. */
export function queryParameter(id: string): Parameter {
  const [type, description] = queryParameters[id] ?? ['string', ''];
  const [name = id] = id.split('@');
  return { name, in: 'query', type, required: false, description };
}

export function pathParameter(name: string, kind: string): Parameter {
  return {
    name,
    in: 'path',
    type: 'string',
    required: true,
    description: pathDescriptions[name] ?? `name of the ${kind}`,
  };
}

/** Parameters that stand once in a document and are referred to from everywhere. */
export interface SharedParameters {
  /** A reference where the parameter is shared, else itself. */
  place(parameter: object): object;
  /** What was referred to so far. */
  all(): readonly Member[];
}

/** COMPAT: these have texts of their own in too many places, or are small. */
const neverShared = new Set(['name', 'fieldValidation', 'dryRun']);
const sharedBodies = '#/definitions/io.k8s.apimachinery';

export function createSharedParameters(): SharedParameters {
  const shared = new Map<string, string>();
  return {
    place(parameter) {
      const { name = '', schema } = parameter as {
        readonly name?: string;
        readonly schema?: { readonly $ref?: string };
      };
      const isOfKind = schema !== undefined && !schema.$ref?.startsWith(sharedBodies);
      if (neverShared.has(name) || isOfKind) return parameter;
      const json = encodeJsonText(parameter);
      const id = `${name}-${shortHash(json)}`;
      shared.set(id, json);
      return { $ref: `#/parameters/${id}` };
    },
    all: () => [...shared],
  };
}

const fnvOffset = 0xcbf29ce484222325n;
const fnvPrime = 0x100000001b3n;
const hashes = new Map<string, string>();

/** COMPAT: the first six bytes of FNV-1 of the JSON, so that names are those of kube-apiserver. */
function shortHash(json: string): string {
  let hash = hashes.get(json);
  if (hash === undefined) {
    let value = fnvOffset;
    for (const byte of Buffer.from(json)) {
      value = BigInt.asUintN(64, value * fnvPrime) ^ BigInt(byte);
    }
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(value);
    hashes.set(json, (hash = bytes.subarray(0, 6).toString('base64url')));
  }
  return hash;
}
