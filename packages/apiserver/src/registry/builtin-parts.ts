// What the built-in resources do: the strategies of all groups, their conversions and handlers, put
// together explicitly, so that order and absence are visible.

import type { Clock, KubeObject, Random } from '@keelson/apimachinery';
import type { IPAddress } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import type { Metrics } from '../metrics.ts';
import type { ObjectSources } from '../object-sources.ts';
import type { KeyPairPem } from '../authentication/certificates/certificate-authority.ts';
import { systemUser } from '../authentication/system-user.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { mayActForSigner } from '../authorization/signer-permission.ts';
import type { Features } from '../features/features.ts';
import type { Route } from '../transport/outbound.ts';
import { createAdmissionregistrationStrategies } from './admissionregistration/strategies.ts';
import { createApiextensionsStrategies } from './apiextensions/strategies.ts';
import { derivedConversions } from './api-versions/version-conversions.ts';
import { apiregistrationStrategies } from './apiregistration/strategies.ts';
import { appsStrategies } from './apps/strategies.ts';
import { v1ToV2, v2ToV1 } from './autoscaling/conversion.ts';
import { autoscalingStrategies } from './autoscaling/strategies.ts';
import { batchStrategies } from './batch/strategies.ts';
import type { BuiltinParts } from './builtin-endpoints.ts';
import { createCertificatesStrategies } from './certificates/strategies.ts';
import type { MaySign } from './certificates/podcertificaterequests/strategy.ts';
import { coordinationStrategies } from './coordination/strategies.ts';
import { createComponentStatuses } from './core/componentstatuses/component-statuses.ts';
import { createClusterIps, type IpAddressStore } from './core/services/cluster-ips.ts';
import { createNodePorts } from './core/services/node-ports.ts';
import { createServiceStrategy } from './core/services/strategy.ts';
import { coreStrategies } from './core/strategies.ts';
import { discoveryStrategies } from './discovery/strategies.ts';
import { coreToEventsV1, eventsV1ToCore } from './events/conversion.ts';
import { eventsStrategies } from './events/strategies.ts';
import { flowcontrolStrategies } from './flowcontrol/strategies.ts';
import { expressionsOf } from './expressions/expressions.ts';
import type { CreateHandler } from './handlers.ts';
import { internalApiserverStrategies } from './internal-apiserver/strategies.ts';
import { networkingStrategies } from './networking/strategies.ts';
import { nodeGroupStrategies as nodeStrategies } from './node/strategies.ts';
import { policyStrategies } from './policy/strategies.ts';
import { rbacStrategies } from './rbac/strategies.ts';
import { createAdminAccessRule } from './resource/admin-access.ts';
import { createClaimStatusGuard } from './resource/resourceclaims/status-authorization.ts';
import { createResourceStrategies } from './resource/strategies.ts';
import { schedulingStrategies } from './scheduling/strategies.ts';
import { storageStrategies } from './storage/strategies.ts';
import { storagemigrationStrategies } from './storagemigration/strategies.ts';
import { createObject } from './store-create.ts';
import { storageKey, type StoreScope } from './store-types.ts';
import type { Strategy } from './strategy.ts';
import { createBindingHandlers } from './subresource-handlers/binding.ts';
import { createConnectHandlers } from './subresource-handlers/connect.ts';
import { createEvictionHandler } from './subresource-handlers/eviction.ts';
import { scaleHandlers } from './subresource-handlers/scale.ts';

export interface BuiltinPartsOptions {
  readonly sources: ObjectSources;
  readonly random: Random;
  readonly clock: Clock;
  readonly features: Features;
  readonly metrics: Metrics;
  /** Asked again where one request needs two permissions. */
  readonly authorizer: Authorizer;
  /** What kubelets know the server by. */
  readonly kubeletClient?: () => KeyPairPem;
  /** Where addresses of nodes and pods are reached, if not there. */
  readonly route?: Route;
  /** Whether `scheduler` or `controller-manager` runs in this process. */
  readonly runsHere?: (component: string) => boolean;
  /** `--service-cluster-ip-range`. */
  readonly serviceClusterIpRanges: readonly string[];
  /** The store of a resource; may only be called once the server is put together. */
  readonly scopeOf: (group: string, resource: string) => StoreScope;
  /** Reviews and token requests. */
  readonly creates: readonly CreateHandler[];
}

