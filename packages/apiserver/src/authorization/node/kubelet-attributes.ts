// What the API of a kubelet asks about a request before it answers it: may this user do that with
// the subresource of this node? (KEP-2862.) The answer comes from an authorizer of the API server,
// by SubjectAccessReview.
//
//   method    POST create, GET get, PUT update, PATCH patch, DELETE delete, others none
//   path      /stats stats, /metrics metrics, /logs log, /checkpoint checkpoint, /statusz statusz,
//             /flagz configz; with KubeletFineGrainedAuthz /pods and /runningpods pods,
//             /healthz healthz, /configz configz, and `proxy` where these do not allow;
//             everything else proxy
//
// A path means itself and what is below it, so `/podsfoo` is not `/pods`. Whoever has `nodes/proxy`
// may run commands in every container of the node; the others read.
//
// SECURITY: exec, attach, run and portForward open connections that can be written to, and a
// WebSocket begins with GET. They need the verb `create`, whatever the method.

import type { Features } from '../../features/features.ts';
import type { ResourceAttributes } from '../authorizer.ts';

export interface KubeletRequest {
  readonly method: string;
  /** Without query. */
  readonly path: string;
}

export interface KubeletOptions {
  readonly nodeName: string;
  readonly features: Features;
  /** False lets streaming requests with GET pass with the verb `get`, as upstream's kubelet. */
  readonly strictStreamingVerb?: boolean;
}

const verbs: Readonly<Record<string, string>> = {
  POST: 'create',
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** By the beginning of the path. */
const subresources: readonly (readonly [path: string, subresource: string])[] = [
  ['/stats', 'stats'],
  ['/metrics', 'metrics'],
  ['/logs', 'log'],
  ['/checkpoint', 'checkpoint'],
  ['/statusz', 'statusz'],
  ['/flagz', 'configz'],
];
const fineGrained: readonly (readonly [path: string, subresource: string])[] = [
  ['/pods', 'pods'],
  ['/runningpods', 'pods'],
  ['/healthz', 'healthz'],
  ['/configz', 'configz'],
];
const streaming = ['/exec', '/attach', '/run', '/portForward'];
const proxy = 'proxy';

/** Each to be asked in turn, until one is allowed; never empty. */
export function kubeletAttributes(
  { method, path }: KubeletRequest,
  { nodeName, features, strictStreamingVerb = true }: KubeletOptions,
): readonly ResourceAttributes[] {
  const isStream = strictStreamingVerb && streaming.some((root) => isWithin(path, root));
  const verb = isStream ? 'create' : Object.hasOwn(verbs, method) ? (verbs[method] ?? '') : '';
  return subresourcesOf(path, features).map((subresource) => ({
    isResource: true,
    verb,
    namespace: '',
    group: '',
    version: 'v1',
    resource: 'nodes',
    subresource,
    name: nodeName,
  }));
}

function subresourcesOf(path: string, features: Features): readonly string[] {
  const coarse = subresources.find(([root]) => isWithin(path, root));
  if (coarse !== undefined) return [coarse[1]];
  if (!features.enabled('KubeletFineGrainedAuthz')) return [proxy];
  const fine = fineGrained.find(([root]) => isWithin(path, root));
  return fine === undefined ? [proxy] : [fine[1], proxy];
}

function isWithin(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

/** The text of the 403, with its line feed. `asked` are the attributes that were refused. */
export function kubeletForbiddenText(
  userName: string,
  asked: readonly ResourceAttributes[],
  features: Features,
): string {
  const names = asked.map(({ subresource }) => subresource);
  const what = features.enabled('KubeletFineGrainedAuthz')
    ? `subresource(s)=[${names.join(' ')}]`
    : `subresource=${names.join(' ')}`;
  return `Forbidden (user=${userName}, verb=${asked[0]?.verb ?? ''}, resource=nodes, ${what})\n`;
}

/** The text of the 500 when an authorizer failed, which ends the asking. */
export function kubeletErrorText(userName: string, asked: ResourceAttributes): string {
  return `Authorization error (user=${userName}, verb=${asked.verb}, resource=nodes, subresource=${asked.subresource})`;
}
