// What tests of the whole server share: one made of the real parts over storage in memory, called
// without a socket, with a log that can be read.

import { systemClock, systemRandom, type Clock } from '@keelson/apimachinery';
import {
  createAggregator,
  type Aggregator,
  type AggregatorOptions,
} from './aggregation/create-aggregator.ts';
import type { AdmissionPlugin } from './admission/admission.ts';
import type { UserInfo } from './authentication/authenticator.ts';
import type { KeyPairPem } from './authentication/certificates/certificate-authority.ts';
import { createAuthentication } from './authentication/create-authentication.ts';
import type { StaticToken } from './authentication/static-tokens.ts';
import { systemUser } from './authentication/system-user.ts';
import type { Authorizer } from './authorization/authorizer.ts';
import { bootstrapPolicy } from './authorization/bootstrap-policy.ts';
import { createAuthorization } from './authorization/create-authorization.ts';
import { defaultLimits, type ServerLimits } from './config.ts';
import { createApiServer, type ApiServer } from './create-api-server.ts';
import { createFeatures } from './features/create-features.ts';
import type { Features } from './features/features.ts';
import { createImpersonationFilter } from './filters/impersonation.ts';
import type { Logger } from './logger.ts';
import { createMetrics } from './metrics.ts';
import { flowControlSources, openObjectSources, type ObjectSources } from './object-sources.ts';
import { startDefinitionServer } from './registry/apiextensions/definition-server.ts';
import { createBuiltinParts } from './registry/builtin-parts.ts';
import { scopeIn } from './registry/resource-endpoint.ts';
import { createMemoryStorage } from './storage/index.ts';
import type { Storage } from './storage/storage.ts';
import { callInProcess } from './transport/in-process.ts';
import type { Route } from './transport/outbound.ts';
import { createServiceResolver } from './transport/service-resolver.ts';

export interface TestServerOptions {
  readonly limits?: Partial<ServerLimits>;
  readonly clock?: Clock;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** `1.30`; the newest release when absent. */
  readonly emulatedVersion?: string;
  readonly admissionPlugins?: readonly AdmissionPlugin[];
  readonly staticTokens?: readonly StaticToken[];
  /** False turns API Priority and Fairness off. */
  readonly flowControl?: boolean;
  /** In place of RBAC. */
  readonly authorizer?: Authorizer;
  /** Puts the aggregation layer in front, with this identity, and serves custom resources. */
  readonly frontProxy?: KeyPairPem;
  /** Where addresses of pods and services are reached. */
  readonly route?: Route;
  /** Wraps the storage in memory. */
  readonly storage?: (storage: Storage) => Storage;
}
export interface TestCall {
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: object | string | Uint8Array;
  /** Absent: the credentials in the headers decide. */
  readonly user?: UserInfo;
}
export interface TestAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string | readonly string[]>;
  readonly text: string;
  /** The body as JSON. */
  json(): Record<string, unknown>;
}
export interface TestServer {
  readonly server: ApiServer;
  /** Everything logged so far, as JSON lines. */
  log(): string;
  call(method: string, url: string, call?: TestCall): Promise<TestAnswer>;
  /** As a member of system:masters. */
  admin(method: string, url: string, body?: TestCall['body']): Promise<TestAnswer>;
  close(): Promise<void>;
}

const issuer = 'https://test';

function createTestFeatures({ featureGates = {}, emulatedVersion }: TestServerOptions): Features {
  return createFeatures({
    featureGates,
    ...(emulatedVersion === undefined ? {} : { emulatedVersion }),
  });
}

const testDocuments = {
  configuration: '{}',
  keySet: '{"keys":[]}',
  cacheControl: 'no-cache',
};

