// Disruption budgets: however many ask at once, as many stay in service as have to.

import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import type { ReplicaSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import {
  isActive,
  isEnding,
  isReady,
  lose,
  namespace,
  podResource,
  run,
  template,
  vanish,
  type Move,
  type Scenario,
} from './scenario.ts';

const replicaSets = { group: 'apps', version: 'v1', resource: 'replicasets' };
const budgetResource = { group: 'policy', version: 'v1', resource: 'poddisruptionbudgets' };
const selector = { matchLabels: { app: 'x' } };
const minAvailable = 3;

/** Somebody drains: every pod is asked to go, all at the same time. */
const drain: Move = async ({ client }) => {
  const pods = client.resource<Pod>(podResource).namespace(namespace);
  const { items } = await pods.list();
  const names = items.map(({ metadata: { name = '' } }) => name);
  await Promise.allSettled(
    names.map((name) =>
      pods.create({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } } as Pod, {
        subresource: 'eviction',
        name,
      }),
    ),
  );
};

const evictions: Scenario = {
  name: 'evictions leave as many in service as a budget wants',
  kinds: ['/pods'],
  start: () => ({
    async begin(client) {
      await client
        .resource<PodDisruptionBudget>(budgetResource)
        .namespace(namespace)
        .create({ metadata: { name: 'web' }, spec: { minAvailable, selector } });
      await client
        .resource<ReplicaSet>(replicaSets)
        .namespace(namespace)
        .create({
          metadata: { name: 'web' },
          spec: { replicas: 5, selector, template: template() },
        });
    },
    moves: [drain, drain, run, run, run, run, run, lose, vanish],
    wrong({ object, before }, scene) {
      const old = before as Pod | undefined;
      if (old === undefined || isEnding(old) || !isReady(old)) return undefined;
      if (!isEnding(object as unknown as Pod)) return undefined;
      const left = scene.of<Pod>('/pods').filter((pod) => isActive(pod) && isReady(pod)).length;
      return left < minAvailable ? `${left} are left of ${minAvailable}` : undefined;
    },
  }),
};

export const budgets: readonly Scenario[] = [evictions];
