// /openapi/v2 and /openapi/v3: JSON only. The protobuf form (gnostic) is refused, and clients fall
// back to JSON.

import { statusErrors } from '@keelson/apimachinery';
import type { RequestContext } from '../../request-context.ts';
import { methodNotAllowed } from '../discovery/endpoint.ts';
import { parseAccept, singleHeader } from '../negotiation.ts';
import { respondBytes, startResponse } from '../respond.ts';
import type { PathHandler } from '../router.ts';
import type { OpenApiDocument, OpenApiDocuments } from './documents.ts';

export function createOpenApiPaths(documents: OpenApiDocuments): readonly PathHandler[] {
  return [
    (context) => {
      const { path } = context.info;
      if (path === '/openapi/v2') return answer(context, () => documents.v2());
      if (path === '/openapi/v3' || path === '/openapi/v3/') return serveIndex(context, documents);
      if (!path.startsWith('/openapi/v3/')) return false;
      return answer(context, () => documents.v3(path.slice('/openapi/v3/'.length)));
    },
  ];
}

// COMPAT: the index is JSON that says it is text.
function serveIndex(context: RequestContext, documents: OpenApiDocuments): boolean {
  respondBytes(context, documents.index().bytes, 200, 'text/plain; charset=utf-8');
  return true;
}

function answer(context: RequestContext, document: () => OpenApiDocument | undefined): boolean {
  const { method, headers } = context.request;
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
  const accepts = parseAccept(singleHeader(headers['accept'])).map((c) => c.type);
  if (
    accepts.length > 0 &&
    !accepts.some((t) => t === 'application/json' || t === '*/*' || t === 'application/*')
  )
    throw statusErrors.generic(406, 'NotAcceptable', '406: Not Acceptable', {});
  const found = document();
  if (found === undefined) {
    startResponse(context, 404, '');
    context.response.end();
    return true;
  }
  const etag = `"${found.hash}"`;
  context.response.setHeader('etag', etag);
  context.response.setHeader('vary', 'Accept');
  if (singleHeader(headers['if-none-match']) === etag) {
    startResponse(context, 304, '');
    context.response.end();
    return true;
  }
  respondBytes(context, found.bytes, 200, 'application/json');
  return true;
}
