// /openapi/v2 as JSON or in the protobuf form of gnostic, which is all that kubectl up to 1.28
// understands; /openapi/v3 as JSON only, to which all its clients fall back.

import { statusErrors } from '@keelson/apimachinery';
import type { RequestContext } from '../../request-context.ts';
import { methodNotAllowed } from '../discovery/endpoint.ts';
import { parseAccept, singleHeader } from '../negotiation.ts';
import { respondParts } from '../respond-parts.ts';
import { respondBytes, startResponse } from '../respond.ts';
import type { PathHandler } from '../router.ts';
import type { OpenApiDocument, OpenApiDocuments } from './documents.ts';
import type { RemoteOpenApi } from './remote-openapi.ts';

/** One way to answer; the first of several is for clients that take anything. */
interface Form {
  readonly contentType: string;
  readonly acceptedAs: readonly string[];
  document(): Promise<OpenApiDocument | undefined>;
}

const json = {
  contentType: 'application/json',
  acceptedAs: ['application/json', 'application/*', '*/*'],
};
const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const protobuf = {
  contentType: protobufType,
  // COMPAT: kubectl asks by a name that is no valid media type, and is answered by one that is.
  acceptedAs: [protobufType, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'],
};

/** Documents of group versions that other servers serve are read from them. */
export function createOpenApiPaths(
  documents: OpenApiDocuments,
  remote?: RemoteOpenApi,
): readonly PathHandler[] {
  const v2: readonly Form[] = [
    { ...json, document: () => documents.v2() },
    { ...protobuf, document: () => documents.v2Protobuf() },
  ];
  return [
    async (context) => {
      const { path } = context.info;
      if (path === '/openapi/v2') return answer(context, v2);
      if (path === '/openapi/v3' || path === '/openapi/v3/') return serveIndex(context, documents);
      if (!path.startsWith('/openapi/v3/')) return false;
      const name = path.slice('/openapi/v3/'.length);
      if (remote !== undefined && (await remote.serve(name, context))) return true;
      const document = () => documents.v3(name);
      return answer(context, [{ ...json, document }]);
    },
  ];
}

// COMPAT: the index is JSON that says it is text.
function serveIndex(context: RequestContext, documents: OpenApiDocuments): boolean {
  const [bytes = new Uint8Array()] = documents.index().chunks;
  respondBytes(context, bytes, 200, 'text/plain; charset=utf-8');
  return true;
}

async function answer(context: RequestContext, forms: readonly Form[]): Promise<boolean> {
  const { method, headers } = context.request;
  if (method !== 'GET' && method !== 'HEAD') throw methodNotAllowed();
  const form = preferredForm(singleHeader(headers['accept']), forms);
  if (form === undefined)
    throw statusErrors.generic(406, 'NotAcceptable', '406: Not Acceptable', {});
  const found = await form.document();
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
  const isJson = form.contentType === json.contentType;
  const chunks: readonly Uint8Array[] = isJson ? [...found.chunks, lineFeed] : found.chunks;
  const size = chunks.reduce<number>((sum, chunk) => sum + chunk.byteLength, 0);
  await respondParts(context, form.contentType, { size, parts: () => chunks });
  return true;
}

/** Go's JSON encoder ends every document with one. */
const lineFeed = Buffer.from('\n');

function preferredForm(accept: string, forms: readonly Form[]): Form | undefined {
  const clauses = parseAccept(accept);
  if (clauses.length === 0) return forms[0];
  for (const { type } of clauses) {
    const form = forms.find((f) => f.acceptedAs.includes(type));
    if (form !== undefined) return form;
  }
  return undefined;
}
