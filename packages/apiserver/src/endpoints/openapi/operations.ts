// The paths and operations of a resource: ids, actions, parameters, bodies and answers, named as
// kube-apiserver names them.

import type { ResourceDefinition, SubresourceDefinition } from '@keelson/apimachinery';

export interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete' | 'options' | 'head';
  readonly id: string;
  /** `x-kubernetes-action`. */
  readonly action: string;
  readonly parameters: readonly string[];
  readonly codes: readonly string[];
  readonly body?: 'object' | 'patch' | 'delete-options';
  readonly answer: 'object' | 'list' | 'status' | 'watch-event' | 'text';
}
export interface PathOperations {
  readonly path: string;
  /** In the path: `namespace`, `name`, `path`. */
  readonly pathParameters: readonly string[];
  readonly operations: readonly Operation[];
  /** Which of the resource's subresources, when it is one. */
  readonly subresource?: SubresourceDefinition;
}

const listParameters = [
  'allowWatchBookmarks',
  'continue',
  'fieldSelector',
  'labelSelector',
  'limit',
  'resourceVersion',
  'resourceVersionMatch',
  'sendInitialEvents',
  'shardSelector',
  'timeoutSeconds',
  'watch',
];
const writeParameters = ['dryRun', 'fieldManager', 'fieldValidation'];
const deleteParameters = [
  'dryRun',
  'gracePeriodSeconds',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'orphanDependents',
  'propagationPolicy',
];
const proxyMethods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch'] as const;

/**
 * All paths of a resource, its subresources and, for built-in ones, its deprecated watch paths, which
 * custom resources have and do not publish.
 */
export function pathsOf(definition: ResourceDefinition, isCustom: boolean): PathOperations[] {
  const base =
    definition.group === ''
      ? `/api/${definition.version}`
      : `/apis/${definition.group}/${definition.version}`;
  const id = idParts(definition);
  const paths: PathOperations[] = [];
  const scoped = definition.namespaced
    ? `${base}/namespaces/{namespace}/${definition.resource}`
    : `${base}/${definition.resource}`;
  const scope = definition.namespaced ? 'Namespaced' : '';
  const inNamespace = definition.namespaced ? ['namespace'] : [];
  const has = (verb: string) => (definition.verbs as readonly string[]).includes(verb);

  if (definition.namespaced && has('list'))
    paths.push({
      path: `${base}/${definition.resource}`,
      pathParameters: [],
      operations: [listOperation(`list${id.group}${id.kind}ForAllNamespaces`)],
    });
  paths.push({
    path: scoped,
    pathParameters: inNamespace,
    operations: collectionOperations(id, scope, has),
  });
  const single = singleOperations(id, scope, '', has);
  if (single.length > 0)
    paths.push({
      path: `${scoped}/{name}`,
      pathParameters: [...inNamespace, 'name'],
      operations: single,
    });
  for (const subresource of definition.subresources)
    paths.push(
      ...subresourcePaths(scoped, inNamespace, { ...id, scope }, { definition, subresource }),
    );
  if (has('watch') && !isCustom)
    paths.push(...watchPaths(base, definition, { ...id, scope }, inNamespace));
  return paths.filter((p) => p.operations.length > 0);
}

interface IdParts {
  readonly group: string;
  readonly kind: string;
}
interface ScopedIdParts extends IdParts {
  /** `Namespaced` or empty. */
  readonly scope: string;
}

function idParts(definition: ResourceDefinition): IdParts {
  const group =
    definition.group === ''
      ? 'core'
      : (definition.group
          .replace(/\.k8s\.io$/, '')
          .replace('.authorization', 'Authorization')
          .replace('.apiserver', 'Apiserver') ?? '');
  const words = group.split('.').map(capitalize).join('');
  return { group: words + capitalize(definition.version), kind: definition.kind };
}
const capitalize = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function listOperation(id: string): Operation {
  return {
    method: 'get',
    id,
    action: 'list',
    parameters: [...listParameters, 'pretty'],
    codes: ['200', '401'],
    answer: 'list',
  };
}

function collectionOperations(
  id: IdParts,
  scope: string,
  has: (verb: string) => boolean,
): Operation[] {
  const operations: Operation[] = [];
  if (has('list')) operations.push(listOperation(`list${id.group}${scope}${id.kind}`));
  if (has('create'))
    operations.push({
      method: 'post',
      id: `create${id.group}${scope}${id.kind}`,
      action: 'post',
      parameters: [...writeParameters, 'pretty'],
      codes: ['200', '201', '202', '401'],
      body: 'object',
      answer: 'object',
    });
  if (has('deletecollection'))
    operations.push({
      method: 'delete',
      id: `delete${id.group}Collection${scope}${id.kind}`,
      action: 'deletecollection',
      parameters: [
        ...new Set([
          ...deleteParameters,
          ...listParameters.filter((p) => p !== 'watch' && p !== 'allowWatchBookmarks'),
          'pretty',
        ]),
      ],
      codes: ['200', '401'],
      body: 'delete-options',
      answer: 'status',
    });
  return operations;
}

