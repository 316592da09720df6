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
  for (const group of index.groups()) {
    const prefix = group === '' ? 'api' : `apis/${group}`;
    if (group !== '') paths.add(prefix);
    for (const { definition } of index.inGroup(group)) paths.add(`${prefix}/${definition.version}`);
  }
  return [...paths].toSorted();
}

/** The group of a document; undefined for those of no group. */
export function groupOfDocument(path: string): string | undefined {
  const [prefix, first = ''] = path.split('/');
  if (prefix === 'api' && first !== '') return '';
  return prefix === 'apis' && first !== '' ? first : undefined;
}

export function endpointsOf(path: string, index: ResourceIndex): ResourceEndpoint[] {
  const group = groupOfDocument(path);
  const version = path.split('/')[group === '' ? 1 : 2] ?? '';
  if (group === undefined || version === '') return [];
  return index.inGroup(group).filter((e) => e.definition.version === version);
}
