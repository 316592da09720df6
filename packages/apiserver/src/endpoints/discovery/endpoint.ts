// /api, /apis and what lies below, down to the resource lists.

import { statusErrors } from '@keelson/apimachinery';
import type { RequestContext } from '../../request-context.ts';
import { contentHash } from '../content-hash.ts';
import { negotiateOutput, parseAccept, singleHeader } from '../negotiation.ts';
import { encodeOutput } from '../encoding.ts';
import { respondBytes, startResponse } from '../respond.ts';
import type { DiscoveryDocuments } from './documents.ts';

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** False when the path is none of discovery's. */
export function serveDiscovery(context: RequestContext, documents: DiscoveryDocuments): boolean {
  const parts = context.info.path.split('/').filter((s) => s !== '');
  const [prefix, first, second] = parts;
  if (prefix !== 'api' && prefix !== 'apis') return false;
  if (parts.length > (prefix === 'api' ? 2 : 3)) return false;
  if (context.request.method !== 'GET') throw methodNotAllowed();
  if (parts.length === 1) serveRoot(context, documents, prefix);
  else if (prefix === 'api') serveDocument(context, documents.resourceList('', first ?? ''));
  else return serveGroup(context, documents, first ?? '', second);
  return true;
}

export function methodNotAllowed() {
  return statusErrors.generic(
    405,
    'MethodNotAllowed',
    'the server does not allow this method on the requested resource',
    {},
  );
}

/**
 * COMPAT: a group that nobody serves is a path that does not exist, a missing version of a group is
 * a Status.
 */
function serveGroup(
  context: RequestContext,
  documents: DiscoveryDocuments,
  group: string,
  version: string | undefined,
): boolean {
  const known = documents.group(group);
  if (known === undefined) return false;
  serveDocument(context, version === undefined ? known : documents.resourceList(group, version));
  return true;
}

function serveRoot(
  context: RequestContext,
  documents: DiscoveryDocuments,
  prefix: 'api' | 'apis',
): void {
  for (const clause of parseAccept(singleHeader(context.request.headers['accept']))) {
    const p = clause.parameters;
    if (
      clause.type === 'application/json' &&
      p.get('as') === 'APIGroupDiscoveryList' &&
      p.get('g') === 'apidiscovery.k8s.io' &&
      p.get('v') === 'v2'
    )
      return serveAggregated(context, documents.aggregated(prefix));
    if (p.get('as') === undefined) break;
  }
  serveDocument(context, prefix === 'api' ? documents.apiVersions() : documents.groupList());
}

/** Clients keep the document and ask whether it is still true. */
function serveAggregated(context: RequestContext, bytes: Uint8Array): void {
  const { request, response } = context;
  const etag = `"${contentHash([bytes])}"`;
  response.setHeader('etag', etag);
  response.setHeader('vary', 'Accept');
  if (singleHeader(request.headers['if-none-match']) !== etag)
    return respondBytes(context, bytes, 200, aggregatedType);
  startResponse(context, 304, '');
  response.end();
}

function serveDocument(context: RequestContext, bytes: Uint8Array | undefined): void {
  if (bytes === undefined)
    throw statusErrors.generic(
      404,
      'NotFound',
      'the server could not find the requested resource',
      {},
    );
  const format = negotiateOutput(context);
  if (format.as !== '')
    throw statusErrors.notAcceptable(
      'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  if (format.mediaType === 'application/json' && !format.pretty)
    return respondBytes(context, bytes, 200, 'application/json');
  respondBytes(
    context,
    encodeOutput(JSON.parse(Buffer.from(bytes).toString('utf8')), format),
    200,
    format.mediaType,
  );
}
