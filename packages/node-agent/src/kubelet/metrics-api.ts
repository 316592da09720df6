// metrics.k8s.io/v1beta1, as metrics-server serves it behind an APIService: what nodes and pods use,
// by name and by label.

import { formatTime, isJsonObject, parseLabelSelector, SelectorError } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { SimulatedNode } from '../simulated/simulated-node.ts';
import type { PodRecord } from '../simulated/pod-record.ts';
import { nodeUsage, podUsage, quantitiesOf } from './usage.ts';

export interface MetricsApiOptions {
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly nodeObject: (name: string) => Node | undefined;
  readonly now: () => number;
}

export interface MetricsAnswer {
  readonly status: number;
  readonly body: object;
}

const group = 'metrics.k8s.io';
const version = 'v1beta1';
const groupVersion = `${group}/${version}`;
const root = `/apis/${groupVersion}`;
const windowText = '15s';

export function createMetricsApi(options: MetricsApiOptions) {
  const { nodes, nodeObject, now } = options;
  const nodeMetrics = (name: string, node: SimulatedNode) => ({
    ...header('NodeMetrics', nodeObject(name)?.metadata, now()),
    usage: quantitiesOf(nodeUsage(node.pods.list(), now())),
  });
  const running = function* () {
    for (const node of nodes.values()) yield* node.pods.list();
  };
  const podMetrics = (record: PodRecord) => ({
    ...header('PodMetrics', record.pod.metadata, now()),
    containers: podUsage(record, now()).map(({ name, ...used }) => ({
      name,
      usage: quantitiesOf(used),
    })),
  });
  const measured = (namespace: string | undefined) =>
    [...running()]
      .filter(({ pod }) => namespace === undefined || pod.metadata?.namespace === namespace)
      .filter((record) => podUsage(record, now()).length > 0);

  const answer = (path: string, matches: Matches): object | undefined => {
    if (path === '/apis') return { kind: 'APIGroupList', apiVersion: 'v1', groups: [apiGroup] };
    if (path === `/apis/${group}`) return { kind: 'APIGroup', apiVersion: 'v1', ...apiGroup };
    if (path === root) return resources;
    const parts = path.slice(root.length + 1).split('/');
    if (!path.startsWith(`${root}/`)) return undefined;
    const [first, second, third, fourth] = parts;
    if (first === 'nodes' && parts.length === 1)
      return listOf(
        'NodeMetrics',
        [...nodes]
          .filter(([name]) => matches(nodeObject(name)?.metadata))
          .map(([name, node]) => nodeMetrics(name, node)),
      );
    if (first === 'nodes' && parts.length === 2) {
      const node = nodes.get(second ?? '');
      return node && nodeMetrics(node.name, node);
    }
    const isAll = first === 'pods' && parts.length === 1;
    if (!isAll && (first !== 'namespaces' || third !== 'pods')) return undefined;
    const found = measured(isAll ? undefined : second);
    if (isAll || parts.length === 3)
      return listOf('PodMetrics', found.filter(({ pod }) => matches(pod.metadata)).map(podMetrics));
    const one = found.find(({ pod }) => pod.metadata?.name === fourth);
    return one && podMetrics(one);
  };
  return {
    answer(path: string, query: URLSearchParams): MetricsAnswer {
      try {
        const selector = parseLabelSelector(query.get('labelSelector') ?? '');
        const matches: Matches = (metadata) => selector.matches(metadata?.labels ?? {});
        const body = answer(path, matches);
        return body === undefined ? refusal(404, 'NotFound', 'not found') : { status: 200, body };
      } catch (error) {
        if (!(error instanceof SelectorError)) throw error;
        return refusal(400, 'BadRequest', error.message);
      }
    },
  };
}

type Matches = (metadata: Node['metadata'] | undefined) => boolean;

function refusal(status: number, reason: string, message: string): MetricsAnswer {
  const body = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' };
  return { status, body: { ...body, message, reason, code: status } };
}

function header(kind: string, metadata: Node['metadata'] | undefined, now: number) {
  const { name, namespace, labels } = metadata ?? {};
  return {
    kind,
    apiVersion: groupVersion,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      creationTimestamp: formatTime(now),
      ...(isJsonObject(labels) ? { labels } : {}),
    },
    timestamp: formatTime(now),
    window: windowText,
  };
}

function listOf(kind: string, items: readonly object[]) {
  return { kind: `${kind}List`, apiVersion: groupVersion, metadata: {}, items };
}

const apiGroup = {
  name: group,
  versions: [{ groupVersion, version }],
  preferredVersion: { groupVersion, version },
};

const resourceOf = (name: string, kind: string, namespaced: boolean) => ({
  name,
  singularName: '',
  namespaced,
  kind,
  verbs: ['get', 'list'],
});
const resources = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion,
  resources: [resourceOf('nodes', 'NodeMetrics', false), resourceOf('pods', 'PodMetrics', true)],
};
