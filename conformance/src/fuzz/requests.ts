// One odd request after the other: a resource, a verb, and something wrong with the path, the
// query, the headers or the body. About one in ten is right, so that there are objects to work on.

import { builtinResources, type ResourceDefinition } from '@keelson/apimachinery';
import { brokenBody, objectBody, patchBody, type Body } from './bodies.ts';
import type { Chance } from './chance.ts';
import { oddText } from './odd-values.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly string[];
  readonly body: Uint8Array | undefined;
  /** What is wrong shows below HTTP, so the parser of the transport may answer. */
  readonly malformedHttp: boolean;
}

const names = ['a', 'b', 'c', 'd-1', 'x.y', 'default'];
const namespaces = ['fuzz', 'fuzz', 'fuzz', 'default', 'kube-system', 'absent'];
const longText = 'x'.repeat(20_000);

export function createRequests(chance: Chance): () => FuzzRequest {
  const resources = builtinResources();
  return () => {
    const definition = chance.pick(resources);
    const roll = chance.below(100);
    if (roll < 8)
      return plain(
        chance.pick(['GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PATCH', 'PUT']),
        rootPath(chance),
      );
    if (roll < 18)
      return plain(chance.pick(['GET', 'PUT', 'DELETE', 'POST']), oddPath(chance, definition));
    if (roll < 24) return oddHeaders(chance, definition);
    if (roll < 40)
      return plain(
        'GET',
        `${collection(chance, definition)}?${oddListQuery(chance)}`,
        accept(chance),
      );
    if (roll < 46)
      return plain(
        chance.pick(['GET', 'DELETE']),
        `${item(chance, definition)}${chance.percent(50) ? '' : `?${oddWriteQuery(chance)}`}`,
        accept(chance),
      );
    if (roll < 50) return deletion(chance, definition);
    if (roll < 70)
      return withBody(
        'POST',
        `${collection(chance, definition)}?${writeQuery(chance)}`,
        chance.percent(70)
          ? objectBody(chance, definition, chance.pick(names), 'fuzz')
          : brokenBody(chance, definition),
        accept(chance),
      );
    if (roll < 80)
      return withBody(
        'PUT',
        `${item(chance, definition)}?${writeQuery(chance)}`,
        chance.percent(70)
          ? objectBody(chance, definition, chance.pick(names), 'fuzz')
          : brokenBody(chance, definition),
        accept(chance),
      );
    if (roll < 97) {
      const manager = chance.percent(80) ? '&fieldManager=f' : '';
      return withBody(
        'PATCH',
        `${item(chance, definition)}?${writeQuery(chance)}${manager}${chance.percent(50) ? '&force=true' : ''}`,
        patchBody(chance, definition, chance.pick(names)),
        accept(chance),
      );
    }
    return connection(chance, definition);
  };
}

/** The right manifests that everything else works on. */
export function foundation(): FuzzRequest[] {
  const container = { name: 'a', image: 'i' };
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } };
  const make = (path: string, object: object) =>
    withBody(
      'POST',
      path,
      { contentType: 'application/json', bytes: Buffer.from(JSON.stringify(object)) },
      [],
    );
  return [
    make('/api/v1/namespaces', { metadata: { name: 'fuzz' } }),
    ...['a', 'b'].flatMap((name) => [
      make('/api/v1/namespaces/fuzz/configmaps', { metadata: { name }, data: { k: 'v' } }),
      make('/api/v1/namespaces/fuzz/secrets', { metadata: { name }, data: { k: 'dg==' } }),
      make('/api/v1/namespaces/fuzz/serviceaccounts', { metadata: { name } }),
      make('/api/v1/namespaces/fuzz/pods', { metadata: { name }, spec: template.spec }),
      make('/api/v1/namespaces/fuzz/services', {
        metadata: { name },
        spec: { ports: [{ port: 80 }] },
      }),
      make('/apis/apps/v1/namespaces/fuzz/deployments', {
        metadata: { name },
        spec: { selector: { matchLabels: { a: 'b' } }, template },
      }),
      make('/apis/apps/v1/namespaces/fuzz/statefulsets', {
        metadata: { name },
        spec: { selector: { matchLabels: { a: 'b' } }, template },
      }),
      make('/apis/apps/v1/namespaces/fuzz/daemonsets', {
        metadata: { name },
        spec: { selector: { matchLabels: { a: 'b' } }, template },
      }),
      make('/apis/batch/v1/namespaces/fuzz/jobs', {
        metadata: { name },
        spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } },
      }),
      make('/apis/rbac.authorization.k8s.io/v1/namespaces/fuzz/roles', {
        metadata: { name },
        rules: [],
      }),
      make('/apis/networking.k8s.io/v1/namespaces/fuzz/networkpolicies', {
        metadata: { name },
        spec: { podSelector: {} },
      }),
    ]),
  ];
}

