// The admission plugins of a control plane: those of the flags in their order, between the two
// guards that no flag turns off.

import type { Clock, Random } from '@keelson/apimachinery';
import {
  createAdmissionPlugins,
  createExtensionPlugins,
  createNamespaceCreator,
  createNodeRestriction,
  createParamAccess,
  createPodSecurityMetrics,
  createQuotaStatusWriter,
  createRbacEscalation,
  createResourcesOfKind,
  type AdmissionConfiguration,
  type AdmissionPlugin,
  type ApiServer,
  type createAuthorization,
  type ConfigurationFiles,
  type Features,
  type Logger,
  type Metrics,
  type ObjectSources,
  type Storage,
  type WebhookClient,
} from '@keelson/apiserver';
import { fileSystemConfigurationFiles } from './configuration-files.ts';

/** What the flags say about admission. */
export interface AdmissionFlags {
  /** Plugins besides those of `enableAdmissionPlugins`; NodeRestriction unless said otherwise. */
  readonly standardPlugins?: readonly string[];
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  /** From `parseAdmissionConfiguration`. */
  readonly admissionConfiguration?: AdmissionConfiguration;
  /** What it names is read through this; the file system unless said otherwise. */
  readonly configurationFiles?: ConfigurationFiles;
}

export interface ClusterAdmissionParts {
  readonly flags: AdmissionFlags;
  readonly storage: Storage;
  readonly sources: ObjectSources;
  readonly features: Features;
  readonly authorization: Pick<ReturnType<typeof createAuthorization>, 'authorizer' | 'rbac'>;
  readonly webhooks: WebhookClient;
  readonly metrics: Metrics;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Ends what goes on beside requests. */
  readonly signal: AbortSignal;
  /** Tells the servers of a cluster apart. */
  readonly serverId: string;
  /** Asked for only when a request is admitted: the server is made after the plugins. */
  readonly server: () => ApiServer;
}

export function createClusterAdmission(parts: ClusterAdmissionParts): AdmissionPlugin[] {
  const { flags, storage, sources, features, webhooks, metrics, clock, random, server } = parts;
  const { authorizer, rbac } = parts.authorization;
  const kinds = createResourcesOfKind((group) => server().index.inGroup(group));
  const { logger, signal, serverId } = parts;
  const { configurationFiles: files = fileSystemConfigurationFiles } = flags;
  const configured = { ...pluginFlagsOf(flags), files };
  const shared = { ...configured, client: webhooks, sources, features, authorizer, clock, random };
  return [
    createParamAccess({ ...sources, authorizer, kinds }),
    ...createAdmissionPlugins({
      ...shared,
      quotaWriter: createQuotaStatusWriter(storage),
      namespaceCreator: createNamespaceCreator(() => server().serve),
      kinds,
      others: [
        createNodeRestriction({ ...sources, features, authorizer }),
        ...createExtensionPlugins({
          ...shared,
          index: () => server().index,
          metrics,
          logger,
          signal,
          serverId,
        }),
      ],
      observePodSecurity: createPodSecurityMetrics(metrics, features.emulated.minor),
    }),
    createRbacEscalation({ authorizer, rbac }),
  ];
}

function pluginFlagsOf(flags: AdmissionFlags) {
  const { standardPlugins = ['NodeRestriction'], enableAdmissionPlugins = [] } = flags;
  const { disableAdmissionPlugins = [], admissionConfiguration } = flags;
  return {
    enable: [...standardPlugins, ...enableAdmissionPlugins],
    disable: disableAdmissionPlugins,
    ...(admissionConfiguration === undefined ? {} : { configuration: admissionConfiguration }),
  };
}
