// What the flags of kube-apiserver ask for, checked as kube-apiserver checks it: all problems at
// once, each in its words. Files are read here, so that the rest of the start cannot fail for them.

import { readFileSync } from 'node:fs';
import { openProblem } from '../open-problem.ts';
import { dirname, resolve } from 'node:path';
import { networkInterfaces } from 'node:os';
import { isIP } from 'node:net';
import {
  createFeatures,
  defaultLimits,
  parseAdmissionConfiguration,
  parseFeatureGates,
  createBuiltinVersions,
  parseRuntimeConfig,
  parseServiceRanges,
  type Features,
  type KeyPairPem,
  type RuntimeConfig,
  type ServerLimits,
  type ServiceRanges,
} from '@keelson/apiserver';
import { parseYaml } from '@keelson/apimachinery';
import type { ControlPlaneOptions } from '../../control-plane-options.ts';
import { readAuthenticationFlags, type AuthenticationFlags } from '../authentication-flags.ts';
import { readAuthorizationSettings } from '../authorization-flags.ts';
import type { ServiceAccountChoices } from '../../identity.ts';
import { FlagError, type FlagValues } from '../go-flags.ts';
import {
  readServiceAccountChoices,
  ServiceAccountKeyError,
  serviceAccountProblems,
} from '../service-account-flags.ts';
import { refusedFlags } from './flags.ts';

export interface KubeApiserverOptions {
  /** The part of them that the flags decide. */
  readonly controlPlane: Omit<
    ControlPlaneOptions,
    'storage' | 'pki' | 'serverAddress' | 'logger'
  > & {
    readonly limits: ServerLimits;
    readonly serviceRanges: ServiceRanges;
  };
  /** With which it proves to extension API servers and kubelets who it is. */
  readonly proxyClient: KeyPairPem | undefined;
  readonly kubeletClient: KeyPairPem | undefined;
  readonly bindAddress: string;
  /** Host under which clients reach the server. */
  readonly advertiseAddress: string;
  readonly securePort: number;
  readonly http2: boolean;
  readonly etcdServers: readonly string[];
  readonly serving: {
    readonly certDir: string;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
  };
}

/** Throws FlagError for what kube-apiserver refuses too, and what the files' own parsers throw. */
export function readKubeApiserverOptions(
  flags: FlagValues,
  warn: (text: string) => void,
): KubeApiserverOptions {
  assertFlags(flags);
  const bindAddress = flags.text('bind-address') ?? '0.0.0.0';
  const features = readFeatures(flags);
  const tokens = readServiceAccounts(flags, features);
  return {
    controlPlane: {
      features,
      ...readAuthentication(flags, features, warn),
      ...tokens,
      ...readAuthorization(flags, features),
      ...readAdmission(flags, features),
      runtimeConfig: readRuntimeConfig(flags, features),
      ...(flags.isSet('enable-aggregator-routing')
        ? { enableAggregatorRouting: flags.bool('enable-aggregator-routing') }
        : {}),
      priorityAndFairness: flags.bool('enable-priority-and-fairness'),
      serviceRanges: parseServiceRanges(
        flags.text('service-cluster-ip-range') || defaultServiceRange,
      ),
      limits: {
        ...defaultLimits,
        requestTimeoutMs: flags.durationMs('request-timeout'),
        watchTimeoutMinMs: flags.number('min-request-timeout') * 1000,
        readOnlyInFlightMax: flags.number('max-requests-inflight'),
        mutatingInFlightMax: flags.number('max-mutating-requests-inflight'),
      },
    },
    proxyClient: readPair(flags, 'proxy-client-cert-file', 'proxy-client-key-file'),
    kubeletClient: readPair(flags, 'kubelet-client-certificate', 'kubelet-client-key'),
    bindAddress,
    advertiseAddress: flags.text('advertise-address') ?? reachableAddress(bindAddress),
    securePort: flags.number('secure-port'),
    http2: !flags.bool('disable-http2-serving'),
    etcdServers: flags.list('etcd-servers'),
    serving: {
      certDir: flags.text('cert-dir') ?? '',
      certFile: flags.text('tls-cert-file'),
      keyFile: flags.text('tls-private-key-file'),
    },
  };
}