function plain(method: string, target: string, headers: readonly string[] = []): FuzzRequest {
  return { method, target, headers, body: undefined, malformedHttp: false };
}
function withBody(
  method: string,
  target: string,
  body: Body,
  headers: readonly string[],
): FuzzRequest {
  return {
    method,
    target,
    headers: [
      ...headers,
      ...(body.contentType === '' ? [] : [`content-type: ${body.contentType}`]),
      `content-length: ${body.bytes.byteLength}`,
    ],
    body: body.bytes,
    malformedHttp: false,
  };
}

function prefix(definition: ResourceDefinition): string {
  return definition.group === ''
    ? `/api/${definition.version}`
    : `/apis/${definition.group}/${definition.version}`;
}
function collection(chance: Chance, definition: ResourceDefinition): string {
  const scope =
    definition.namespaced && chance.percent(95) ? `/namespaces/${chance.pick(namespaces)}` : '';
  return `${prefix(definition)}${scope}/${definition.resource}`;
}
function item(chance: Chance, definition: ResourceDefinition): string {
  const sub = chance.percent(20)
    ? `/${chance.pick([...definition.subresources.map((s) => s.name), 'status', 'scale', 'bogus'])}`
    : '';
  return `${collection(chance, definition)}/${chance.pick(names)}${sub}`;
}

const rootPaths = [
  '/',
  '/api',
  '/apis',
  '/api/',
  '/version',
  '/healthz',
  '/readyz?verbose',
  '/livez/ping',
  '/livez/..',
  '/readyz?exclude=x',
  '/metrics',
  '/openapi/v2',
  '/openapi/v3',
  '/openapi/v3/api/v1',
  '/openapi/v3/apis/x',
  '/openid/v1/jwks',
  '/.well-known/openid-configuration',
  '/apis/apps',
  '/apis/apps/v1',
  '/apis/x',
  '/api/v9',
  '/logs',
  '/debug/pprof/',
  '/statusz',
  '/flagz',
  '*',
  '/index.html',
];
function rootPath(chance: Chance): string {
  // The whole OpenAPI document is large; once in a while is enough.
  return chance.pick(
    chance.percent(90) ? rootPaths.filter((p) => !p.startsWith('/openapi')) : rootPaths,
  );
}

function oddPath(chance: Chance, definition: ResourceDefinition): string {
  const base = collection(chance, definition);
  const evil = chance
    .pick([
      '%2e%2e',
      '..',
      '.',
      '%00',
      '%',
      '%zz',
      '%2f',
      '%2F..%2f',
      '%252e',
      '//',
      '/',
      ' ',
      '%20',
      '%ff%fe',
      'é',
      ';a=b',
      '?',
      '#x',
      '\\',
      '*',
      '__proto__',
      'constructor',
      'toString',
      '%0d%0aX: y',
      longText,
      `${'a/'.repeat(2000)}`,
    ])
    .replace(' ', '%20');
  return chance.pick([
    `${base}/${evil}`,
    `${base}/${evil}/status`,
    `/${evil}${base}`,
    base.replace('namespaces/', `namespaces/${evil}`),
    base.replace(/\/v1/, `/${evil}`),
    base.replaceAll('/', '//'),
    `/api/v1/watch${base.slice(7)}`,
    `/apis/${evil}/v1/x`,
    `https://127.0.0.1${base}`,
    `${base}/a/b/c/d`,
    `/api/v1/namespaces/${evil}/pods/${evil}/log`,
    `${base}/a/${evil}`,
    `${base}?${evil}=${evil}&&=&%=%`,
  ]);
}

function accept(chance: Chance): string[] {
  if (chance.percent(60)) return [];
  const value = chance.pick([
    'application/json',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
    'application/json;as=Table;v=v9;g=meta.k8s.io',
    'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json',
    'text/html',
    '*/*;q=0',
    'application/*',
    ';;;',
    ',',
    'a/b;q=nan',
    'application/json;as=__proto__',
    'x'.repeat(4000),
  ]);
  return [`accept: ${value}`];
}

