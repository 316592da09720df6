// Where does a URL point? The rules of k8s.io/apiserver/pkg/endpoints/request/requestinfo.go:
//
//   /api/v1/namespaces/{ns}/pods/{name}/status     core group
//   /apis/{group}/{version}/{resource}/{name}      named groups
//   /api/v1/namespaces/{name}                      the namespace itself
//   /api/v1/namespaces/{name}/finalize             its subresources: status and finalize only
//   /api/v1/watch/…                                deprecated watch prefix
//   everything else                                non-resource, verb = lower-case method

import type { RequestInfo } from '../request-context.ts';

const verbOfMethod: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  HEAD: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const namespaceSubresources = new Set(['status', 'finalize']);
const trueTexts = new Set(['', '1', 't', 'T', 'true', 'TRUE', 'True']);

/** Never throws: a URL that cannot be parsed is a non-resource path. */
export function parseRequestInfo(method: string, url: string): RequestInfo {
  const mark = url.indexOf('?');
  const rawPath = mark < 0 ? url : url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
  const path = decodePath(rawPath.startsWith('/') ? rawPath : `/${rawPath}`);
  const info = {
    isResourceRequest: false,
    path,
    verb: method.toLowerCase(),
    apiPrefix: '',
    group: '',
    version: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    parts: [] as readonly string[],
    query,
  };
  let parts = path.split('/').filter((s) => s !== '');
  const prefix = parts[0];
  if (prefix === 'api' && parts.length >= 3) {
    info.apiPrefix = 'api';
    info.version = parts[1] ?? '';
    parts = parts.slice(2);
  } else if (prefix === 'apis' && parts.length >= 4) {
    info.apiPrefix = 'apis';
    info.group = parts[1] ?? '';
    info.version = parts[2] ?? '';
    parts = parts.slice(3);
  } else {
    return info;
  }
  info.isResourceRequest = true;
  info.verb = verbOfMethod[method] ?? '';
  if (parts[0] === 'watch' || parts[0] === 'proxy') {
    if (parts.length < 2) return { ...info, resource: parts[0] };
    if (parts[0] === 'watch') info.verb = 'watch';
    parts = parts.slice(1);
  }
  if (parts[0] === 'namespaces') {
    if (parts.length > 1) {
      info.namespace = parts[1] ?? '';
      if (parts.length > 2 && !namespaceSubresources.has(parts[2] ?? '')) parts = parts.slice(2);
    }
  }
  info.parts = parts;
  info.resource = parts[0] ?? '';
  info.name = parts[1] ?? '';
  info.subresource = parts[2] ?? '';
  refineVerb(info);
  return info;
}

function refineVerb(info: { verb: string; name: string; query: URLSearchParams }): void {
  if (info.name === '' && info.verb === 'get') {
    info.verb = isTrue(info.query.get('watch')) ? 'watch' : 'list';
  } else if (info.name === '' && info.verb === 'delete') {
    info.verb = 'deletecollection';
  }
  if (info.verb === 'list' || info.verb === 'watch' || info.verb === 'deletecollection') {
    // A list of one object by name may be authorized by resourceName.
    const selector = info.query.get('fieldSelector');
    const named = selector === null ? null : /^metadata\.name==?([^,=!\\]+)$/.exec(selector);
    if (info.name === '' && named?.[1]) info.name = named[1];
  }
}

/** A boolean query parameter as Kubernetes reads it: present and empty counts as true. */
export function isTrue(value: string | null): boolean {
  return value !== null && trueTexts.has(value);
}

function decodePath(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