function singleOperations(
  id: IdParts,
  scope: string,
  suffix: string,
  has: (verb: string) => boolean,
): Operation[] {
  const operations: Operation[] = [];
  const name = `${id.group}${scope}${id.kind}${suffix}`;
  if (has('get'))
    operations.push({
      method: 'get',
      id: `read${name}`,
      action: 'get',
      parameters: ['pretty'],
      codes: ['200', '401'],
      answer: 'object',
    });
  if (has('update'))
    operations.push({
      method: 'put',
      id: `replace${name}`,
      action: 'put',
      parameters: [...writeParameters, 'pretty'],
      codes: ['200', '201', '401'],
      body: 'object',
      answer: 'object',
    });
  if (has('create') && suffix !== '')
    operations.push({
      method: 'post',
      id: `create${name}`,
      action: 'post',
      parameters: [...writeParameters, 'pretty'],
      codes: ['200', '201', '202', '401'],
      body: 'object',
      answer: 'object',
    });
  if (has('delete'))
    operations.push({
      method: 'delete',
      id: `delete${name}`,
      action: 'delete',
      parameters: [...deleteParameters, 'pretty'],
      codes: ['200', '202', '401'],
      body: 'delete-options',
      answer: 'status',
    });
  if (has('patch'))
    operations.push({
      method: 'patch',
      id: `patch${name}`,
      action: 'patch',
      parameters: ['dryRun', 'fieldManager@patch', 'fieldValidation', 'force', 'pretty'],
      codes: ['200', '201', '401'],
      body: 'patch',
      answer: 'object',
    });
  return operations;
}

const logParameters = [
  'container@log',
  'follow',
  'insecureSkipTLSVerifyBackend',
  'limitBytes',
  'previous',
  'sinceSeconds',
  'stream',
  'tailLines',
  'timestamps',
];
const streamParameters = (place: string) =>
  ['container', 'stderr', 'stdin', 'stdout', 'tty'].map((name) => `${name}@${place}`);
const connects: Readonly<Record<string, (resource: string) => readonly string[]>> = {
  exec: () => ['command', ...streamParameters('exec')],
  attach: () => streamParameters('attach'),
  portforward: () => ['ports'],
  proxy: (resource) => [`path@${resource}`],
};

function subresourcePaths(
  scoped: string,
  inNamespace: readonly string[],
  id: ScopedIdParts,
  {
    definition: { resource },
    subresource,
  }: { readonly definition: ResourceDefinition; readonly subresource: SubresourceDefinition },
): PathOperations[] {
  const { scope } = id;
  const path = `${scoped}/{name}/${subresource.name}`;
  const pathParameters = [...inNamespace, 'name'];
  const connectParameters = connects[subresource.name];
  if (connectParameters === undefined) {
    const has = (verb: string) => subresource.verbs.includes(verb);
    const operations = singleOperations(id, scope, capitalize(subresource.name), has).map((o) =>
      subresource.name === 'log'
        ? { ...o, answer: 'text' as const, parameters: [...logParameters, ...o.parameters] }
        : o,
    );
    return [{ path, pathParameters, operations, subresource }];
  }
  const methods = subresource.name === 'proxy' ? proxyMethods : (['get', 'post'] as const);
  const connect = (withPath: boolean): Operation[] =>
    methods.map((method) => ({
      method,
      id: `connect${id.group}${capitalize(method)}${scope}${id.kind}${capitalize(subresource.name)}${withPath ? 'WithPath' : ''}`,
      action: 'connect',
      parameters: connectParameters(resource),
      codes: ['200', '401'],
      answer: 'text',
    }));
  const whole = { path, pathParameters, operations: connect(false), subresource };
  return subresource.name === 'proxy'
    ? [
        whole,
        {
          path: `${path}/{path}`,
          pathParameters: [...pathParameters, 'path'],
          operations: connect(true),
          subresource,
        },
      ]
    : [whole];
}

function watchPaths(
  base: string,
  definition: ResourceDefinition,
  id: ScopedIdParts,
  inNamespace: readonly string[],
): PathOperations[] {
  const { scope } = id;
  const operation = (name: string, action: string): Operation => ({
    method: 'get',
    id: name,
    action,
    parameters: [...listParameters, 'pretty'],
    codes: ['200', '401'],
    answer: 'watch-event',
  });
  const scoped = definition.namespaced
    ? `${base}/watch/namespaces/{namespace}/${definition.resource}`
    : `${base}/watch/${definition.resource}`;
  const paths: PathOperations[] = [
    {
      path: scoped,
      pathParameters: inNamespace,
      operations: [operation(`watch${id.group}${scope}${id.kind}List`, 'watchlist')],
    },
    {
      path: `${scoped}/{name}`,
      pathParameters: [...inNamespace, 'name'],
      operations: [operation(`watch${id.group}${scope}${id.kind}`, 'watch')],
    },
  ];
  if (definition.namespaced)
    paths.push({
      path: `${base}/watch/${definition.resource}`,
      pathParameters: [],
      operations: [operation(`watch${id.group}${id.kind}ListForAllNamespaces`, 'watchlist')],
    });
  return paths;
}
