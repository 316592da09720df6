// Makes the admission plugins of a server: those that its release turns on by itself, with what the
// flags add and take away, in running order. What plugins look things up in is handed in; each gets
// only what it needs.

import type { Clock, Random } from '@keelson/apimachinery';
import { parsePodSecurityConfiguration, type PodSecurityDecision } from '@keelson/pod-security';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { Features } from '../features/features.ts';
import type { ObjectSource } from '../object-source.ts';
import type { WebhookClient } from '../transport/webhook-client.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import type { AdmissionConfiguration } from './admission-configuration.ts';
import { noConfigurationFiles, type ConfigurationFiles } from './configuration-files.ts';
import { AdmissionConfigurationError } from './configuration-reader.ts';
import { readKubeconfigServer } from './kubeconfig.ts';
import {
  parseEventRateLimits,
  parseImagePolicy,
  parseLimitedResources,
  parsePodNodeSelectors,
  parsePodTolerationRestriction,
} from './plugin-configurations.ts';
import { enabledPlugins, pluginFlagErrors, type PluginFlags } from './plugin-order.ts';
import { createAlwaysAdmit } from './plugins/always-admit.ts';
import { createAlwaysDeny } from './plugins/always-deny.ts';
import { createAlwaysPullImages } from './plugins/always-pull-images.ts';
import { createCertificateApproval } from './plugins/certificate-approval.ts';
import { createCertificateSigning } from './plugins/certificate-signing.ts';
import { createCertificateSubjectRestriction } from './plugins/certificate-subject-restriction.ts';
import { createClusterTrustBundleAttest } from './plugins/cluster-trust-bundle-attest.ts';
import { createDefaultIngressClass } from './plugins/default-ingress-class.ts';
import { createDefaultStorageClass } from './plugins/default-storage-class.ts';
import {
  createDefaultTolerationSeconds,
  type DefaultTolerationSecondsOptions,
} from './plugins/default-toleration-seconds.ts';
import { createDenyServiceExternalIps } from './plugins/deny-service-external-ips.ts';
import { createEventRateLimit } from './plugins/event-rate-limit.ts';
import { createExtendedResourceToleration } from './plugins/extended-resource-toleration.ts';
import { createImagePolicyWebhook } from './plugins/image-policy-webhook.ts';
import { createJobValidation } from './plugins/job-validation.ts';
import { createLimitPodHardAntiAffinityTopology } from './plugins/limit-pod-hard-anti-affinity-topology.ts';
import { createLimitRanger } from './plugins/limit-ranger.ts';
import {
  createNamespaceAutoProvision,
  type NamespaceCreator,
} from './plugins/namespace-auto-provision.ts';
import { createNamespaceExists } from './plugins/namespace-exists.ts';
import { createNamespaceLifecycle } from './plugins/namespace-lifecycle.ts';
import { createNodeDeclaredFeatureValidator } from './plugins/node-declared-feature-validator.ts';
import {
  createOwnerReferencesPermissionEnforcement,
  type ResourcesOfKind,
} from './plugins/owner-references-permission-enforcement.ts';
import { createPersistentVolumeClaimResize } from './plugins/persistent-volume-claim-resize.ts';
import { createPodGroupProtection } from './plugins/pod-group-protection.ts';
import { createPodGroupWorkloadExists } from './plugins/pod-group-workload-exists.ts';
import { createPodNodeSelector } from './plugins/pod-node-selector.ts';
import { createPodResizeValidator } from './plugins/pod-resize-validator.ts';
import { createPodSecurity } from './plugins/pod-security.ts';
import { createPodTolerationRestriction } from './plugins/pod-toleration-restriction.ts';
import { createPodTopologyLabels } from './plugins/pod-topology-labels.ts';
import { createPriority } from './plugins/priority.ts';
import type { QuotaStatusWriter } from './plugins/resource-quota/quota-batches.ts';
import { createResourceQuota } from './plugins/resource-quota/resource-quota.ts';
import { createRuntimeClass } from './plugins/runtime-class.ts';
import { createSecurityContextDeny } from './plugins/security-context-deny.ts';
import { createServiceAccount } from './plugins/service-account.ts';
import { createStorageObjectInUseProtection } from './plugins/storage-object-in-use-protection.ts';
import { createTaintNodesByCondition } from './plugins/taint-nodes-by-condition.ts';

