// The two webhook plugins of a server, over one client and the live configurations.

import type { Clock, Random } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import type { Metrics } from '../../metrics.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { ResourceIndex } from '../../registry/resource-endpoint.ts';
import type { WebhookClient } from '../../transport/webhook-client.ts';
import type { AdmissionPlugin } from '../admission.ts';
import type { CredentialsForHost } from '../kubeconfig.ts';
import { createRequestVersions } from '../request-versions.ts';
import { createWebhookCaller } from './call.ts';
import type { JudgeConditions } from './invocation.ts';
import { createMutatingWebhooks } from './mutating-webhooks.ts';
import { createValidatingWebhooks } from './validating-webhooks.ts';
import { createWebhookList, type WebhookSets } from './webhook-list.ts';
import { createWebhookMetrics, type WebhookPhase } from './webhook-metrics.ts';

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
  readonly judgeConditions: (phase: WebhookPhase) => JudgeConditions;
  /** What the configuration of each of the two plugins says. */
  readonly configured?: Readonly<Record<'mutating' | 'validating', ConfiguredWebhooks>>;
}

export interface ConfiguredWebhooks {
  readonly credentialsFor?: CredentialsForHost | undefined;
  /** Configurations that are no objects of the API. */
  readonly manifests?: ObjectSource | undefined;
}

export function createWebhookPlugins(options: WebhookPluginsOptions): AdmissionPlugin[] {
  const { sources, client, random, judgeConditions } = options;
  const { mutating = {}, validating = {} } = options.configured ?? {};
  const { namespaces } = sources;
  const versions = createRequestVersions(options.index, options.features);
  const metrics = createWebhookMetrics(options.metrics, options.clock);
  const shared = { namespaces, versions };
  return [
    createMutatingWebhooks({
      ...shared,
      judgeConditions: judgeConditions('admit'),
      ...listsOf(sources.mutatingWebhookConfigurations, mutating),
      caller: createWebhookCaller({ phase: 'admit', client, random, metrics, ...mutating }),
    }),
    createValidatingWebhooks({
      ...shared,
      judgeConditions: judgeConditions('validating'),
      ...listsOf(sources.validatingWebhookConfigurations, validating),
      caller: createWebhookCaller({ phase: 'validating', client, random, metrics, ...validating }),
    }),
  ];
}

function listsOf(configurations: ObjectSource, { manifests }: ConfiguredWebhooks): WebhookSets {
  return {
    webhooks: createWebhookList(configurations),
    manifests: manifests && createWebhookList(manifests),
  };
}
