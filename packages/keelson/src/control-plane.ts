// The composition root: storage, identity, authorization, admission and the API server become one
// control plane. `keelson up` and `createCluster()` both start here.

import { systemClock, systemRandom, type Clock, type Random } from '@keelson/apimachinery';
import {
  createApiServer,
  createAuthentication,
  createIssuerDiscovery,
  createPrivilegedGroupsAuthorizer,
  createUnionAuthorizer,
  defaultLimits,
  openObjectSources,
  silentLogger,
  coreStrategies,
  withGroup,
  type ApiServer,
  type Features,
  type Filter,
  type Logger,
  type ObjectSources,
  type ServerLimits,
  type StaticToken,
  type Storage,
} from '@keelson/apiserver';
import type { ControllerName } from './controller-list.ts';
import type { Pki } from './pki.ts';
import { versionInfo } from './version.ts';

export interface ControlPlaneOptions {
  readonly storage: Storage;
  readonly features: Features;
  readonly pki: Pki;
  /** PEM bundle of further authorities of client certificates. */
  readonly clientCaPem?: string;
  readonly staticTokens?: readonly StaticToken[];
  readonly controllers?: ReadonlySet<ControllerName>;
  readonly serviceClusterIpRange?: string;
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  readonly admissionControlConfigFile?: string;
  readonly serverAddress: () => string;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly limits?: ServerLimits;
  readonly logger?: Logger;
}

export interface ControlPlane {
  readonly server: ApiServer;
  readonly sources: ObjectSources;
  /** Ends watches, controllers and views, then closes the storage. */
  close(): Promise<void>;
}

export const serviceAccountIssuer = 'https://kubernetes.default.svc.cluster.local';

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { storage, features, pki, clock = systemClock, random = systemRandom, limits = defaultLimits, logger = silentLogger } = options;
  const stop = new AbortController();
  const sources = await openObjectSources(storage, stop.signal);
  const authentication = createAuthentication({
    clock,
    random,
    features,
    apiAudiences: [serviceAccountIssuer],
    anonymous: { enabled: true },
    clientCa: pki.authority.certificatePem + (options.clientCaPem ?? ''),
    staticTokens: options.staticTokens ?? [],
    serviceAccounts: { issuers: [serviceAccountIssuer], keys: [pki.serviceAccountKey], objects: sources },
  });
  const issuer = createIssuerDiscovery({
    issuer: serviceAccountIssuer,
    jwksUri: `https://${options.serverAddress()}/openid/v1/jwks`,
    keys: [pki.serviceAccountKey],
  });
  const passThrough = (name: string): Filter => ({ name, handle: (_context, next) => next() });
  const server = createApiServer({
    storage,
    features,
    authenticator: authentication.authenticator,
    authorizer: createUnionAuthorizer([createPrivilegedGroupsAuthorizer()]),
    impersonation: passThrough('impersonation'),
    audit: passThrough('audit'),
    admissionPlugins: [],
    builtin: { strategies: withGroup('', coreStrategies), conversions: {}, creates: [], projections: [], connects: [] },
    issuer: { openidConfiguration: () => issuer?.configuration.body ?? '{}', jwks: () => issuer?.keySet.body ?? '{"keys":[]}' },
    version: versionInfo(features.emulated.minor),
    serverAddress: options.serverAddress,
    clock,
    random,
    limits,
    logger,
  });
  server.markStarted();
  return {
    server,
    sources,
    async close() {
      server.shutDown();
      stop.abort();
      await storage.close();
    },
  };
}
