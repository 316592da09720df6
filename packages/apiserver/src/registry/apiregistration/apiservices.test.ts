import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Strategy } from '../strategy.ts';
import { runCreate, runUpdate, testContext } from '../testing/run-strategy.ts';
import { apiServiceStrategy } from './apiservices/strategy.ts';

const strategy = apiServiceStrategy as Strategy;
const local = {
  group: 'example.com',
  version: 'v1',
  groupPriorityMinimum: 1000,
  versionPriority: 15,
};
const remote = { ...local, service: { namespace: 'ns', name: 'svc' } };

function apiService(spec: object, name = 'v1.example.com') {
  return { apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name }, spec };
}

const rows: readonly (readonly [string, object, readonly string[]])[] = [
  ['local', apiService(local), []],
  ['remote', apiService(remote), []],
  [
    'another name',
    apiService(local, 'v2.example.com'),
    [
      'metadata.name: Invalid value: "v2.example.com": must be `spec.version+"."+spec.group`: "v1.example.com"',
    ],
  ],
  ['the group of the core', apiService({ ...local, group: '' }, 'v1.'), []],
  [
    'another version of the core',
    apiService({ ...local, group: '', version: 'v2' }, 'v2.'),
    ['spec.group: Required value: only v1 may have an empty group and it better be legacy kube'],
  ],
  [
    'priorities',
    apiService({ ...local, groupPriorityMinimum: 20001, versionPriority: 0 }),
    [
      'spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000',
      'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
    ],
  ],
  [
    'local with TLS',
    apiService({ ...local, caBundle: 'AAAA', insecureSkipTLSVerify: true }),
    [
      'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
      'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
    ],
  ],
  [
    'remote of nowhere',
    apiService({ ...remote, service: { port: 65536 } }),
    [
      'spec.service.namespace: Required value',
      'spec.service.name: Required value',
      'spec.service.port: Invalid value: 65536: port is not valid: must be between 1 and 65535, inclusive',
    ],
  ],
  [
    'checked and not checked',
    apiService({ ...remote, caBundle: 'AAAA', insecureSkipTLSVerify: true }),
    ['spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present'],
  ],
];

for (const [name, object, expected] of rows) {
  test(`API service: ${name}`, () => {
    assert.deepEqual(runCreate(strategy, object).errors, expected);
    assert.deepEqual(runUpdate(strategy, [object, apiService(local)]).errors, expected);
  });
}

test('local ones are available at once, remote ones are not known yet', () => {
  const here = runCreate(strategy, apiService(local)).object;
  const there = runCreate(strategy, apiService(remote)).object;
  const cells = (object: typeof here) =>
    strategy.tableCells?.(object, testContext.nowMs)?.slice(1, 3);
  assert.deepEqual(cells(here), ['Local', 'True']);
  assert.deepEqual(cells(there), ['ns/svc', 'Unknown']);
  assert.deepEqual(there['spec'], { ...remote, service: { ...remote.service, port: 443 } });
});

test('a status update keeps labels and spec', () => {
  const old = { ...apiService(remote), metadata: { name: 'v1.example.com', labels: { a: 'b' } } };
  const wanted = {
    ...apiService(local),
    status: { conditions: [{ type: 'Available', status: 'Maybe' }] },
  };
  const { object, errors } = runUpdate(strategy, [wanted, old], 'status');
  assert.deepEqual(object.metadata.labels, { a: 'b' });
  assert.notEqual((object['spec'] as { service?: object }).service, undefined);
  assert.deepEqual(errors, [
    'status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"',
  ]);
});
