// The controllers of one control plane: which of them run, and what the server knows that they are
// given because no client could ask for it.

import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  createCertificateIssuer,
  createLegacyToken,
  createPolicyTypeChecker,
  createPostClient,
  createQuotaMeter,
  defaultLimits,
  silentLogger,
  type ApiServer,
  type Features,
  type ObjectSources,
} from '@keelson/apiserver';
import {
  createControllerMetrics,
  createSchedulerMetrics,
  type Scheduler,
} from '@keelson/controllers';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import type { ControllerName } from './controller-list.ts';
import { startElectedControllers } from './elected-controllers.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import { defaultServiceRanges } from './serving-names.ts';
import {
  startControllers,
  type RunningControllers,
  type StartControllersOptions,
} from './start-controllers.ts';

export interface ClusterControllerParts {
  readonly server: ApiServer;
  readonly sources: ObjectSources;
  readonly tokens: ServiceAccountTokens;
  readonly onScheduler: (scheduler: Scheduler | undefined) => void;
}

export function startClusterControllers(
  options: ControlPlaneOptions,
  { server, sources, tokens: { ownKey }, onScheduler }: ClusterControllerParts,
): RunningControllers {
  const { features, pki, controllerSettings: settings, leaderElection } = options;
  const { limits = defaultLimits } = options;
  const { clock = systemClock, random = systemRandom, logger = silentLogger } = options;
  const authorities = settings?.signingAuthorities;
  const authorityOf = (signerName: string) =>
    authorities === undefined ? pki.authority : authorities.get(signerName);
  const starting: StartControllersOptions = {
    names: withoutTokenSecrets(options.controllers ?? new Set(), ownKey),
    serve: server.serve,
    features,
    rootCaPem: pki.authority.certificatePem,
    issueToken: (account, secret) =>
      createLegacyToken(account, secret, ownKey?.() ?? pki.serviceAccountKey),
    certificates: createCertificateIssuer(authorityOf, clock),
    ...(settings === undefined ? {} : { settings }),
    policies: checkedPolicies(server, features),
    isEnabled: (gate) => features.enabled(gate),
    isServed: (resource) => server.index.find(resource) !== undefined,
    serviceCidrs: (options.serviceRanges ?? defaultServiceRanges).cidrs,
    quotaCounting: createQuotaMeter({ sources, features, clock }),
    onScheduler,
    schedulerMetrics: createSchedulerMetrics(server.metrics, clock),
    openExtender: (tls) =>
      createPostClient({
        tls,
        clock,
        userAgent: 'kube-scheduler',
        answerBytesMax: limits.webhookAnswerBytesMax,
      }),
    clock,
    random,
    logger,
    metrics: createControllerMetrics(server.metrics, clock),
  };
  return leaderElection === undefined
    ? startControllers(starting)
    : startElectedControllers(starting, leaderElection);
}

/**
 * COMPAT: an external signer signs no tokens that live in Secrets, so their controller does not run,
 * as kube-controller-manager's without a private key.
 */
function withoutTokenSecrets(
  names: ReadonlySet<ControllerName>,
  ownKey: ServiceAccountTokens['ownKey'],
): ReadonlySet<ControllerName> {
  if (ownKey !== undefined) return names;
  return new Set([...names].filter((name) => name !== 'serviceaccount-token-controller'));
}

/** What the controller of policies needs to know: in which version they are, and all types. */
function checkedPolicies({ index }: ApiServer, features: Features) {
  const [group, resource] = ['admissionregistration.k8s.io', 'validatingadmissionpolicies'];
  const versions = ['v1', 'v1beta1', 'v1alpha1'];
  const version = versions.find((served) => index.find({ group, version: served, resource }));
  if (version === undefined) return undefined;
  const { check } = createPolicyTypeChecker(index, features);
  return { version, checkTypes: check };
}
