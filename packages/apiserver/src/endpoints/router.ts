// From a request that may be made to the code that answers it. Resource paths are regular, so a
// look-up in the resource index and a switch over the verb are all the routing there is.

import { statusErrors } from '@keelson/apimachinery';
import type { ResourceEndpoint, ResourceIndex } from '../registry/resource-endpoint.ts';
import type { RequestContext } from '../request-context.ts';
import type { Filter } from '../request-pipeline.ts';
import { deprecationWarning } from './deprecations.ts';
import { methodNotAllowed } from './discovery/endpoint.ts';
import { wantsWatch } from './query-options.ts';
import { respondText } from './respond.ts';
import type { EndpointServices, ResourceRequest } from './resource-request.ts';
import { connectResource } from './verbs/connect.ts';
import { createResource } from './verbs/create.ts';
import { deleteCollection, deleteResource } from './verbs/delete.ts';
import { getResource } from './verbs/get.ts';
import { listResource } from './verbs/list.ts';
import { patchResource } from './verbs/patch.ts';
import { updateResource } from './verbs/update.ts';
import { watchResource } from './verbs/watch.ts';

/** Answers a path that is no resource path; resolves false when it is not its own. */
export type PathHandler = (context: RequestContext) => boolean | Promise<boolean>;

export interface RouterOptions {
  readonly index: ResourceIndex;
  readonly services: EndpointServices;
  /** Asked in order. */
  readonly paths: readonly PathHandler[];
  /** Asked first: answers for group versions that another server serves; else resolves false. */
  readonly delegate?: PathHandler;
}

export function createRouter(options: RouterOptions): Filter {
  return {
    name: 'endpoints',
    async handle(context) {
      if (options.delegate !== undefined && (await options.delegate(context))) return;
      if (context.info.isResourceRequest) return routeResource(context, options);
      for (const handler of options.paths) if (await handler(context)) return;
      throw new Error('unreachable: the last path handler answers everything');
    },
  };
}

async function routeResource(context: RequestContext, options: RouterOptions): Promise<void> {
  const { info } = context;
  const endpoint = options.index.find(info);
  if (endpoint === undefined) {
    // COMPAT: outside of the built-in groups a missing resource is a path that does not exist.
    if (options.index.inGroup(info.group).some((e) => !e.custom)) throw notFound();
    return respondText(context, '404 page not found\n', 404);
  }
  if (endpoint.custom && !isWellScoped(endpoint, info))
    return respondText(context, '404 page not found\n', 404);
  const request = resolve(context, endpoint, options.services);
  if (endpoint.connects.has(request.subresource)) return connectResource(request);
  if (context.request.method === 'HEAD') throw methodNotAllowed();
  await dispatch(request);
}

function isWellScoped({ definition }: ResourceEndpoint, info: RequestContext['info']): boolean {
  if (!definition.namespaced) return info.namespace === '';
  return info.namespace !== '' || info.parts.length < 2;
}

function resolve(
  context: RequestContext,
  endpoint: ResourceEndpoint,
  services: EndpointServices,
): ResourceRequest {
  const { info } = context;
  const { definition } = endpoint;
  const name = info.parts[1] ?? '';
  // COMPAT: for /namespaces/x the namespace of the request is x itself, but objects of the cluster
  // have none.
  const inNamespace = definition.namespaced ? info.namespace : '';
  if (!definition.namespaced && info.namespace !== '' && definition.resource !== 'namespaces')
    throw notFound();
  if (definition.namespaced && inNamespace === '' && name !== '') throw notFound();
  const { subresource } = info;
  const isProxy = endpoint.connects.has(subresource);
  if (info.parts.length > 3 && !isProxy) throw notFound();
  if (subresource !== '' && !definition.subresources.some((s) => s.name === subresource)) {
    // COMPAT: custom resources are looked up by another handler, with another text.
    throw endpoint.custom ? statusErrors.notFound(definition, name) : notFound();
  }
  return { context, endpoint, services, namespace: inNamespace, name, subresource };
}

function dispatch(request: ResourceRequest): Promise<void> {
  const { definition } = request.endpoint;
  const { verb } = request.context.info;
  const allowed =
    request.subresource === ''
      ? definition.verbs
      : (definition.subresources.find((s) => s.name === request.subresource)?.verbs ?? []);
  if (!(allowed as readonly string[]).includes(verb)) throw methodNotAllowed();
  const deprecated =
    request.endpoint.deprecationWarning ??
    deprecationWarning(definition, request.services.features);
  if (deprecated !== undefined) request.context.warn(deprecated);
  const collection = request.name === '';
  if (
    definition.namespaced &&
    request.namespace === '' &&
    verb !== 'list' &&
    verb !== 'watch' &&
    request.endpoint.createHandler === undefined
  )
    throw methodNotAllowed();
  switch (verb) {
    case 'get':
      return getResource(request);
    case 'list':
      // COMPAT: authorized as a list, `?watch=yes` is still answered as a watch.
      return wantsWatch(request.context.info.query)
        ? watchResource(request)
        : listResource(request);
    case 'watch':
      return watchResource(request);
    case 'create':
      if (!collection && request.subresource === '') throw methodNotAllowed();
      return createResource(request);
    case 'update':
      if (collection) throw methodNotAllowed();
      return updateResource(request);
    case 'patch':
      if (collection) throw methodNotAllowed();
      return patchResource(request);
    case 'delete':
      return deleteResource(request);
    case 'deletecollection':
      return deleteCollection(request);
    default:
      throw methodNotAllowed();
  }
}

function notFound() {
  return statusErrors.generic(
    404,
    'NotFound',
    'the server could not find the requested resource',
    {},
  );
}
