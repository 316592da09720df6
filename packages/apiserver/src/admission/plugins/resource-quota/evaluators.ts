// The evaluator of each resource: special ones for pods, services and claims, for all others one
// that counts objects. Reviews and bindings are not stored, and events never had quota.

import type { Clock, GroupResource } from '@keelson/apimachinery';
import type { Features } from '../../../features/features.ts';
import type { QuotaEvaluator } from './evaluator.ts';
import { createObjectCountEvaluator } from './object-count-evaluator.ts';
import { createPersistentVolumeClaimEvaluator } from './persistent-volume-claim-evaluator.ts';
import { createPodEvaluator } from './pod-evaluator.ts';
import {
  createResourceClaimEvaluator,
  type ResourceClaimSources,
} from './resource-claim-evaluator.ts';
import { createServiceEvaluator } from './service-evaluator.ts';

export interface QuotaEvaluators {
  /** Undefined for resources that quota is never about. */
  evaluatorOf(resource: GroupResource): QuotaEvaluator | undefined;
  /** Resources that quotas count by other names than `count/…`. */
  known(): readonly GroupResource[];
}

export interface QuotaEvaluatorOptions {
  readonly sources: ResourceClaimSources;
  readonly features: Features;
  readonly clock: Clock;
}

/** By group and resource. */
const ignored: ReadonlySet<string> = new Set([
  '/bindings',
  '/componentstatuses',
  '/events',
  'events.k8s.io/events',
  'authentication.k8s.io/tokenreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authorization.k8s.io/subjectaccessreviews',
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/localsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
]);

/** Resources of the core group that were counted by their plain name before `count/…` came. */
const plainlyCounted = ['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'];

/** Resources that are counted only: one evaluator each, made when first asked for. */
const countedResourcesMax = 10_000;

export function createQuotaEvaluators(options: QuotaEvaluatorOptions): QuotaEvaluators {
  const { sources, features, clock } = options;
  const known = new Map<string, QuotaEvaluator>([
    ['/pods', createPodEvaluator(features, clock)],
    ['/services', createServiceEvaluator()],
    ['/persistentvolumeclaims', createPersistentVolumeClaimEvaluator(features)],
    ...plainlyCounted.map(
      (name) => [`/${name}`, createObjectCountEvaluator('', name, name)] as const,
    ),
  ]);
  if (features.enabled('DynamicResourceAllocation'))
    known.set('resource.k8s.io/resourceclaims', createResourceClaimEvaluator(sources, features));
  const special = [...known.keys()].map((key) => {
    const [group = '', resource = ''] = key.split('/');
    return { group, resource };
  });
  return {
    known: () => special,
    evaluatorOf({ group, resource }) {
      const key = `${group}/${resource}`;
      if (ignored.has(key)) return undefined;
      const present = known.get(key);
      if (present !== undefined) return present;
      const counting = createObjectCountEvaluator(group, resource);
      if (known.size < countedResourcesMax) known.set(key, counting);
      return counting;
    },
  };
}