function oddHeaders(chance: Chance, definition: ResourceDefinition): FuzzRequest {
  const target = collection(chance, definition);
  const header = chance.pick([
    'x: \u0001',
    ': empty',
    'no-colon',
    'transfer-encoding: chunked, chunked',
    'content-length: -1',
    'content-length: 99999999999999999999',
    'content-length: 5\r\ncontent-length: 6',
    'expect: 100-continue',
    'expect: miracles',
    'upgrade: websocket\r\nconnection: upgrade',
    'upgrade: h2c\r\nconnection: upgrade, http2-settings\r\nhttp2-settings: AAMAAABkAAQAAP__',
    'connection: close',
    `x-long: ${'y'.repeat(70_000)}`,
    `${'z: z\r\n'.repeat(300)}z: z`,
    'authorization: Bearer',
    'authorization: Bearer a.b.c',
    'authorization: Basic eDp5',
    `authorization: Bearer ${'e'.repeat(9000)}`,
    'impersonate-user: x\u00ff',
    'impersonate-user: system:serviceaccount:a',
    'impersonate-group: g',
    'impersonate-user: u\r\nimpersonate-extra-%zz: v',
    'impersonate-uid: 1',
    'audit-id: \u00e9',
    'host: ',
    'accept-encoding: gzip;q=x, *;q=0',
    'keelson-explain: 1',
    'cookie: a=b',
    'x-remote-user: admin\r\nx-remote-group: system:masters',
    'range: bytes=0-1',
    'if-none-match: *',
    'te: trailers',
    'content-encoding: gzip',
  ]);
  const method = chance.pick(['GET', 'POST', 'GET', 'HEAD', 'TRACE', 'PROPFIND', 'get', 'G E T']);
  return { method, target, headers: [header], body: undefined, malformedHttp: true };
}

const oddSelectors = [
  'a=b',
  'a in (b',
  'a in (',
  '!',
  '!!a',
  '=',
  'a==b=c',
  'a!=',
  ',',
  '((((',
  'a notin (,)',
  'x'.repeat(400),
  'a/b/c=d',
  '__proto__=x',
  'metadata.name=a',
  'metadata.name=a,metadata.name=b',
  'metadata.name=..%2Fx',
  'metadata.namespace=%00',
  'spec.nodeName=x',
  'status.phase!=Running',
  'bogus=1',
  'a%3Db',
  'metadata.name=\\',
  'metadata.name=a\\,b',
  'a>1',
  'a<x',
  'a in (b,c),d',
  'constructor=x',
];
const oddTokens = [
  'x',
  'e30',
  '%00',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiJhXHUwMDAwIn0',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiLi4vLi4veCJ9',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6OTk5OTk5OTk5LCJzdGFydCI6ImEifQ',
  'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6Mywic3RhcnQiOiIvLi4vLi4vc2VjcmV0cyJ9',
  'bnVsbA',
  'W10',
  'MQ',
  'x'.repeat(5000),
  'eyJ2Ijp7fX0',
  '{"v":1}',
];

function oddListQuery(chance: Chance): string {
  const one = () =>
    chance.pick([
      () => `labelSelector=${encodeURIComponent(chance.pick(oddSelectors))}`,
      () => `fieldSelector=${encodeURIComponent(chance.pick(oddSelectors))}`,
      () => `continue=${encodeURIComponent(chance.pick(oddTokens))}`,
      () =>
        `limit=${encodeURIComponent(chance.pick(['1', '0', '-1', '1.5', 'x', '99999999999999999999', '2', '500']))}`,
      () =>
        `resourceVersion=${encodeURIComponent(chance.pick(['0', '1', '-1', 'x', '99999999', '9'.repeat(40), '', '1.0', '0x1']))}`,
      () => `resourceVersionMatch=${chance.pick(['Exact', 'NotOlderThan', 'x', ''])}`,
      () =>
        `watch=${chance.pick(['1', 'true', '0', 'x', ''])}&timeoutSeconds=${chance.pick(['1', '1', '1', '-1', 'x'])}`,
      () =>
        `watch=1&timeoutSeconds=1&sendInitialEvents=${chance.pick(['true', 'false', 'x'])}&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=${chance.pick(['true', ''])}`,
      () => `timeoutSeconds=${chance.pick(['0', '-1', 'x', '1e3'])}`,
      () =>
        `timeout=${encodeURIComponent(chance.pick(['1s', '-1s', 'x', '0', '1ns', '9999h', '1s1s']))}`,
      () => `pretty=${chance.pick(['true', '0', 'x'])}`,
      () =>
        `${encodeURIComponent(oddText(chance))}=${encodeURIComponent(oddText(chance).replaceAll(/[\ud800-\udfff]/g, '?'))}`,
    ])();
  return Array.from({ length: 1 + chance.below(3) }, () => safeEncode(one)).join('&');
}