function assertFlags(flags: FlagValues): void {
  const [first] = flags.positional;
  if (first !== undefined) {
    const words = flags.positional.map((word) => JSON.stringify(word)).join(' ');
    throw new FlagError(`"kube-apiserver" does not take any arguments, got [${words}]`);
  }
  const problems: string[] = [];
  for (const name of flags.given())
    if (refusedFlags.has(name))
      problems.push(`--${name} cannot be honoured, and going on without it would be less safe`);
  if (flags.list('etcd-servers').length === 0) problems.push('--etcd-servers must be specified');
  const port = flags.number('secure-port');
  if (port < 1 || port > 65_535)
    problems.push(
      `--secure-port ${port} must be between 1 and 65535, inclusive. It cannot be turned off with 0`,
    );
  problems.push(...signerProblems(flags));
  for (const name of ['max-requests-inflight', 'max-mutating-requests-inflight'])
    if (flags.number(name) < 0) problems.push(`--${name} can not be negative value`);
  if (flags.durationMs('request-timeout') < 0)
    problems.push('--request-timeout can not be negative value');
  if (flags.number('min-request-timeout') < 0)
    problems.push('--min-request-timeout can not be negative value');
  if (flags.isSet('tls-cert-file') !== flags.isSet('tls-private-key-file'))
    problems.push('--tls-cert-file and --tls-private-key-file go together');
  const address = flags.text('bind-address') ?? '';
  if (isIP(address) === 0)
    problems.push(`invalid argument ${JSON.stringify(address)} for "--bind-address" flag`);
  throwProblems(problems);
}

/** Without an issuer and somebody who signs there are no tokens at all. */
function signerProblems(flags: FlagValues): string[] {
  const issuer = flags.isSet('service-account-issuer');
  const signs =
    flags.isSet('service-account-signing-key-file') ||
    flags.isSet('service-account-signing-endpoint');
  const problems: string[] = [];
  if (!issuer) problems.push('service-account-issuer is a required flag');
  if (!issuer && !signs && !flags.isSet('api-audiences'))
    problems.push(
      '--service-account-signing-key-file and --service-account-issuer are required flags',
    );
  else if (!issuer || !signs)
    problems.push(
      '--service-account-signing-key-file, --service-account-issuer, and --api-audiences should be specified together',
    );
  return problems;
}

function readServiceAccounts(flags: FlagValues, features: Features): ServiceAccountChoices {
  const values = {
    issuers: flags.list('service-account-issuer'),
    keyFiles: flags.list('service-account-key-file'),
    signingKeyFile: flags.text('service-account-signing-key-file') ?? '',
    signingEndpoint: flags.text('service-account-signing-endpoint') ?? '',
    jwksUri: flags.text('service-account-jwks-uri') ?? '',
    apiAudiences: flags.list('api-audiences'),
    maxExpirationMs: flags.durationMs('service-account-max-token-expiration'),
    extendExpiration: flags.bool('service-account-extend-token-expiration'),
  };
  throwProblems(serviceAccountProblems(values, features));
  try {
    return readServiceAccountChoices(values, noOwnKey);
  } catch (error) {
    if (error instanceof ServiceAccountKeyError) throw new FlagError(error.message);
    throw error;
  }
}

function noOwnKey(): never {
  throw new Error('the flags name the key that signs tokens');
}

