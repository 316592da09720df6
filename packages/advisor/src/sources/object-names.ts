// How objects of a suite are named: `Pod/web`, `Pod/shop/web`, `apps/v1/Deployment/shop/web`.

import { isJsonObject, type JsonObject } from '@keelson/apimachinery';

export interface ObjectIdentity {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty when the object names none. */
  readonly namespace: string;
  readonly name: string;
}

export function identityOf(object: JsonObject): ObjectIdentity {
  const { apiVersion, kind, metadata } = object;
  const { namespace, name, generateName } = isJsonObject(metadata) ? metadata : ({} as JsonObject);
  return {
    apiVersion: textOf(apiVersion),
    kind: textOf(kind),
    namespace: textOf(namespace),
    name: textOf(name) || textOf(generateName),
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `Pod shop/web`. */
export function showIdentity({ kind, namespace, name }: ObjectIdentity): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}

/** Whether a reference, `[group/version/]Kind/[namespace/]name`, means the object. */
export function isNamed(reference: string, identity: ObjectIdentity): boolean {
  const { apiVersion, kind, namespace, name } = identity;
  const short = [`${kind}/${name}`, `${kind}/${namespace}/${name}`];
  return short.some((one) => reference === one || reference === `${apiVersion}/${one}`);
}

export function namespaceOf(object: JsonObject, fallback: string): string {
  return identityOf(object).namespace || fallback;
}
