import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesRule, type RuleSubject } from './rule-matcher.ts';

const pods = { group: '', version: 'v1', resource: 'pods' };
const deployments = { group: 'apps', version: 'v1', resource: 'deployments' };
const namespaces = { group: '', version: 'v1', resource: 'namespaces' };
const create: RuleSubject = { gvr: pods, operation: 'CREATE', subresource: '', namespace: 'shop' };
const rule = {
  operations: ['CREATE'],
  apiGroups: [''],
  apiVersions: ['v1'],
  resources: ['pods'],
  scope: '*',
};

const rows: readonly (readonly [
  what: string,
  changes: Partial<typeof rule>,
  subject: Partial<RuleSubject>,
  matches: boolean,
])[] = [
  ['what it names', {}, {}, true],
  ['another operation', {}, { operation: 'DELETE' }, false],
  ['all operations', { operations: ['*'] }, { operation: 'CONNECT' }, true],
  ['another group', {}, { gvr: { ...pods, group: 'apps' } }, false],
  ['all groups', { apiGroups: ['*'] }, { gvr: { ...pods, group: 'apps' } }, true],
  ['another version', {}, { gvr: { ...pods, version: 'v2' } }, false],
  ['all versions', { apiVersions: ['*'] }, { gvr: { ...pods, version: 'v2' } }, true],
  ['another resource', {}, { gvr: deployments }, false],
  ['a subresource', {}, { subresource: 'status' }, false],
  ['the subresource', { resources: ['pods/status'] }, { subresource: 'status' }, true],
  ['another subresource', { resources: ['pods/status'] }, { subresource: 'exec' }, false],
  ['a resource, asked for its subresource', { resources: ['pods/status'] }, {}, false],
  ['all subresources', { resources: ['pods/*'] }, { subresource: 'exec' }, true],
  ['all subresources, and the resource', { resources: ['pods/*'] }, {}, true],
  ['a subresource of all', { resources: ['*/scale'] }, { subresource: 'scale' }, true],
  ['everything but subresources', { resources: ['*'] }, {}, true],
  ['everything but subresources', { resources: ['*'] }, { subresource: 'status' }, false],
  ['everything', { resources: ['*/*'] }, { subresource: 'status' }, true],
  ['one of several', { resources: ['secrets', 'pods'] }, {}, true],
  ['nothing', { resources: [] }, {}, false],
  ['things in namespaces', { scope: 'Namespaced' }, {}, true],
  ['things in namespaces', { scope: 'Namespaced' }, { namespace: '' }, false],
  ['things outside', { scope: 'Cluster' }, {}, false],
  ['things outside', { scope: 'Cluster' }, { namespace: '' }, true],
  [
    'namespaces, which are outside',
    { scope: 'Cluster', resources: ['namespaces'] },
    { gvr: namespaces },
    true,
  ],
  [
    'namespaces, which are outside',
    { scope: 'Namespaced', resources: ['namespaces'] },
    { gvr: namespaces },
    false,
  ],
];
for (const [what, changes, subject, matches] of rows)
  test(`a rule for ${what} ${matches ? 'matches' : 'does not match'}`, () =>
    assert.equal(matchesRule({ ...rule, ...changes }, { ...create, ...subject }), matches));
