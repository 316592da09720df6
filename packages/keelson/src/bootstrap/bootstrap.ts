// Fills an empty cluster with the objects that every cluster has, and brings those of the default
// policy up to date in one that was made by an earlier release.

import { formatTime, isStatusError, statusErrors, type KubeObject } from '@keelson/apimachinery';
import {
  bootstrapPolicy,
  createObject,
  reconcileBootstrapPolicy,
  storageKey,
  storagePrefix,
  systemUser,
  updateObject,
  type ApiServer,
  type BootstrapObject,
  type Features,
  type Logger,
  type RbacObjectStore,
  type ServiceRanges,
  type StoreScope,
} from '@keelson/apiserver';
import type { TrustedProxy } from '../identity.ts';
import { snapshotDefinitionObjects } from './snapshot-definitions.ts';
import { reconcileApiServices } from './api-services.ts';
import { flowSchemas, priorityLevelConfigurations } from './bootstrap-objects.generated.ts';
import {
  keepFlowControl,
  reconcileFlowControl,
  type ConfigurationStore,
  type FlowControlKind,
  type KeepOptions,
} from './flow-control-objects.ts';

/** What extension servers are told about whom to believe. */
export interface PublishedTrust {
  /** PEM of the authorities of client certificates. */
  readonly clientCaPem: string;
  /** PEM of the authority of the front proxy, and the name that it vouches for. */
  readonly requestHeader: TrustedProxy | undefined;
}

export interface BootstrapOptions extends PublishedTrust {
  readonly server: ApiServer;
  readonly features: Features;
  /** `2024-01-31T00:00:00Z`; conditions carry it. */
  readonly now: string;
  readonly serviceRanges: ServiceRanges;
  readonly securePort: () => number;
  /** Kinds of volume snapshots are installed. */
  readonly snapshots: boolean;
}

export async function bootstrapCluster(options: BootstrapOptions): Promise<void> {
  const { server, now } = options;
  await ensureAll(server, 'namespaces', '', namespaces());
  await Promise.all([
    reconcileBootstrapPolicy(rbacStore(server), bootstrapPolicy(options.features)),
    ensureAll(server, 'priorityclasses', 'scheduling.k8s.io', priorityClasses()),
    reconcileFlowControl(flowControlKinds(server, now)),
    reconcileApiServices(server, now, (object) =>
      create(server.scopeOf('apiregistration.k8s.io', 'apiservices'), object),
    ),
    ensureAll(server, 'configmaps', '', configMaps(options)).then(() =>
      publishTrust(server, options),
    ),
    ensureAll(server, 'servicecidrs', 'networking.k8s.io', [
      serviceCidr(options.serviceRanges.cidrs, now),
    ]),
  ]);
  await ensureAll(server, 'services', '', [kubernetesService(options)]);
  if (options.snapshots) {
    const definitions = snapshotDefinitionObjects();
    await ensureAll(server, 'customresourcedefinitions', 'apiextensions.k8s.io', definitions);
  }
}

/** Makes or completes roles and bindings that are not of the default policy. */
export async function grantRoles(
  server: ApiServer,
  policy: readonly BootstrapObject[],
): Promise<void> {
  await reconcileBootstrapPolicy(rbacStore(server), policy);
}

function requestFor(namespace: string) {
  return {
    user: systemUser,
    dryRun: false,
    namespace,
    warn: () => {},
    validateAdmission: async () => {},
  };
}

/** Creates what is missing; what is there stays as it is. */
async function ensureAll(
  server: ApiServer,
  resource: string,
  group: string,
  objects: readonly KubeObject[],
): Promise<void> {
  const scope = server.scopeOf(group, resource);
  await Promise.all(
    objects.map(async (object) => {
      const namespace = object.metadata.namespace ?? '';
      if (
        (await scope.storage.get(storageKey(scope, namespace, object.metadata.name ?? ''))) !==
        undefined
      )
        return;
      await create(scope, object);
    }),
  );
}

