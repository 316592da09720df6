// `GET /debug/keelson/traces/pods/<namespace>/<name>`: why the pod has no node, as the scheduler of this
// control plane explains it. SECURITY: authorization has let the reader call the path; beyond that
//
//   1. who may not get the pod is refused as for the pod itself,
//   2. who may not list nodes sees neither their names nor what could be changed on them,
//   3. a change about a pod that the reader may not get is withheld, and with it the whole remedy.
//
// One explanation at a time: it asks the filters many questions.

import {
  noDecisionTrace,
  statusErrors,
  type SchedulingChange,
  type SchedulingExplanation,
  type SchedulingRemedy,
} from '@keelson/apimachinery';
import type { UserInfo } from '../../authentication/authenticator.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { forbiddenByAuthorizer } from '../../authorization/forbidden.ts';
import { methodNotAllowed } from '../../endpoints/discovery/endpoint.ts';
import { respondBytes } from '../../endpoints/respond.ts';
import type { PathHandler } from '../../endpoints/router.ts';

/** Undefined: there is no such pod. */
export type ExplainScheduling = (
  namespace: string,
  name: string,
) => Promise<SchedulingExplanation> | undefined;

export interface SchedulingEndpointParts {
  readonly authorizer: Authorizer;
  /** Gives undefined while no scheduler runs here. */
  readonly scheduling: () => ExplainScheduling | undefined;
}

const path = /^\/debug\/keelson\/traces\/pods\/([^/]+)\/([^/]+)$/;

export function createSchedulingEndpoint(parts: SchedulingEndpointParts): PathHandler {
  let isBusy = false;
  return async (context) => {
    const [, namespace = '', name = ''] = path.exec(context.info.path) ?? [];
    if (name === '') return false;
    if (context.request.method !== 'GET' && context.request.method !== 'HEAD')
      throw methodNotAllowed();
    const reader = createReader(context.user, parts.authorizer);
    await reader.requirePod(namespace, name);
    const explain = parts.scheduling();
    if (explain === undefined)
      throw statusErrors.serviceUnavailable('no scheduler runs in this control plane');
    if (isBusy) throw statusErrors.tooManyRequests('another pod is being explained', 1);
    isBusy = true;
    try {
      const explanation = await explain(namespace, name);
      if (explanation === undefined) throw statusErrors.notFound(podsOf, name);
      const shown = await redact(explanation, reader);
      respondBytes(context, Buffer.from(JSON.stringify(shown, null, 2)), 200, 'application/json');
      return true;
    } finally {
      isBusy = false;
    }
  };
}

const podsOf = { group: '', resource: 'pods' };

interface Reader {
  requirePod(namespace: string, name: string): Promise<void>;
  mayListNodes(): Promise<boolean>;
  mayGetPod(namespace: string, name: string): Promise<boolean>;
}

function createReader(user: UserInfo, authorizer: Authorizer): Reader {
  const ask = (verb: string, resource: string, namespace: string, name: string) => {
    const target = { group: '', version: 'v1', resource, subresource: '', namespace, name };
    const attributes = { isResource: true, verb, ...target } as const;
    return { attributes, answer: authorizer.authorize(user, attributes, noDecisionTrace) };
  };
  const may = async (...question: Parameters<typeof ask>) =>
    (await ask(...question).answer).decision === 'allow';
  return {
    async requirePod(namespace, name) {
      const { attributes, answer } = ask('get', 'pods', namespace, name);
      const { decision, reason } = await answer;
      if (decision !== 'allow') throw forbiddenByAuthorizer(user, attributes, reason);
    },
    mayListNodes: () => may('list', 'nodes', '', ''),
    mayGetPod: (namespace, name) => may('get', 'pods', namespace, name),
  };
}

async function redact(
  explanation: SchedulingExplanation,
  reader: Reader,
): Promise<SchedulingExplanation> {
  const seesNodes = await reader.mayListNodes();
  const isShown = async ({ about: { kind, namespace, name } }: SchedulingChange) =>
    kind === 'Node' ? seesNodes : reader.mayGetPod(namespace, name);
  const shown = async (remedy: SchedulingRemedy) => {
    for (const change of remedy) if (!(await isShown(change))) return false;
    return true;
  };
  let isWhole = seesNodes;
  const keep = async <T>(remedies: readonly T[], changesOf: (remedy: T) => SchedulingRemedy) => {
    const kept: T[] = [];
    for (const remedy of remedies) if (await shown(changesOf(remedy))) kept.push(remedy);
    if (kept.length < remedies.length) isWhole = false;
    return kept;
  };
  const nameOf = (node: string) => (seesNodes ? node : '');
  const nodes = [];
  for (const one of explanation.nodes)
    nodes.push({
      ...one,
      node: nameOf(one.node),
      remedies: await keep(one.remedies, (remedy) => remedy),
    });
  const smallest = await keep(explanation.smallest, ({ changes }) => changes);
  return {
    ...explanation,
    nodes,
    smallest: smallest.map(({ node, changes }) => ({ node: nameOf(node), changes })),
    ...(!isWhole && { withheld: true }),
  };
}
