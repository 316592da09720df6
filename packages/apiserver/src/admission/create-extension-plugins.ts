// The plugins through which a cluster extends admission: policies over their live objects, and
// webhooks, whose conditions are judged as those of policies are.

import type { Authorizer } from '../authorization/authorizer.ts';
import type { Features } from '../features/features.ts';
import type { ObjectSource } from '../object-source.ts';
import { expressionsOf } from '../registry/expressions/expressions.ts';
import { silentLogger, type Logger } from '../logger.ts';
import type { AdmissionPlugin } from './admission.ts';
import type { AdmissionConfiguration } from './admission-configuration.ts';
import { noConfigurationFiles, type ConfigurationFiles } from './configuration-files.ts';
import { readHostCredentials } from './kubeconfig.ts';
import { createManifestMetrics, type ManifestMetrics } from './manifests/manifest-metrics.ts';
import { openManifests, type ManifestSource } from './manifests/manifest-source.ts';
import { parseExtensionConfiguration } from './plugin-configurations.ts';
import { createMutatingAdmissionPolicy } from './plugins/mutating-admission-policy.ts';
import { createValidatingAdmissionPolicy } from './plugins/validating-admission-policy.ts';
import { createRequestVersions } from './request-versions.ts';
import { createConditionMetrics } from './policy/condition-metrics.ts';
import { createConditionJudge } from './policy/judge-conditions.ts';
import { createParamSource } from './policy/params.ts';
import { countDefinitions, createPolicyMetrics } from './policy/policy-metrics.ts';
import type { PolicySet } from './policy/policy-requests.ts';
import {
  createWebhookPlugins,
  type ConfiguredWebhooks,
  type WebhookPluginsOptions,
} from './webhook/create-webhook-plugins.ts';

export interface ExtensionPluginsOptions extends Omit<
  WebhookPluginsOptions,
  'judgeConditions' | 'configured'
> {
  readonly sources: WebhookPluginsOptions['sources'] & {
    readonly mutatingAdmissionPolicies: ObjectSource;
    readonly mutatingAdmissionPolicyBindings: ObjectSource;
    readonly validatingAdmissionPolicies: ObjectSource;
    readonly validatingAdmissionPolicyBindings: ObjectSource;
  };
  readonly authorizer: Authorizer;
  /** From `parseAdmissionConfiguration`. */
  readonly configuration?: AdmissionConfiguration;
  /** Reads the files that the configuration names. Absent: there are none. */
  readonly files?: ConfigurationFiles;
  readonly logger?: Logger;
  /** Ends the reading of manifests. */
  readonly signal?: AbortSignal;
  /** Tells the servers of a cluster apart in metrics. */
  readonly serverId?: string;
}

/**
 * Throws AdmissionConfigurationError and ManifestError for configurations that the server cannot
 * start with.
 */
export function createExtensionPlugins(options: ExtensionPluginsOptions): AdmissionPlugin[] {
  const { sources, index, features, authorizer } = options;
  const configured = readConfigured(options);
  const { namespaces } = sources;
  const environment = expressionsOf(features).environments.storedExpressions;
  const conditionMetrics = createConditionMetrics(options.metrics, options.clock);
  const judge = { namespaces, authorizer, environment, metrics: conditionMetrics };
  const shared = {
    namespaces,
    versions: createRequestVersions(index, features),
    params: createParamSource(() => index().list()),
    authorizer,
    environment,
    conditionMetrics,
  };
  if (features.enabled('ValidatingAdmissionPolicy'))
    countDefinitions(sources.validatingAdmissionPolicies, options);
  const mutating = createMutatingAdmissionPolicy({
    ...shared,
    policies: sources.mutatingAdmissionPolicies,
    bindings: sources.mutatingAdmissionPolicyBindings,
    manifests: configured.policies('MutatingAdmissionPolicy'),
    metrics: createPolicyMetrics('mutating', options),
    typeOf: (gvr) => index().find(gvr)?.definition.type,
  });
  const validating = createValidatingAdmissionPolicy({
    ...shared,
    policies: sources.validatingAdmissionPolicies,
    bindings: sources.validatingAdmissionPolicyBindings,
    manifests: configured.policies('ValidatingAdmissionPolicy'),
    metrics: createPolicyMetrics('validating', options),
  });
  return [
    ...[mutating, validating].map((plugin) => behindGate(plugin, features)),
    ...createWebhookPlugins({
      ...options,
      judgeConditions: createConditionJudge(judge),
      configured: {
        mutating: configured.webhooks('MutatingAdmissionWebhook', 'MutatingWebhookConfiguration'),
        validating: configured.webhooks(
          'ValidatingAdmissionWebhook',
          'ValidatingWebhookConfiguration',
        ),
      },
    }),
  ];
}

/** Both plugins have the name of their gate; while it is off, stored policies do nothing. */
function behindGate(plugin: AdmissionPlugin, features: Features): AdmissionPlugin {
  return features.enabled(plugin.name) ? plugin : { name: plugin.name, handles: () => false };
}

/** What files say about the plugins: manifests, and who the server is to webhooks. */
function readConfigured(options: ExtensionPluginsOptions) {
  const { configuration, features, clock, metrics, serverId = 'apiserver' } = options;
  const { files = noConfigurationFiles, logger = silentLogger } = options;
  const { signal = new AbortController().signal } = options;
  const read = (plugin: string) =>
    parseExtensionConfiguration(configuration?.get(plugin), plugin, features);
  let manifestMetrics: ManifestMetrics | undefined;
  const open = (plugin: string, folder: string | undefined): ManifestSource | undefined => {
    if (folder === undefined) return undefined;
    manifestMetrics ??= createManifestMetrics({ metrics, clock, serverId });
    const shared = { files, features, clock, logger, signal };
    return openManifests(plugin, folder, { ...shared, metrics: manifestMetrics });
  };
  return {
    webhooks(plugin: string, kind: string): ConfiguredWebhooks {
      const { kubeConfigFile, staticManifestsDir } = read(plugin);
      return {
        ...(kubeConfigFile !== undefined && {
          credentialsFor: readHostCredentials(kubeConfigFile, { files, clock }),
        }),
        manifests: open(plugin, staticManifestsDir)?.of(kind),
      };
    },
    policies(plugin: string): PolicySet | undefined {
      const manifests = open(plugin, read(plugin).staticManifestsDir);
      return (
        manifests && { policies: manifests.of(plugin), bindings: manifests.of(`${plugin}Binding`) }
      );
    },
  };
}
