// ResourceQuota: what the objects of a namespace use together stays within its quotas. It runs
// last, so that nothing is charged for what another plugin refuses, and it is charged before the
// object is stored: when the write fails after all, the quota controller corrects the number.
//
// Asked are creations and updates in a namespace, but for namespaces themselves. Which resources
// and subresources count, and how, the evaluators know (evaluators.ts); what is refused
// check-request.ts knows. A dry run is checked and not charged.

import type { Clock } from '@keelson/apimachinery';
import type { Features } from '../../../features/features.ts';
import type { ObjectSource } from '../../../object-source.ts';
import type { AdmissionPlugin } from '../../admission.ts';
import { handling } from '../../request-match.ts';
import { isNamespaceKind } from '../namespace-lifecycle.ts';
import type { LimitedResource } from './check-request.ts';
import { createQuotaEvaluators } from './evaluators.ts';
import { createQuotaBatches, type QuotaStatusWriter } from './quota-batches.ts';
import type { ResourceClaimSources } from './resource-claim-evaluator.ts';

export interface ResourceQuotaOptions {
  readonly sources: ResourceClaimSources & { readonly resourceQuotas: ObjectSource };
  readonly writer: QuotaStatusWriter;
  readonly features: Features;
  readonly clock: Clock;
  /** `limitedResources` of the configuration file. */
  readonly limitedResources?: readonly LimitedResource[];
}

export function createResourceQuota(options: ResourceQuotaOptions): AdmissionPlugin {
  const { sources, writer, features, clock, limitedResources = [] } = options;
  const evaluators = createQuotaEvaluators({ sources, features, clock });
  const { resourceQuotas } = sources;
  const batches = createQuotaBatches({ resourceQuotas, writer, limitedResources, clock });
  return {
    name: 'ResourceQuota',
    handles: handling('CREATE', 'UPDATE'),
    async validate(attributes) {
      if (attributes.namespace === '') return;
      if (attributes.operation === 'CREATE' && isNamespaceKind(attributes)) return;
      const evaluator = evaluators.evaluatorOf(attributes.gvr);
      if (evaluator === undefined || !evaluator.handles(attributes)) return;
      return batches.evaluate(attributes, evaluator);
    },
  };
}