export async function createTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { clock = systemClock } = options;
  const memory = createMemoryStorage({ clock });
  const storage = options.storage?.(memory) ?? memory;
  const features = createTestFeatures(options);
  const stop = new AbortController();
  const sources = await openObjectSources(storage, stop.signal);
  const authentication = createAuthentication({
    clock,
    random: systemRandom,
    features,
    apiAudiences: [issuer],
    anonymous: { enabled: true },
    staticTokens: options.staticTokens ?? [],
  });
  const authorization = createAuthorization({ objects: sources, features });
  const authorizer = options.authorizer ?? authorization.authorizer;
  const lines: string[] = [];
  const logger = createLogInto(lines);
  const parts = { storage, clock, features, logger, metrics: createMetrics() };
  const scope = () => scopeIn(server.index, 'apiregistration.k8s.io', 'apiservices');
  const following = { ...parts, sources, scope, signal: stop.signal };
  const aggregator = createTestAggregator(options, following);
  const server: ApiServer = createApiServer({
    ...parts,
    ...(aggregator === undefined ? {} : { aggregator }),
    authenticator: authentication.authenticator,
    authorizer,
    impersonation: createImpersonationFilter(authorizer, features),
    audit: { name: 'audit', handle: (_context, next) => next() },
    admissionPlugins: options.admissionPlugins ?? [],
    builtin: createBuiltinParts({
      ...parts,
      sources,
      random: systemRandom,
      authorizer,
      ...(options.route === undefined ? {} : { route: options.route }),
      serviceClusterIpRanges: ['10.96.0.0/16'],
      scopeOf: (group, resource) => scopeIn(server.index, group, resource),
      creates: [],
    }),
    issuer: { documents: () => testDocuments },
    version: testVersion,
    flowControl: options.flowControl === false ? undefined : flowControlSources(sources),
    serverAddress: () => '127.0.0.1:6443',
    limits: { ...defaultLimits, ...options.limits },
  });
  if (aggregator !== undefined)
    startAggregation(aggregator, { server, sources, logger, signal: stop.signal });
  server.markStarted();
  const call: TestServer['call'] = (method, url, { headers = {}, body, user } = {}) =>
    callServer(server, { method, url, headers, body, user });
  const admin: TestServer['admin'] = (method, url, body) =>
    call(method, url, { user: systemUser, ...(body && { body }) });
  if (options.authorizer === undefined) await storePolicy(features, admin);
  return {
    server,
    log: () => lines.join('\n'),
    call,
    admin,
    async close() {
      server.shutDown();
      authorization.close();
      stop.abort();
      await storage.close();
    },
  };
}

/** The default policy, as far as it holds in the whole cluster. */
async function storePolicy(features: Features, admin: TestServer['admin']): Promise<void> {
  for (const { resource, object } of bootstrapPolicy(features)) {
    const scope = object.metadata.namespace;
    if (scope !== undefined) continue;
    const { status, text } = await admin('POST', `${rbacPath}/${resource}`, object);
    if (status !== 201) throw new Error(`${object.metadata.name}: ${text}`);
  }
}

interface AggregationParts {
  readonly server: ApiServer;
  readonly sources: ObjectSources;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

function startAggregation(
  aggregator: Aggregator,
  { server, sources, logger, signal }: AggregationParts,
): void {
  aggregator.start();
  startDefinitionServer({
    definitions: sources.customResourceDefinitions,
    index: server.index,
    dependencies: server.dependencies,
    logger,
    signal,
  });
}

function createTestAggregator(
  { frontProxy, route }: TestServerOptions,
  parts: Omit<AggregatorOptions, 'resolver' | 'frontProxy'>,
): Aggregator | undefined {
  if (frontProxy === undefined) return undefined;
  return createAggregator({
    ...parts,
    ...(route === undefined ? {} : { route }),
    resolver: createServiceResolver({ ...parts.sources, routing: 'endpoints' }),
    frontProxy: () => frontProxy,
  });
}

const rbacPath = '/apis/rbac.authorization.k8s.io/v1';

const testVersion = {
  major: '1',
  minor: '36',
  emulationMajor: '1',
  emulationMinor: '36',
  minCompatibilityMajor: '1',
  minCompatibilityMinor: '35',
  gitVersion: 'v1.36.0',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '',
  goVersion: '',
  compiler: '',
  platform: '',
};

interface ServerCall extends Required<Pick<TestCall, 'headers'>> {
  readonly method: string;
  readonly url: string;
  readonly body: TestCall['body'];
  readonly user: UserInfo | undefined;
}

async function callServer(server: ApiServer, call: ServerCall): Promise<TestAnswer> {
  const { method, url, headers, body, user } = call;
  const isObject = typeof body === 'object' && !(body instanceof Uint8Array);
  const bytes = isObject ? Buffer.from(JSON.stringify(body)) : Buffer.from(body ?? '');
  const answer = await callInProcess(server.serve, {
    method,
    url,
    headers: isObject ? { 'content-type': 'application/json', ...headers } : headers,
    body: bytes,
    ...(user === undefined ? {} : { user }),
  });
  const text = Buffer.from(await answer.bytes()).toString('utf8');
  const json = () => JSON.parse(text) as Record<string, unknown>;
  return { status: answer.status, headers: answer.headers, text, json };
}

function createLogInto(lines: string[]): Logger {
  const write = (level: string) => (message: string, fields?: Readonly<Record<string, unknown>>) =>
    void lines.push(JSON.stringify({ level, message, ...fields }));
  return { error: write('error'), warn: write('warn'), info: write('info'), debug: write('debug') };
}
