// Which OpenAPI documents of version 3 there are, and which resources are in which.

import type { ResourceEndpoint, ResourceIndex } from '../../registry/resource-endpoint.ts';

/** Documents of paths that are no resources: path and operation id. */
export const plainDocuments: Readonly<Record<string, readonly [path: string, id: string]>> = {
  '.well-known/openid-configuration': [
    '/.well-known/openid-configuration/',
    'getServiceAccountIssuerOpenIDConfiguration',
  ],
  api: ['/api/', 'getCoreAPIVersions'],
  apis: ['/apis/', 'getAPIVersions'],
  'openid/v1/jwks': ['/openid/v1/jwks/', 'getServiceAccountIssuerOpenIDKeyset'],
  version: ['/version/', 'getCodeVersion'],
};

export function documentPaths(index: ResourceIndex): string[] {
  const paths = new Set(Object.keys(plainDocuments));
  for (const { definition } of index.list()) {
    if (definition.group === '') paths.add(`api/${definition.version}`);
    else
      paths.add(`apis/${definition.group}`).add(`apis/${definition.group}/${definition.version}`);
  }
  return [...paths].toSorted();
}

export function endpointsOf(path: string, index: ResourceIndex): ResourceEndpoint[] {
  const [prefix, first = '', second = ''] = path.split('/');
  const [group, version] = prefix === 'api' ? ['', first] : [first, second];
  if (version === '' || (prefix !== 'api' && prefix !== 'apis')) return [];
  return index
    .list()
    .filter((e) => e.definition.group === group && e.definition.version === version);
}