/** The authorities may be others than when the ConfigMap was made. */
async function publishTrust(server: ApiServer, trust: PublishedTrust): Promise<void> {
  const scope = server.scopeOf('', 'configmaps');
  const key = storageKey(scope, 'kube-system', 'extension-apiserver-authentication');
  await scope.storage.guaranteedUpdate(key, (current) => {
    if (current === undefined) return undefined;
    const { data } = current.object as KubeObject & { readonly data?: Record<string, string> };
    const wanted = { ...data, ...extensionAuthentication(trust) };
    const isSame = Object.entries(wanted).every(([name, value]) => data?.[name] === value);
    return isSame ? current.object : { ...current.object, data: wanted };
  });
}

async function create(scope: StoreScope, object: KubeObject): Promise<void> {
  const { status, ...rest } = structuredClone(object);
  const fresh = rest as KubeObject;
  scope.strategy.applyDefaults?.(fresh, scope.features);
  const request = requestFor(object.metadata.namespace ?? '');
  try {
    await createObject(scope, fresh, request);
    if (status === undefined) return;
    // What a controller of kube-apiserver would write a moment later.
    const key = storageKey(scope, request.namespace, object.metadata.name ?? '');
    await scope.storage.guaranteedUpdate(key, (current) =>
      current === undefined ? undefined : { ...current.object, status },
    );
  } catch (error) {
    // Another server of the same cluster was faster.
    if (!isStatusError(error, 'AlreadyExists')) throw error;
  }
}

function rbacStore(server: ApiServer): RbacObjectStore {
  const scope = (resource: string) => server.scopeOf('rbac.authorization.k8s.io', resource);
  return {
    async get(resource, namespace, name) {
      const s = scope(resource);
      return (await s.storage.get(storageKey(s, namespace, name)))?.object;
    },
    create: (resource, object) => create(scope(resource), object),
    update: (resource, object) =>
      updateObject(scope(resource), {
        ...requestFor(object.metadata.namespace ?? ''),
        name: object.metadata.name ?? '',
        transform: async () => structuredClone(object),
        subresource: undefined,
        createIfAbsent: false,
        expectedUid: undefined,
      }),
    async delete(resource, namespace, name) {
      const s = scope(resource);
      await s.storage.delete(storageKey(s, namespace, name));
    },
  };
}

/** Publishes authorities again whenever their files have changed. */
export function keepTrustPublished(
  server: ApiServer,
  identity: { onTrustChange(changed: (trust: PublishedTrust) => void): void },
  logger: Logger,
): void {
  identity.onTrustChange((trust) => {
    publishTrust(server, trust).catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      logger.error('authorities could not be published', { error: why });
    });
  });
}

/** Brings the objects of API Priority and Fairness back once a minute, until the signal is aborted. */
export function keepFlowControlObjects(server: ApiServer, options: KeepOptions): void {
  const kinds = () => flowControlKinds(server, formatTime(options.clock.now()));
  void keepFlowControl(kinds, options);
}

/** `now` is the time of the conditions that are written. */
function flowControlKinds(server: ApiServer, now: string): readonly FlowControlKind[] {
  return [
    {
      store: configurationStore(server, 'prioritylevelconfigurations'),
      objects: priorityLevelConfigurations.map((o) =>
        flowObject('PriorityLevelConfiguration', o, {}),
      ),
    },
    {
      store: configurationStore(server, 'flowschemas'),
      objects: flowSchemas.map((o) => flowSchema(o, now)),
    },
  ];
}