function throwProblems(problems: readonly string[]): void {
  if (problems.length > 0)
    throw new FlagError(problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`);
}

function readFeatures(flags: FlagValues): Features {
  const version = flags
    .list('emulated-version')
    .map((text) => text.replace(/^kube=/, ''))
    .at(-1);
  const gates = flags.list('feature-gates').map((text) => text.replace(/^kube:/, ''));
  return createFeatures({
    ...(version === undefined ? {} : { emulatedVersion: version }),
    featureGates: parseFeatureGates(gates.join(',')),
  });
}

/** Checked here, so that what is wrong shows before anything is opened. */
/** COMPAT: an empty flag means it too. */
const defaultServiceRange = '10.0.0.0/24';

function readRuntimeConfig(flags: FlagValues, features: Features): RuntimeConfig {
  const config = parseRuntimeConfig(flags.list('runtime-config'));
  createBuiltinVersions(config, features);
  return config;
}

function readAuthentication(
  flags: FlagValues,
  features: Features,
  warn: (text: string) => void,
): Partial<ControlPlaneOptions> {
  return {
    ...readAuthenticationFlags(authenticationFlags(flags), features, warn),
    foreignAuthorityOnly: true,
  };
}

function authenticationFlags(flags: FlagValues): AuthenticationFlags {
  const given = <T>(name: string, read: (name: string) => T) =>
    flags.isSet(name) ? read(name) : undefined;
  const text = (name: string) => given(name, flags.text);
  const list = (name: string) => given(name, flags.list);
  return {
    anonymousAuth: given('anonymous-auth', flags.bool),
    authenticationConfig: text('authentication-config'),
    authenticationTokenWebhookConfigFile: text('authentication-token-webhook-config-file'),
    authenticationTokenWebhookVersion: flags.text('authentication-token-webhook-version'),
    authenticationTokenWebhookCacheTtl: flags.durationMs('authentication-token-webhook-cache-ttl'),
    clientCaFile: text('client-ca-file'),
    enableBootstrapTokenAuth: flags.bool('enable-bootstrap-token-auth'),
    oidcCaFile: text('oidc-ca-file'),
    oidcClientId: text('oidc-client-id'),
    oidcGroupsClaim: text('oidc-groups-claim'),
    oidcGroupsPrefix: text('oidc-groups-prefix'),
    oidcIssuerUrl: text('oidc-issuer-url'),
    oidcRequiredClaim: list('oidc-required-claim'),
    oidcSigningAlgs: list('oidc-signing-algs'),
    oidcUsernameClaim: text('oidc-username-claim'),
    oidcUsernamePrefix: text('oidc-username-prefix'),
    requestheaderAllowedNames: list('requestheader-allowed-names'),
    requestheaderClientCaFile: text('requestheader-client-ca-file'),
    requestheaderExtraHeadersPrefix: list('requestheader-extra-headers-prefix'),
    requestheaderGroupHeaders: list('requestheader-group-headers'),
    requestheaderUidHeaders: list('requestheader-uid-headers'),
    requestheaderUsernameHeaders: list('requestheader-username-headers'),
    tokenAuthFile: text('token-auth-file'),
  };
}

function readAuthorization(
  flags: FlagValues,
  features: Features,
): Pick<ControlPlaneOptions, 'authorization'> {
  const given = (name: string) => (flags.isSet(name) ? flags.text(name) : undefined);
  const duration = (name: string) => (flags.isSet(name) ? flags.durationMs(name) : undefined);
  const authorizationFlags = {
    config: given('authorization-config'),
    modes: flags.isSet('authorization-mode') ? flags.list('authorization-mode') : undefined,
    policyFile: given('authorization-policy-file'),
    webhookConfigFile: given('authorization-webhook-config-file'),
    webhookVersion: given('authorization-webhook-version'),
    authorizedTtlMs: duration('authorization-webhook-cache-authorized-ttl'),
    unauthorizedTtlMs: duration('authorization-webhook-cache-unauthorized-ttl'),
  };
  return {
    authorization: readAuthorizationSettings(authorizationFlags, features, ['AlwaysAllow']),
  };
}

function readAdmission(flags: FlagValues, features: Features): Partial<ControlPlaneOptions> {
  const read = (path: string) => parsing(path, (text) => parseYaml(text).value);
  const file = flags.text('admission-control-config-file');
  return {
    standardPlugins: [],
    enableAdmissionPlugins: flags.list('enable-admission-plugins'),
    disableAdmissionPlugins: flags.list('disable-admission-plugins'),
    ...(file === undefined
      ? {}
      : {
          admissionConfiguration: parseAdmissionConfiguration(
            read(file),
            (path) => read(resolve(dirname(file), path)),
            features,
          ),
        }),
  };
}

function readPair(flags: FlagValues, certificate: string, key: string): KeyPairPem | undefined {
  const certificatePem = readFile(flags, certificate, (text) => text);
  const privateKeyPem = readFile(flags, key, (text) => text);
  if (certificatePem !== undefined && privateKeyPem !== undefined)
    return { certificatePem, privateKeyPem };
  if (certificatePem !== undefined || privateKeyPem !== undefined)
    throw new FlagError(`--${certificate} and --${key} go together`);
  return undefined;
}

/** `read` of the contents of the file that a flag names; undefined without the flag. */
function readFile<T>(
  flags: FlagValues,
  name: string,
  read: (text: string, file: string) => T,
): T | undefined {
  const file = flags.text(name);
  return file === undefined || file === '' ? undefined : parsing(file, (text) => read(text, file));
}

function parsing<T>(file: string, read: (text: string) => T): T {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FlagError(openProblem(file, cause) ?? String(cause));
  }
  try {
    return read(text);
  } catch (cause) {
    throw new FlagError(`${file}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

/** An address of this machine that others can use when it listens on all of them. */
function reachableAddress(bindAddress: string): string {
  if (bindAddress !== '0.0.0.0' && bindAddress !== '::') return bindAddress;
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.find((i) => !i.internal && i.family === 'IPv4')?.address ?? '127.0.0.1';
}
