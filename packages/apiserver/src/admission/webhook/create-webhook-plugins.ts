// The two webhook plugins of a server, over one client and the live configurations.

import type { Clock, Random } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { Metrics } from '../../metrics.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { ResourceIndex } from '../../registry/resource-endpoint.ts';
import type { WebhookClient } from '../../transport/webhook-client.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { createRequestVersions } from '../request-versions.ts';
import { createWebhookCaller } from './call.ts';
import { conditionsUnknown, type JudgeConditions } from './invocation.ts';
import { createMutatingWebhooks } from './mutating-webhooks.ts';
import { createValidatingWebhooks } from './validating-webhooks.ts';
import { createWebhookList } from './webhook-list.ts';
import { createWebhookMetrics } from './webhook-metrics.ts';

export interface WebhookPluginsOptions {
  readonly sources: {
    readonly namespaces: ObjectSource;
    readonly mutatingWebhookConfigurations: ObjectSource;
    readonly validatingWebhookConfigurations: ObjectSource;
  };
  readonly client: WebhookClient;
  /** Asked for only when a request is admitted: the index is made after the plugins. */
  readonly index: () => ResourceIndex;
  readonly features: Features;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly judgeConditions?: JudgeConditions;
}

export function createWebhookPlugins(options: WebhookPluginsOptions): AdmissionPlugin[] {
  const { sources, client, random, judgeConditions = conditionsUnknown } = options;
  const { namespaces } = sources;
  const versions = createRequestVersions(options.index, options.features);
  const metrics = createWebhookMetrics(options.metrics, options.clock);
  const shared = { namespaces, versions, judgeConditions };
  return [
    createMutatingWebhooks({
      ...shared,
      webhooks: createWebhookList(sources.mutatingWebhookConfigurations),
      caller: createWebhookCaller({ phase: 'admit', client, random, metrics }),
    }),
    createValidatingWebhooks({
      ...shared,
      webhooks: createWebhookList(sources.validatingWebhookConfigurations),
      caller: createWebhookCaller({ phase: 'validating', client, random, metrics }),
    }),
  ];
}