/** Live views of what the plugins look up, by resource. */
export interface AdmissionSources {
  readonly deviceClasses: ObjectSource;
  readonly ingressClasses: ObjectSource;
  readonly limitRanges: ObjectSource;
  readonly namespaces: ObjectSource;
  readonly nodes: ObjectSource;
  readonly podGroups: ObjectSource;
  readonly pods: ObjectSource;
  readonly priorityClasses: ObjectSource;
  readonly resourceQuotas: ObjectSource;
  readonly runtimeClasses: ObjectSource;
  readonly serviceAccounts: ObjectSource;
  readonly configMaps: ObjectSource;
  readonly storageClasses: ObjectSource;
  readonly workloads: ObjectSource;
}

export interface AdmissionPluginOptions extends PluginFlags {
  readonly features: Features;
  readonly sources: AdmissionSources;
  readonly authorizer: Authorizer;
  readonly quotaWriter: QuotaStatusWriter;
  readonly namespaceCreator: NamespaceCreator;
  readonly kinds: ResourcesOfKind;
  readonly clock: Clock;
  readonly random: Random;
  /** From `parseAdmissionConfiguration`. */
  readonly configuration?: AdmissionConfiguration;
  /** Reads the files that configurations name. Absent: there are none. */
  readonly files?: ConfigurationFiles;
  /** Asks servers that configurations name. Absent: plugins that need it cannot be turned on. */
  readonly client?: WebhookClient;
  readonly tolerationSeconds?: DefaultTolerationSecondsOptions;
  /**
   * Plugins that are made elsewhere; each takes its place in the order by its name, when it is on.
   */
  readonly others?: readonly AdmissionPlugin[];
  /** Told every decision of PodSecurity, for metrics. Must not throw. */
  readonly observePodSecurity?: (
    decision: PodSecurityDecision,
    attributes: AdmissionAttributes,
  ) => void;
}

/**
 * Flags or configuration that the server cannot start with; `messages` has kube-apiserver's texts.
 */
export class AdmissionPluginError extends Error {
  readonly messages: readonly string[];
  constructor(messages: readonly string[]) {
    super(messages.length === 1 ? messages[0] : `[${messages.join(', ')}]`);
    this.name = 'AdmissionPluginError';
    this.messages = messages;
  }
}

type CreatePlugin = (options: AdmissionPluginOptions) => AdmissionPlugin;

const factories: ReadonlyMap<string, CreatePlugin> = new Map<string, CreatePlugin>([
  ['AlwaysAdmit', createAlwaysAdmit],
  ['AlwaysDeny', createAlwaysDeny],
  ['AlwaysPullImages', createAlwaysPullImages],
  ['CertificateApproval', (o) => createCertificateApproval(o.authorizer)],
  ['CertificateSigning', (o) => createCertificateSigning(o.authorizer)],
  ['CertificateSubjectRestriction', createCertificateSubjectRestriction],
  ['ClusterTrustBundleAttest', (o) => createClusterTrustBundleAttest(o.authorizer, o.features)],
  ['DefaultIngressClass', (o) => createDefaultIngressClass(o.sources.ingressClasses)],
  ['DefaultStorageClass', (o) => createDefaultStorageClass(o.sources.storageClasses)],
  ['DefaultTolerationSeconds', (o) => createDefaultTolerationSeconds(o.tolerationSeconds)],
  ['DenyServiceExternalIPs', createDenyServiceExternalIps],
  [
    'EventRateLimit',
    (o) =>
      createEventRateLimit(parseEventRateLimits(configurationOf(o, 'EventRateLimit')), o.clock),
  ],
  ['ExtendedResourceToleration', createExtendedResourceToleration],
  ['ImagePolicyWebhook', createConfiguredImagePolicy],
  ['JobValidation', (o) => createJobValidation(o.sources.podGroups, o.features)],
  ['LimitPodHardAntiAffinityTopology', createLimitPodHardAntiAffinityTopology],
  ['LimitRanger', (o) => createLimitRanger(o.sources.limitRanges, o.features)],
  [
    'NamespaceAutoProvision',
    (o) => createNamespaceAutoProvision(o.sources.namespaces, o.namespaceCreator),
  ],
  ['NamespaceExists', (o) => createNamespaceExists(o.sources.namespaces)],
  ['NamespaceLifecycle', (o) => createNamespaceLifecycle(o.sources.namespaces)],
  [
    'NodeDeclaredFeatureValidator',
    (o) => createNodeDeclaredFeatureValidator(o.sources.nodes, o.features),
  ],
  [
    'OwnerReferencesPermissionEnforcement',
    (o) => createOwnerReferencesPermissionEnforcement(o.authorizer, o.kinds),
  ],
  [
    'PersistentVolumeClaimResize',
    (o) => createPersistentVolumeClaimResize(o.sources.storageClasses),
  ],
  ['PodGroupProtection', (o) => createPodGroupProtection(o.features)],
  ['PodGroupWorkloadExists', (o) => createPodGroupWorkloadExists(o.sources.workloads, o.features)],
  [
    'PodNodeSelector',
    (o) =>
      createPodNodeSelector(
        o.sources.namespaces,
        parsePodNodeSelectors(configurationOf(o, 'PodNodeSelector')),
      ),
  ],
  ['PodResizeValidator', (o) => createPodResizeValidator(o.sources.nodes, o.features)],
  ['PodSecurity', createConfiguredPodSecurity],
  [
    'PodTolerationRestriction',
    (o) =>
      createPodTolerationRestriction(
        o.sources.namespaces,
        o.features,
        parsePodTolerationRestriction(configurationOf(o, 'PodTolerationRestriction')),
      ),
  ],
  ['PodTopologyLabels', (o) => createPodTopologyLabels(o.sources.nodes, o.features)],
  ['Priority', (o) => createPriority(o.sources.priorityClasses)],
  [
    'ResourceQuota',
    (o) =>
      createResourceQuota({
        sources: o.sources,
        writer: o.quotaWriter,
        features: o.features,
        clock: o.clock,
        limitedResources: parseLimitedResources(configurationOf(o, 'ResourceQuota')),
      }),
  ],
  ['RuntimeClass', (o) => createRuntimeClass(o.sources.runtimeClasses)],
  ['SecurityContextDeny', createGatedSecurityContextDeny],
  [
    'ServiceAccount',
    ({ sources: { serviceAccounts, configMaps }, clock, random }) =>
      createServiceAccount({ serviceAccounts, configMaps, clock, random }),
  ],
  ['StorageObjectInUseProtection', (o) => createStorageObjectInUseProtection(o.features)],
  ['TaintNodesByCondition', createTaintNodesByCondition],
]);

