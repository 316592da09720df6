// An aggregated ClusterRole has the rules of all ClusterRoles that its selectors match. Whenever a
// ClusterRole changes, every aggregated one is looked at again.

import {
  aggregateRules,
  aggregationSelectorsOf,
  equalRules,
  isStatusError,
  type AggregatedRule,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { clusterRolesResource } from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';

const fieldManager = 'clusterrole-aggregation-controller';

export function createClusterRoleAggregationController(context: ControllerContext): Controller {
  const { client, informers, clock, log, metrics } = context;
  const queue = createWorkQueue({ clock, meter: metrics.workQueue('ClusterRoleAggregator') });
  const roles = informers.informer(clusterRolesResource);
  const resource = client.resource(clusterRolesResource);
  const reconcile = async (name: string, signal: AbortSignal) => {
    const role = roles.store.get('', name);
    if (role === undefined) return;
    const wanted = aggregateRules(role, roles.store.list());
    if (wanted === undefined || equalRules(rulesOf(role), wanted)) return;
    const rules = wanted.map((rule) => ({ verbs: null, ...rule }));
    const configuration = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name },
      rules,
    };
    try {
      await resource.apply(configuration, { fieldManager, force: true, signal });
    } catch (error) {
      if (isStatusError(error, 'NotFound')) return;
      // Servers without server-side apply take the whole role.
      if (!isStatusError(error, 'UnsupportedMediaType')) throw error;
      await resource.update({ ...role, rules }, { fieldManager, signal });
    }
  };
  return {
    async run(signal) {
      const enqueueAggregated = () => {
        for (const role of roles.store.list())
          if (aggregationSelectorsOf(role).length > 0) queue.add(role.metadata.name ?? '');
      };
      const onChange = () => roles.hasSynced() && enqueueAggregated();
      const unsubscribe = roles.addHandler({
        onAdd: onChange,
        onUpdate: onChange,
        onDelete: onChange,
      });
      const onError = (error: unknown, role: string) =>
        log.warn('rules not aggregated', { role, error: errorText(error) });
      await roles.synced(signal).then(enqueueAggregated, () => {});
      await runController({ queue, reconcile, workers: 1, onError }, signal);
      unsubscribe();
    },
  };
}

function rulesOf(role: KubeObject): readonly AggregatedRule[] {
  return (role['rules'] as readonly AggregatedRule[] | null | undefined) ?? [];
}
