// Which URL means what, for the forms of Kubernetes and for those that try to be one of them.

import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { isTrue, parseRequestInfo } from './request-info.ts';

const resources: readonly [string, string, string][] = [
  // verb, namespace, group/version, resource, name, subresource
  ['GET', '/api/v1/namespaces/a/pods', 'list a /v1 pods - -'],
  ['GET', '/api/v1/namespaces/a/pods/x', 'get a /v1 pods x -'],
  ['HEAD', '/api/v1/namespaces/a/pods/x', 'get a /v1 pods x -'],
  ['HEAD', '/api/v1/namespaces/a/pods', 'list a /v1 pods - -'],
  ['GET', '/api/v1/namespaces/a/pods/x/log', 'get a /v1 pods x log'],
  ['POST', '/api/v1/namespaces/a/pods', 'create a /v1 pods - -'],
  ['PUT', '/api/v1/namespaces/a/pods/x', 'update a /v1 pods x -'],
  ['PATCH', '/api/v1/namespaces/a/pods/x/status', 'patch a /v1 pods x status'],
  ['DELETE', '/api/v1/namespaces/a/pods/x', 'delete a /v1 pods x -'],
  ['DELETE', '/api/v1/namespaces/a/pods', 'deletecollection a /v1 pods - -'],
  ['GET', '/api/v1/pods', 'list - /v1 pods - -'],
  ['GET', '/apis/apps/v1/deployments', 'list - apps/v1 deployments - -'],
  ['GET', '/api/v1/namespaces', 'list - /v1 namespaces - -'],
  ['GET', '/api/v1/namespaces/a', 'get a /v1 namespaces a -'],
  ['PUT', '/api/v1/namespaces/a/finalize', 'update a /v1 namespaces a finalize'],
  ['PUT', '/api/v1/namespaces/a/status', 'update a /v1 namespaces a status'],
  ['GET', '/api/v1/watch/pods', 'watch - /v1 pods - -'],
  ['GET', '/api/v1/watch/namespaces/a/pods/x', 'watch a /v1 pods x -'],
  ['GET', '/api/v1/pods?watch=true', 'watch - /v1 pods - -'],
  ['GET', '/api/v1/pods?watch', 'watch - /v1 pods - -'],
  ['GET', '/api/v1/pods?watch=0', 'list - /v1 pods - -'],
  ['GET', '/api/v1/pods?watch=yes', 'list - /v1 pods - -'],
  ['GET', '/api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx', 'list a /v1 pods x -'],
  ['GET', '/api/v1/pods?fieldSelector=metadata.name%3Dx,spec.y%3Dz', 'list - /v1 pods - -'],
  ['GET', '//api//v1///pods', 'list - /v1 pods - -'],
  // A dot path is a name like any other; nothing resolves it.
  ['GET', '/api/v1/namespaces/a/pods/../../secrets', 'get a /v1 pods .. ..'],
  ['GET', '/api/v1/namespaces/a/pods/%2e%2e', 'get a /v1 pods .. -'],
  ['BREW', '/api/v1/pods', '- - /v1 pods - -'],
];
const others: readonly [string, string, string][] = [
  ['GET', '/', 'get'],
  ['GET', '/api', 'get'],
  ['GET', '/api/v1', 'get'],
  ['GET', '/apis/apps/v1', 'get'],
  ['POST', '/healthz', 'post'],
  ['GET', '/apix/v1/pods/x', 'get'],
  ['GET', '*', 'get'],
  ['GET', '', 'get'],
];

describe('RequestInfo', () => {
  for (const [method, url, expected] of resources)
    it(`${method} ${url}`, () => {
      const info = parseRequestInfo(method, url);
      const words = [
        info.verb,
        info.namespace,
        `${info.group}/${info.version}`,
        info.resource,
        info.name,
        info.subresource,
      ];
      assert.equal(words.map((word) => word || '-').join(' '), expected);
      assert.equal(info.isResourceRequest, true);
    });
  for (const [method, url, verb] of others)
    it(`${method} ${JSON.stringify(url)} is no resource`, () => {
      const info = parseRequestInfo(method, url);
      assert.equal(info.isResourceRequest, false);
      assert.equal(info.verb, verb);
      assert.ok(info.path.startsWith('/'));
    });
  it('a path that cannot be decoded is kept as it came', () => {
    assert.equal(parseRequestInfo('GET', '/x/%zz').path, '/x/%zz');
  });
  it('booleans of queries', () => {
    for (const text of ['', '1', 't', 'true', 'TRUE']) assert.equal(isTrue(text), true, text);
    for (const text of ['0', 'false', 'yes', 'tRUE']) assert.equal(isTrue(text), false, text);
    assert.equal(isTrue(null), false);
  });
});