function configurationStore(server: ApiServer, resource: string): ConfigurationStore {
  const scope = server.scopeOf('flowcontrol.apiserver.k8s.io', resource);
  return {
    async list() {
      const { entries } = await scope.storage.list(storagePrefix(scope, ''));
      return entries.map(({ object }) => object);
    },
    create: (object) => create(scope, object),
    update: (name, change) =>
      updateObject(scope, {
        ...requestFor(''),
        name,
        transform: async (current) => {
          if (current === undefined) throw statusErrors.notFound(scope.definition, name);
          return change(structuredClone(current));
        },
        subresource: undefined,
        createIfAbsent: false,
        expectedUid: undefined,
      }),
    delete: ({ metadata: { name = '', uid } }) =>
      scope.storage.delete(storageKey(scope, '', name), uid === undefined ? {} : { uid }),
  };
}

function namespaces(): KubeObject[] {
  return ['default', 'kube-node-lease', 'kube-public', 'kube-system'].map((name) => ({
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: { name },
    spec: {},
  }));
}

function priorityClasses(): KubeObject[] {
  const critical = (name: string, value: number, description: string): KubeObject => ({
    kind: 'PriorityClass',
    apiVersion: 'scheduling.k8s.io/v1',
    metadata: { name },
    value,
    description,
  });
  return [
    critical(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
    critical(
      'system-node-critical',
      2_000_001_000,
      'Used for system critical pods that must not be moved from their current node.',
    ),
  ];
}

function flowObject(
  kind: string,
  object: { metadata: object; spec: object },
  status: object,
): KubeObject {
  return structuredClone({
    kind,
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
    metadata: object.metadata,
    spec: object.spec,
    status,
  });
}

function flowSchema(object: (typeof flowSchemas)[number], now: string): KubeObject {
  const level = (object.spec as { priorityLevelConfiguration: { name: string } })
    .priorityLevelConfiguration.name;
  const message = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} and it exists`;
  return flowObject('FlowSchema', object, {
    conditions: [
      { type: 'Dangling', status: 'False', lastTransitionTime: now, reason: 'Found', message },
    ],
  });
}

function configMaps(options: BootstrapOptions): KubeObject[] {
  const configMap = (name: string, data: Record<string, string>): KubeObject => ({
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name, namespace: 'kube-system' },
    data,
  });
  return [configMap('extension-apiserver-authentication', extensionAuthentication(options))];
}

/** How extension API servers find out whom to believe; lists are JSON. */
function extensionAuthentication({
  clientCaPem,
  requestHeader,
}: PublishedTrust): Record<string, string> {
  return {
    ...(clientCaPem === '' ? {} : { 'client-ca-file': clientCaPem }),
    ...(requestHeader === undefined ? {} : trustInProxy(requestHeader)),
  };
}

function trustInProxy(trusted: TrustedProxy) {
  return {
    'requestheader-client-ca-file': trusted.clientCa,
    'requestheader-allowed-names': JSON.stringify(trusted.allowedNames),
    'requestheader-username-headers': JSON.stringify(trusted.usernameHeaders),
    ...(trusted.uidHeaders.length === 0
      ? {}
      : { 'requestheader-uid-headers': JSON.stringify(trusted.uidHeaders) }),
    'requestheader-group-headers': JSON.stringify(trusted.groupHeaders),
    'requestheader-extra-headers-prefix': JSON.stringify(trusted.extraHeaderPrefixes),
  };
}

function serviceCidr(cidrs: readonly string[], now: string): KubeObject {
  return {
    kind: 'ServiceCIDR',
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: [...cidrs] },
    status: {
      conditions: [
        {
          type: 'Ready',
          status: 'True',
          lastTransitionTime: now,
          reason: '',
          message: 'Kubernetes default Service CIDR is ready',
        },
      ],
    },
  };
}

function kubernetesService(options: BootstrapOptions): KubeObject {
  const address = options.serviceRanges.apiServerAddress;
  return {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { component: 'apiserver', provider: 'kubernetes' },
    },
    spec: {
      ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: options.securePort() }],
      clusterIP: address,
      clusterIPs: [address],
      type: 'ClusterIP',
      sessionAffinity: 'None',
    },
  };
}
