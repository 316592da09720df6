// Paths that are neither resources nor discovery: the list of paths, /version, /metrics, health,
// OIDC discovery, OpenAPI; and the 404 for everything else.

import { statusErrors } from '@keelson/apimachinery';
import type { Metrics } from '../metrics.ts';
import type { RequestContext } from '../request-context.ts';
import { methodNotAllowed, serveDiscovery } from './discovery/endpoint.ts';
import type { DiscoveryDocuments } from './discovery/documents.ts';
import { serveHealth, type HealthChecks } from './health.ts';
import { parseAccept, singleHeader } from './negotiation.ts';
import { respondBytes, respondText, startResponse } from './respond.ts';
import type { PathHandler } from './router.ts';

export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly emulationMajor: string;
  readonly emulationMinor: string;
  readonly minCompatibilityMajor: string;
  readonly minCompatibilityMinor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** The issuer of service account tokens, for those who verify them elsewhere. */
export interface IssuerDocuments {
  /** Undefined when its address allows none; there are no such paths then. */
  documents():
    | {
        /** JSON of `/.well-known/openid-configuration`. */
        readonly configuration: string;
        /** JSON of `/openid/v1/jwks`. */
        readonly keySet: string;
        readonly cacheControl: string;
      }
    | undefined;
}

export interface RootPathOptions {
  readonly discovery: DiscoveryDocuments;
  readonly health: HealthChecks;
  readonly metrics: Metrics;
  readonly version: VersionInfo;
  readonly issuer: IssuerDocuments;
  readonly onHealthFailure: (name: string, reason: string) => void;
}

/** In the order in which they are asked. */
export function createRootPaths(options: RootPathOptions): readonly PathHandler[] {
  return [
    (context) => serveDiscovery(context, options.discovery),
    (context) => serveHealth(context, options.health, options.onHealthFailure),
    (context) => serveVersion(context, options.version),
    (context) => serveMetrics(context, options.metrics),
    (context) => serveIssuer(context, options.issuer),
    (context) => serveIndex(context, options),
  ];
}

function serveVersion(context: RequestContext, version: VersionInfo): boolean {
  if (context.info.path !== '/version' && context.info.path !== '/version/') return false;
  if (context.request.method !== 'GET') throw methodNotAllowed();
  respondBytes(context, prettyJson(version), 200, 'application/json');
  return true;
}

function serveMetrics(context: RequestContext, metrics: Metrics): boolean {
  if (context.info.path !== '/metrics') return false;
  respondBytes(
    context,
    Buffer.from(metrics.render()),
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  );
  return true;
}

const configurationPath = '/.well-known/openid-configuration';
const keySetPath = '/openid/v1/jwks';

function serveIssuer(context: RequestContext, issuer: IssuerDocuments): boolean {
  const path = context.info.path.replace(/\/$/, '');
  if (path !== configurationPath && path !== keySetPath) return false;
  const documents = issuer.documents();
  if (documents === undefined) return false;
  if (path === keySetPath) assertAcceptsKeySet(context);
  const isKeySet = path === keySetPath;
  const type = isKeySet ? 'application/jwk-set+json' : 'application/json';
  const body = Buffer.from(isKeySet ? documents.keySet : documents.configuration);
  const { request, response } = context;
  startResponse(context, 200, type);
  response.setHeader('cache-control', documents.cacheControl);
  response.setHeader('content-length', String(body.byteLength));
  if (request.method === 'HEAD') response.end();
  else response.end(body);
  return true;
}

function assertAcceptsKeySet(context: RequestContext): void {
  const accepts = parseAccept(singleHeader(context.request.headers['accept'])).map((c) => c.type);
  if (
    accepts.length > 0 &&
    !accepts.some((t) => t === 'application/jwk-set+json' || t === '*/*' || t === 'application/*')
  )
    throw statusErrors.generic(
      406,
      'NotAcceptable',
      '406: Not Acceptable\n\nAvailable representations: application/jwk-set+json',
      {},
    );
}

const fixedPaths = [
  '/api',
  '/apis',
  '/apis/',
  '/flagz',
  '/metrics',
  '/metrics/slis',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/',
  '/statusz',
  '/version',
];

function serveIndex(context: RequestContext, options: RootPathOptions): boolean {
  const { path } = context.info;
  if (path !== '/' && path !== '/index.html') {
    respondText(context, '404 page not found\n', 404);
    return true;
  }
  const groups = options.discovery
    .groupVersions()
    .flatMap(({ group, version }) =>
      group === '' ? [`/api/${version}`] : [`/apis/${group}`, `/apis/${group}/${version}`],
    );
  const health = Object.entries(options.health).flatMap(([name, checks]) => [
    `/${name}`,
    ...checks.map((c) => `/${name}/${c.name}`),
  ]);
  const issuer = options.issuer.documents() && [configurationPath, keySetPath];
  const all = [...fixedPaths, ...(issuer ?? []), ...groups, ...health];
  const paths = [...new Set(all)].toSorted();
  respondBytes(context, prettyJson({ paths }), 200, 'application/json');
  return true;
}

// COMPAT: these documents are for people first; kube-apiserver indents them by two.
function prettyJson(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value, null, 2));
}
