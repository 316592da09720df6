// Objects of a file as requests: what `kubectl create`, `apply`, `replace` and `delete` send for each.

import { isJsonObject, parseApiVersion, type JsonObject } from '@keelson/apimachinery';
import {
  resourceRequest,
  UnreadableError,
  type ApiRequestMeant,
  type KnownResource,
} from './api-request.ts';

export interface ManifestPlace {
  readonly resources: readonly KnownResource[];
  /** Of objects that name none. */
  readonly namespace: string;
}

/** For each object, each of `verbs` in turn. Throws UnreadableError. */
export function manifestRequests(
  verbs: readonly string[],
  objects: readonly JsonObject[],
  { resources, namespace }: ManifestPlace,
): ApiRequestMeant[] {
  return objects.flatMap((object) => {
    const resource = resourceOf(object, resources);
    const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
    const textOf = (key: string) => (typeof metadata[key] === 'string' ? metadata[key] : '');
    const target = { resource, namespace: textOf('namespace') || namespace, name: textOf('name') };
    const isApplied = verbs.includes('create') && verbs.includes('patch');
    return verbs.map((verb) => ({
      ...resourceRequest(verb, target, object),
      ...(isApplied && verb === 'create' ? { when: 'absent' as const } : {}),
      ...(isApplied && verb === 'patch' ? { when: 'present' as const } : {}),
    }));
  });
}

function resourceOf(object: JsonObject, resources: readonly KnownResource[]): KnownResource {
  const { apiVersion, kind } = object;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string')
    throw new UnreadableError('an object of the manifest has no apiVersion or kind');
  const gv = parseApiVersion(apiVersion);
  const found = resources.find(
    (r) => r.kind === kind && r.group === gv?.group && r.version === gv.version,
  );
  if (found === undefined)
    throw new UnreadableError(`the server has no kind ${JSON.stringify(kind)} in ${apiVersion}`);
  return found;
}