/** Lone surrogates have no URL form. */
function safeEncode(make: () => string): string {
  try {
    return make();
  } catch {
    return '%ED%A0%80=1';
  }
}

function writeQuery(chance: Chance): string {
  return chance.percent(75) ? '' : oddWriteQuery(chance);
}
function oddWriteQuery(chance: Chance): string {
  return chance.pick([
    'dryRun=All',
    'dryRun=x',
    'dryRun=',
    'dryRun=All&dryRun=All',
    'fieldManager=%00',
    `fieldManager=${'m'.repeat(200)}`,
    'fieldManager=%F0%9F%92%A5',
    'fieldValidation=Strict',
    'fieldValidation=Ignore',
    'fieldValidation=x',
    'gracePeriodSeconds=-1',
    'gracePeriodSeconds=x',
    'propagationPolicy=x',
    'propagationPolicy=Orphan&orphanDependents=true',
    'orphanDependents=x',
    'force=x',
    'timeout=1ms',
    'timeout=x',
    'pretty=1',
    '__proto__=1',
  ]);
}

function deletion(chance: Chance, definition: ResourceDefinition): FuzzRequest {
  const options = chance.pick([
    '{}',
    '',
    '{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":-5}',
    '{"propagationPolicy":5}',
    '{"propagationPolicy":"Foreground"}',
    '{"dryRun":["All"]}',
    '{"dryRun":"All"}',
    '{"preconditions":{"uid":7}}',
    '{"preconditions":{"uid":"x","resourceVersion":"y"}}',
    '[]',
    '{"kind":"Pod","apiVersion":"v1"}',
    '{"gracePeriodSeconds":1e400}',
    '{',
    'null',
    '{"__proto__":{"dryRun":["All"]}}',
  ]);
  // A collection is only emptied when a selector spares most of it.
  const target = chance.percent(20)
    ? `${collection(chance, definition)}?labelSelector=none%3Dsuch`
    : item(chance, definition);
  return withBody(
    'DELETE',
    target,
    {
      contentType: chance.pick(['application/json', 'application/yaml', 'text/plain', '']),
      bytes: Buffer.from(options),
    },
    [],
  );
}

function connection(chance: Chance, definition: ResourceDefinition): FuzzRequest {
  const path = chance.pick([
    '/api/v1/namespaces/fuzz/pods/a/exec?command=x',
    '/api/v1/namespaces/fuzz/pods/a/attach',
    '/api/v1/namespaces/fuzz/pods/a/portforward?ports=x',
    '/api/v1/namespaces/fuzz/pods/a/log?tailLines=-1',
    '/api/v1/namespaces/fuzz/pods/a/proxy/../..',
    '/api/v1/namespaces/fuzz/services/a:x/proxy/',
    '/api/v1/nodes/x/proxy/metrics',
    '/api/v1/namespaces/fuzz/pods/a/eviction',
    '/api/v1/namespaces/fuzz/pods/a/binding',
    '/api/v1/namespaces/fuzz/serviceaccounts/a/token',
    '/api/v1/namespaces/fuzz/finalize',
    '/apis/apps/v1/namespaces/fuzz/deployments/a/scale',
  ]);
  const body = chance.percent(50)
    ? objectBody(chance, definition, 'a', 'fuzz')
    : brokenBody(chance, definition);
  return withBody(chance.pick(['GET', 'POST', 'PUT', 'DELETE']), path, body, []);
}

/** The request as it goes over the wire. */
export function serializeRequest(request: FuzzRequest, authorization: string): Uint8Array {
  const own = request.headers.some((h) => h.startsWith('authorization:'))
    ? []
    : [`authorization: ${authorization}`];
  const host = request.headers.some((h) => h.startsWith('host:')) ? [] : ['host: 127.0.0.1'];
  const head = [
    `${request.method} ${request.target} HTTP/1.1`,
    ...host,
    ...own,
    ...request.headers,
    '',
    '',
  ].join('\r\n');
  const headBytes = Buffer.from(head, request.malformedHttp ? 'latin1' : 'utf8');
  return request.body === undefined ? headBytes : Buffer.concat([headBytes, request.body]);
}
