import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextTurn } from '@keelson/apimachinery';
import { systemUser } from '../authentication/system-user.ts';
import { createTestServer } from '../testing.ts';

const user = systemUser;
const maps = '/api/v1/namespaces/default/configmaps';
const object = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
});
const apply = { 'content-type': 'application/apply-patch+yaml' };

interface Row {
  readonly what: string;
  readonly method: string;
  readonly url: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Those that are not empty, and the code. */
  readonly counted: Readonly<Record<string, string>>;
}
const ofMaps = { version: 'v1', resource: 'configmaps' };
const rows: readonly Row[] = [
  {
    what: 'a creation',
    method: 'POST',
    url: maps,
    body: object('a'),
    counted: { ...ofMaps, verb: 'POST', scope: 'resource', code: '201' },
  },
  {
    what: 'a trial',
    method: 'POST',
    url: `${maps}?dryRun=All`,
    body: object('b'),
    counted: { ...ofMaps, verb: 'POST', dry_run: 'All', scope: 'resource', code: '201' },
  },
  {
    what: 'a trial that is none',
    method: 'POST',
    url: `${maps}?dryRun=Some`,
    body: object('b'),
    counted: { ...ofMaps, verb: 'POST', dry_run: 'invalid', scope: 'resource', code: '422' },
  },
  {
    what: 'an object',
    method: 'GET',
    url: `${maps}/a`,
    counted: { ...ofMaps, verb: 'GET', scope: 'resource', code: '200' },
  },
  {
    what: 'what is not there',
    method: 'GET',
    url: `${maps}/nothing`,
    counted: { ...ofMaps, verb: 'GET', scope: 'resource', code: '404' },
  },
  {
    what: 'a deletion of what is not there',
    method: 'DELETE',
    url: `${maps}/nothing`,
    counted: { ...ofMaps, verb: 'DELETE', scope: 'resource', code: '404' },
  },
  {
    what: 'a namespace',
    method: 'GET',
    url: maps,
    counted: { ...ofMaps, verb: 'LIST', scope: 'namespace', code: '200' },
  },
  {
    what: 'all namespaces',
    method: 'GET',
    url: '/api/v1/configmaps',
    counted: { ...ofMaps, verb: 'LIST', scope: 'cluster', code: '200' },
  },
  {
    what: 'a whole collection',
    method: 'DELETE',
    url: `${maps}?labelSelector=a=b`,
    counted: { ...ofMaps, verb: 'DELETECOLLECTION', scope: 'namespace', code: '200' },
  },
  {
    what: 'an apply',
    method: 'PATCH',
    url: `${maps}/a?fieldManager=me`,
    headers: apply,
    body: object('a'),
    counted: { ...ofMaps, verb: 'APPLY', scope: 'resource', code: '200' },
  },
  {
    what: 'a patch',
    method: 'PATCH',
    url: `${maps}/a`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { data: { a: 'b' } },
    counted: { ...ofMaps, verb: 'PATCH', scope: 'resource', code: '200' },
  },
  {
    what: 'a version',
    method: 'GET',
    url: '/version',
    counted: { verb: 'GET', code: '200' },
  },
  {
    what: 'a resource that is not served',
    method: 'GET',
    url: '/apis/example.com/v1/namespaces/default/secrets-of-mine',
    counted: { verb: 'LIST', code: '404' },
  },
  {
    what: 'a method that nobody knows',
    method: 'BREW',
    url: '/pot',
    counted: { verb: 'OTHER', code: '404' },
  },
];

test('requests are counted with what was answered', async (t) => {
  const server = await createTestServer();
  t.after(() => server.close());
  const counts = () => {
    const text = server.server.metrics.render();
    const lines = text.matchAll(/^apiserver_request_total\{(.*)\} (\d+)$/gm);
    return new Map([...lines].map(([, labels = '', count]) => [labels, Number(count)]));
  };
  const order = 'verb,dry_run,group,version,resource,subresource,scope,component,code'.split(',');
  for (const { what, method, url, body, headers, counted } of rows) {
    const before = counts();
    await server.call(method, url, { user, ...(body && { body }), ...(headers && { headers }) });
    // It is counted when the answer has been given.
    await nextTurn();
    const after = counts();
    const all: Readonly<Record<string, string>> = { ...counted, component: 'apiserver' };
    const labels = order.map((name) => `${name}="${all[name] ?? ''}"`).join(',');
    assert.equal((after.get(labels) ?? 0) - (before.get(labels) ?? 0), 1, what);
  }
});
