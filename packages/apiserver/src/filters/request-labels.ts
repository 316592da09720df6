// The labels under which a request is counted: kube-apiserver's (`MonitorRequest` in
// k8s.io/apiserver/pkg/endpoints/metrics).
//
// SECURITY: labels are words that the server knows, never text of the client: whoever may send a
// request, even an anonymous one, could otherwise grow the metrics, and hide others' in the mass.

import type { ResourceIndex } from '../registry/resource-endpoint.ts';
import type { RequestContext, RequestInfo } from '../request-context.ts';
import { isConnection } from './deadline.ts';

export interface RequestLabels extends Readonly<Record<string, string>> {
  readonly verb: string;
  readonly dry_run: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly scope: string;
  readonly component: string;
}

/** What the server does not serve is counted together, without group, version and resource. */
export function requestLabels(
  context: RequestContext,
  index: Pick<ResourceIndex, 'find'>,
): RequestLabels {
  const { info } = context;
  const endpoint = info.isResourceRequest ? index.find(info) : undefined;
  const isServed =
    endpoint !== undefined &&
    (info.subresource === '' ||
      endpoint.definition.subresources.some((s) => s.name === info.subresource));
  return {
    verb: verbOf(context),
    dry_run: dryRunOf(info),
    group: isServed ? info.group : '',
    version: isServed ? info.version : '',
    resource: isServed ? info.resource : '',
    subresource: isServed ? info.subresource : '',
    scope: isServed ? scopeOf(info) : '',
    component: 'apiserver',
  };
}

/** COMPAT: what users may do is called create and update, what is counted POST and PUT. */
const verbs: Readonly<Record<string, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  post: 'POST',
  put: 'PUT',
};

function verbOf(context: RequestContext): string {
  const { verb } = context.info;
  if (isConnection(context)) return 'CONNECT';
  if (verb === 'patch' && isApply(context)) return 'APPLY';
  return Object.hasOwn(verbs, verb) ? (verbs[verb] ?? 'OTHER') : 'OTHER';
}

function isApply({ request }: RequestContext): boolean {
  return String(request.headers['content-type'] ?? '').startsWith('application/apply-patch+');
}

function dryRunOf({ query }: RequestInfo): string {
  if (!query.has('dryRun')) return '';
  return query.getAll('dryRun').every((value) => value === 'All') ? 'All' : 'invalid';
}

function scopeOf({ name, namespace, verb }: RequestInfo): string {
  if (name !== '' || verb === 'create') return 'resource';
  return namespace !== '' ? 'namespace' : 'cluster';
}
