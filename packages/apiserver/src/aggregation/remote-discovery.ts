// What extension servers say that they serve, in the form of aggregated discovery. A server that
// knows that form is asked for it; of others the legacy resource list is converted. What was read
// last stays while a server does not answer, and is called stale.

import type { APIService } from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import { asArray, asObject, asText } from './untyped.ts';

export const aggregatedAccept = ['v2', 'v2beta1']
  .map((v) => `application/json;g=apidiscovery.k8s.io;v=${v};as=APIGroupDiscoveryList`)
  .join(',');

/** The resources of one group version in an APIGroupDiscoveryList; undefined when it is not there. */
export function resourcesOfAggregated(
  document: unknown,
  { spec }: APIService,
): readonly object[] | undefined {
  const group = asArray(asObject(document)['items']).find(
    (item) => asText(asObject(asObject(item)['metadata'])['name']) === (spec.group ?? ''),
  );
  const version = asArray(asObject(group)['versions']).find(
    (item) => asText(asObject(item)['version']) === spec.version,
  );
  if (version === undefined) return undefined;
  return asArray(asObject(version)['resources']).map((resource) => asObject(resource));
}

/** An APIResourceList as resources of aggregated discovery: subresources below their resource. */
export function resourcesOfList(document: unknown, { spec }: APIService): readonly object[] {
  const all = asArray(asObject(document)['resources']).map(asObject);
  const responseKind = (resource: Readonly<Record<string, unknown>>) => ({
    group: asText(resource['group']) || (spec.group ?? ''),
    version: asText(resource['version']) || (spec.version ?? ''),
    kind: asText(resource['kind']),
  });
  const verbsOf = (resource: Readonly<Record<string, unknown>>) => asArray(resource['verbs']);
  return all
    .filter((resource) => !asText(resource['name']).includes('/'))
    .map((resource) => {
      const name = asText(resource['name']);
      const below = all.filter((other) => asText(other['name']).startsWith(`${name}/`));
      return {
        resource: name,
        responseKind: responseKind(resource),
        scope: resource['namespaced'] === true ? 'Namespaced' : 'Cluster',
        singularResource: asText(resource['singularName']),
        verbs: verbsOf(resource),
        ...optional('shortNames', resource),
        ...optional('categories', resource),
        ...(below.length === 0
          ? {}
          : {
              subresources: below.map((sub) => ({
                subresource: asText(sub['name']).slice(name.length + 1),
                responseKind: responseKind(sub),
                verbs: verbsOf(sub),
              })),
            }),
      };
    });
}

function optional(field: string, resource: Readonly<Record<string, unknown>>): object {
  const values = asArray(resource[field]);
  return values.length === 0 ? {} : { [field]: values };
}