export function createBuiltinParts(options: BuiltinPartsOptions): BuiltinParts {
  const { sources, scopeOf, features } = options;
  const { checker, ruleInspector } = expressionsOf(features);
  const pods = () => scopeOf('', 'pods');
  const maySign: MaySign = (user, signer) =>
    mayActForSigner(options.authorizer, { user }, 'sign', signer);
  const claimRules = {
    guardStatus: createClaimStatusGuard(options.authorizer),
    adminAccess: createAdminAccessRule(sources.namespaces),
  };
  return {
    strategies: {
      ...byGroup('', coreStrategies),
      '/services': createServices(options) as Strategy,
      ...byGroup('admissionregistration.k8s.io', createAdmissionregistrationStrategies(checker)),
      ...byGroup('apiextensions.k8s.io', createApiextensionsStrategies({ rules: ruleInspector })),
      ...byGroup('apiregistration.k8s.io', apiregistrationStrategies),
      ...byGroup('apps', appsStrategies),
      ...byGroup('autoscaling', autoscalingStrategies),
      ...byGroup('batch', batchStrategies),
      ...byGroup('certificates.k8s.io', createCertificatesStrategies(maySign)),
      ...byGroup('coordination.k8s.io', coordinationStrategies),
      ...byGroup('discovery.k8s.io', discoveryStrategies),
      ...byGroup('events.k8s.io', eventsStrategies),
      ...byGroup('flowcontrol.apiserver.k8s.io', flowcontrolStrategies),
      ...byGroup('internal.apiserver.k8s.io', internalApiserverStrategies),
      ...byGroup('networking.k8s.io', networkingStrategies),
      ...byGroup('node.k8s.io', nodeStrategies),
      ...byGroup('policy', policyStrategies),
      ...byGroup('rbac.authorization.k8s.io', rbacStrategies),
      ...byGroup('resource.k8s.io', createResourceStrategies(checker, claimRules)),
      ...byGroup('scheduling.k8s.io', schedulingStrategies),
      ...byGroup('storage.k8s.io', storageStrategies),
      ...byGroup('storagemigration.k8s.io', storagemigrationStrategies),
    },
    conversions: {
      ...derivedConversions(),
      'autoscaling/v1/horizontalpodautoscalers': {
        toStored: v1ToV2,
        fromStored: v2ToV1,
      },
      'events.k8s.io/v1/events': {
        toStored: eventsV1ToCore,
        fromStored: coreToEventsV1,
      },
    },
    creates: [
      ...options.creates,
      ...createBindingHandlers(pods),
      createEvictionHandler({
        pods,
        budgets: () => scopeOf('policy', 'poddisruptionbudgets'),
        budgetSource: sources.podDisruptionBudgets,
      }),
    ],
    reads: [
      createComponentStatuses({
        storage: () => pods().storage,
        clock: options.clock,
        ...(options.route === undefined ? {} : { route: options.route }),
        ...(options.runsHere === undefined ? {} : { runsHere: options.runsHere }),
      }),
    ],
    projections: scaleHandlers,
    connects: createConnectHandlers(options),
  };
}

/** `{ deployments: … }` of group `apps` becomes `{ 'apps/deployments': … }`. */
function byGroup(
  group: string,
  strategies: Readonly<Record<string, Strategy>>,
): Record<string, Strategy> {
  return Object.fromEntries(
    Object.entries(strategies).map(([resource, strategy]) => [`${group}/${resource}`, strategy]),
  );
}

function createServices({ sources, random, serviceClusterIpRanges, scopeOf }: BuiltinPartsOptions) {
  return createServiceStrategy({
    clusterIps: createClusterIps({
      ranges: serviceClusterIpRanges,
      serviceCidrs: sources.serviceCidrs,
      addresses: createIpAddressStore(sources, () => scopeOf('networking.k8s.io', 'ipaddresses')),
      random,
    }),
    nodePorts: createNodePorts({ services: sources.services, random }),
  });
}

/** The allocator's IPAddress objects, written by the server itself. */
function createIpAddressStore(sources: ObjectSources, scope: () => StoreScope): IpAddressStore {
  return {
    has: (name) => sources.ipAddresses.get('', name) !== undefined,
    async create(address: IPAddress) {
      await createObject(scope(), address as unknown as KubeObject, {
        user: systemUser,
        dryRun: false,
        namespace: '',
        warn: () => {},
        validateAdmission: async () => {},
      });
    },
    async delete(name) {
      const s = scope();
      const key = storageKey(s, '', name);
      await s.storage.guaranteedUpdate(key, () => undefined);
    },
  };
}