/**
 * The plugins to run, in order. Throws AdmissionPluginError for flags that are wrong, plugins that
 * are asked for but not available, and configurations that cannot be used.
 */
export function createAdmissionPlugins(options: AdmissionPluginOptions): AdmissionPlugin[] {
  const { features, enable, others = [] } = options;
  const flagErrors = pluginFlagErrors(options, features);
  if (flagErrors.length > 0) throw new AdmissionPluginError(flagErrors);
  const errors: string[] = [];
  const plugins = enabledPlugins(options, features).flatMap((name) => {
    const other = others.find((plugin) => plugin.name === name);
    if (other !== undefined) return [other];
    const create = factories.get(name);
    if (create === undefined) {
      if (enable.includes(name))
        errors.push(`admission plugin ${JSON.stringify(name)} is not available in this server`);
      return [];
    }
    try {
      return [create(options)];
    } catch (error) {
      errors.push(`couldn't init admission plugin ${JSON.stringify(name)}: ${messageOf(error)}`);
      return [];
    }
  });
  if (errors.length > 0) throw new AdmissionPluginError(errors);
  return plugins;
}

function configurationOf(options: AdmissionPluginOptions, name: string): unknown {
  return options.configuration?.get(name);
}

function createConfiguredPodSecurity(options: AdmissionPluginOptions): AdmissionPlugin {
  const { sources, features, clock, observePodSecurity } = options;
  return createPodSecurity({
    namespaces: sources.namespaces,
    pods: sources.pods,
    features,
    clock,
    configuration: parsePodSecurityConfiguration(configurationOf(options, 'PodSecurity')),
    ...(observePodSecurity === undefined ? {} : { observe: observePodSecurity }),
  });
}

function createConfiguredImagePolicy(options: AdmissionPluginOptions): AdmissionPlugin {
  const { files = noConfigurationFiles, client, clock, random } = options;
  const configuration = parseImagePolicy(configurationOf(options, 'ImagePolicyWebhook'));
  if (client === undefined) throw new AdmissionConfigurationError('this server calls nobody');
  const server = readKubeconfigServer(configuration.kubeConfigFile, { files, clock });
  return createImagePolicyWebhook({ configuration, server, client, clock, random });
}

const securityContextDenyPage =
  'https://k8s.io/docs/reference/access-authn-authz/admission-controllers/#securitycontextdeny';

/** Since 1.27 the plugin needs a gate that no release turns on by itself. */
function createGatedSecurityContextDeny({ features }: AdmissionPluginOptions): AdmissionPlugin {
  const isFree = features.emulated.minor < 27;
  if (isFree || features.enabled('SecurityContextDeny')) return createSecurityContextDeny();
  throw new AdmissionConfigurationError(
    'SecurityContextDeny admission controller is an alpha feature, planned to be removed, and ' +
      'requires the SecurityContextDeny feature gate to be enabled, see ' +
      `${securityContextDenyPage} for more information`,
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
