// Which resources the server serves for a kind. Kinds are compared, not guessed from names; a kind
// may be served by several resources.

import type { GroupVersionKind } from '@keelson/apimachinery';
import type { ResourceEndpoint } from '../registry/resource-endpoint.ts';
import type { ResourcesOfKind } from './plugins/owner-references-permission-enforcement.ts';

/** `inGroup` is asked at each call: definitions of custom resources come and go. */
export function createResourcesOfKind(
  inGroup: (group: string) => readonly ResourceEndpoint[],
): ResourcesOfKind {
  const serves = ({ definition }: ResourceEndpoint, { group, version, kind }: GroupVersionKind) =>
    definition.group === group && definition.version === version && definition.kind === kind;
  return {
    resourcesOf: (gvk) =>
      inGroup(gvk.group)
        .filter((endpoint) => serves(endpoint, gvk))
        .map(({ definition: { resource, namespaced } }) => ({ resource, namespaced })),
  };
}
