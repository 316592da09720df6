// `GET /debug/keelson/traces/<id>`: one decision trace, as far as its reader may see it. Authorization
// has let the reader call the path; what of the trace is shown, the reader's other rights decide.

import { noDecisionTrace, statusErrors } from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Authorizer, RequestAttributes } from '../../authorization/authorizer.ts';
import { methodNotAllowed } from '../../endpoints/discovery/endpoint.ts';
import { respondBytes } from '../../endpoints/respond.ts';
import type { PathHandler } from '../../endpoints/router.ts';
import type { ResourceIndex } from '../../registry/resource-endpoint.ts';
import { traceGroup, traceResource } from './explain.ts';
import { toTraceDocument, type TracedRequest } from './trace-document.ts';
import { redactTrace, type ObjectReference, type TraceReader } from './trace-redaction.ts';
import type { RecordedTrace, TraceStore } from './trace-store.ts';

const folder = '/debug/keelson/traces/';

export interface TraceEndpointParts {
  readonly store: TraceStore;
  readonly index: ResourceIndex;
  readonly authorizer: Authorizer;
}

export function createTraceEndpoint(parts: TraceEndpointParts): PathHandler {
  return async (context) => {
    const { path } = context.info;
    if (!path.startsWith(folder)) return false;
    if (context.request.method !== 'GET' && context.request.method !== 'HEAD')
      throw methodNotAllowed();
    const id = path.slice(folder.length);
    const trace = parts.store.find(id);
    if (trace === undefined)
      throw statusErrors.notFound({ group: traceGroup, resource: traceResource }, id);
    const reader = await openReader(context.user, trace, parts);
    const document = await redactTrace(toTraceDocument(trace), reader);
    respondBytes(context, Buffer.from(JSON.stringify(document, null, 2)), 200, 'application/json');
    return true;
  };
}

async function openReader(
  user: UserInfo,
  { requester }: RecordedTrace,
  { index, authorizer }: TraceEndpointParts,
): Promise<TraceReader> {
  const may = async (attributes: RequestAttributes) =>
    (await authorizer.authorize(user, attributes, noDecisionTrace)).decision === 'allow';
  const mayGet = async ({ kind, name, namespace, group }: ObjectReference) => {
    const kinds = index
      .list()
      .map(({ definition }) => definition)
      .filter(
        (d) =>
          d.kind.toLowerCase() === kind.toLowerCase() && (group === undefined || d.group === group),
      );
    for (const { group: of, version, resource } of kinds) {
      const target = { group: of, version, resource, subresource: '', namespace, name };
      if (!(await may({ isResource: true, verb: 'get', ...target }))) return false;
    }
    return kinds.length > 0;
  };
  return {
    isSender: requester !== undefined && requester.name === user.name && requester.uid === user.uid,
    seesAll: await may({ isResource: true, verb: '*', ...everything }),
    mayGet,
    mayReadTarget: (request) => may(readingOf(request)),
  };
}

/** Allowed only by a rule for every verb, group and resource, in the whole cluster. */
const everything = {
  group: '*',
  version: '*',
  resource: '*',
  subresource: '',
  namespace: '',
  name: '',
};

/** Reading what the request was about: the object, the collection, or the path. */
function readingOf(request: TracedRequest): RequestAttributes {
  const { resource, path = '', namespace = '', name = '' } = request;
  if (resource === undefined) return { isResource: false, verb: 'get', path };
  const { apiGroup: group = '', apiVersion: version = '' } = request;
  return {
    isResource: true,
    verb: name === '' ? 'list' : 'get',
    group,
    version,
    resource,
    subresource: '',
    namespace,
    name,
  };
}
