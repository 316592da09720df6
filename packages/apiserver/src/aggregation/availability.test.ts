// The condition Available: every reason with its text, what makes it change, and its metrics.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock, type KubeObject } from '@keelson/apimachinery';
import type { APIService } from '@keelson/apimachinery/types/apiregistration.k8s.io.v1';
import { createTestObjects } from '../authentication/testing.ts';
import { createFeatures } from '../features/create-features.ts';
import { OutboundError } from '../transport/outbound.ts';
import { checkAvailability, type AvailabilityOptions } from './availability-check.ts';
import type { Backends } from './backends.ts';
import {
  apiServicePath,
  group,
  openAggregatedServer,
  version,
} from './testing/aggregated-server.ts';

const apiService = (service?: object): APIService => ({
  metadata: { name: 'v1.g' },
  spec: {
    group: 'g',
    version: 'v1',
    groupPriorityMinimum: 1,
    versionPriority: 1,
    ...(service === undefined ? {} : { service }),
  },
});
const service = (spec: object): KubeObject => ({
  metadata: { name: 'bar', namespace: 'foo' },
  spec: { type: 'ClusterIP', ports: [{ name: 'https', port: 443 }], ...spec },
});
const slice = (rest: object): KubeObject => ({
  metadata: {
    name: 'bar-1',
    namespace: 'foo',
    labels: { 'kubernetes.io/service-name': 'bar' },
  },
  ports: [{ name: 'https', port: 8443 }],
  endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
  ...rest,
});

const remote = apiService({ namespace: 'foo', name: 'bar', port: 443 });
const at = 'https://10.0.0.1:8443/apis/g/v1';

interface Row {
  readonly name: string;
  readonly apiService: APIService;
  readonly services?: readonly KubeObject[];
  readonly slices?: readonly KubeObject[];
  /** Statuses of the answers to the probes; a text is a connection that failed. */
  readonly probes?: readonly (number | string)[];
  readonly expected: readonly [status: string, reason: string, message: string];
}

const rows: readonly Row[] = [
  {
    name: 'of this server',
    apiService: apiService(),
    expected: ['True', 'Local', 'Local APIServices are always available'],
  },
  {
    name: 'without its service',
    apiService: remote,
    expected: ['False', 'ServiceNotFound', 'service/bar in "foo" is not present'],
  },
  {
    name: 'of a port that the service does not have',
    apiService: apiService({ namespace: 'foo', name: 'bar', port: 6443 }),
    services: [service({})],
    expected: ['False', 'ServicePortError', 'service/bar in "foo" is not listening on port 6443'],
  },
  {
    name: 'without endpoint slices',
    apiService: remote,
    services: [service({})],
    slices: [slice({ metadata: { name: 'x', namespace: 'foo', labels: {} } })],
    expected: ['False', 'EndpointsNotFound', 'cannot find endpointslices for service/bar in "foo"'],
  },
  {
    name: 'with endpoints that are not ready',
    apiService: remote,
    services: [service({})],
    slices: [slice({ endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }] })],
    expected: [
      'False',
      'MissingEndpoints',
      'endpointslices for service/bar in "foo" have no addresses with port name "https"',
    ],
  },
  {
    name: 'with endpoints at another port',
    apiService: remote,
    services: [service({})],
    slices: [slice({ ports: [{ name: 'metrics', port: 1 }] })],
    expected: [
      'False',
      'MissingEndpoints',
      'endpointslices for service/bar in "foo" have no addresses with port name "https"',
    ],
  },
  {
    name: 'with endpoints whose readiness nobody told',
    apiService: remote,
    services: [service({})],
    slices: [slice({ endpoints: [{ addresses: ['10.0.0.1'] }] })],
    probes: [200, 200, 200, 200, 200],
    expected: ['True', 'Passed', 'all checks passed'],
  },
  {
    name: 'that answers once in five times',
    apiService: remote,
    services: [service({})],
    slices: [slice({})],
    probes: [500, 503, 'EOF', 200, 404],
    expected: ['True', 'Passed', 'all checks passed'],
  },
  {
    name: 'that refuses',
    apiService: remote,
    services: [service({})],
    slices: [slice({})],
    probes: [403, 403, 403, 403, 403],
    expected: [
      'False',
      'FailedDiscoveryCheck',
      `failing or missing response from ${at}: bad status from ${at}: 403`,
    ],
  },
  {
    name: 'that redirects',
    apiService: remote,
    services: [service({})],
    slices: [slice({})],
    probes: [302, 302, 302, 302, 302],
    expected: [
      'False',
      'FailedDiscoveryCheck',
      `failing or missing response from ${at}: bad status from ${at}: 302`,
    ],
  },
  {
    name: 'that cannot be reached',
    apiService: remote,
    services: [service({})],
    slices: [slice({})],
    probes: Array.from({ length: 5 }, () => 'dial tcp 10.0.0.1:8443: connect: connection refused'),
    expected: [
      'False',
      'FailedDiscoveryCheck',
      `failing or missing response from ${at}: Get "${at}": dial tcp 10.0.0.1:8443: connect: connection refused`,
    ],
  },
  {
    name: 'of a service without cluster address, which is probed all the same',
    apiService: remote,
    services: [service({ type: 'ExternalName', ports: [] })],
    probes: [200, 200, 200, 200, 200],
    expected: ['True', 'Passed', 'all checks passed'],
  },
];

describe('an APIService', () => {
  for (const row of rows) {
    it(row.name, async () => {
      const { status, reason, message } = await checkAvailability(row.apiService, optionsOf(row));
      assert.deepEqual([status, reason, message], row.expected);
    });
  }
});

function optionsOf({ services = [], slices = [], probes = [] }: Row): AvailabilityOptions {
  const answers = [...probes];
  const call = async () => {
    const answer = answers.shift();
    if (typeof answer !== 'number') throw new OutboundError(answer ?? 'not expected', undefined);
    return { message: { statusCode: answer, destroy: () => {} } };
  };
  const backend = { client: { call, close: () => {} }, address: { host: '10.0.0.1', port: 8443 } };
  return {
    services: createTestObjects(services),
    endpointSlices: createTestObjects(slices),
    backends: { unverified: () => backend } as unknown as Backends,
    features: createFeatures({}),
    clock: systemClock,
  };
}

describe('the availability controller', () => {
  it('follows the service, and keeps the time of the last change', async () => {
    await using server = await openAggregatedServer();
    const { test, until, condition } = server;
    const name = `${version}.${group}`;
    await server.register({ service: { namespace: 'default', name: 'late' } }, 'ServiceNotFound');
    assert.match((await test.admin('GET', '/metrics')).text, metric(name, 1));
    const since = (await condition())?.['lastTransitionTime'];
    const services = '/api/v1/namespaces/default/services';
    await test.admin('POST', services, {
      metadata: { name: 'late' },
      spec: { ports: [{ port: 80 }] },
    });
    await until(async () => (await condition())?.['reason'] === 'ServicePortError');
    assert.equal((await condition())?.['lastTransitionTime'], since);
    await test.admin('DELETE', `${services}/late`);
    await test.admin('POST', services, {
      metadata: { name: 'late' },
      spec: { type: 'ExternalName', externalName: 'localhost' },
    });
    const { text } = await test.admin('GET', `${apiServicePath}/${name}`);
    const object = JSON.parse(text) as { spec: { service: object } };
    object.spec.service = { namespace: 'default', name: 'late', port: server.extension.port };
    const changed = await test.admin('PUT', `${apiServicePath}/${name}`, {
      ...object,
      metadata: { ...(object as unknown as KubeObject).metadata, resourceVersion: undefined, name },
      spec: { ...object.spec, insecureSkipTLSVerify: true },
    });
    assert.equal(changed.status, 422, 'an update names its resourceVersion');
    await until(async () => {
      const fresh = JSON.parse((await test.admin('GET', `${apiServicePath}/${name}`)).text) as {
        spec: object;
      };
      const put = await test.admin('PUT', `${apiServicePath}/${name}`, {
        ...fresh,
        spec: { ...object.spec, insecureSkipTLSVerify: true },
      });
      return put.status === 200;
    });
    await until(async () => (await condition())?.['reason'] === 'Passed');
    assert.equal((await condition())?.['status'], 'True');
    assert.match((await test.admin('GET', '/metrics')).text, metric(name, 0));
    await test.admin('DELETE', `${apiServicePath}/${name}`);
    assert.doesNotMatch((await test.admin('GET', '/metrics')).text, metric(name, 0));
  });

  it('counts how often one became unavailable, and why', async () => {
    await using server = await openAggregatedServer();
    await server.register({ service: { namespace: 'default', name: 'none' } }, 'ServiceNotFound');
    assert.match(
      (await server.test.admin('GET', '/metrics')).text,
      /aggregator_unavailable_apiservice_total\{name="v1.ext.example.com",reason="ServiceNotFound"\} 1\n/,
    );
  });
});

const metric = (name: string, value: number) =>
  new RegExp(`aggregator_unavailable_apiservice\\{name="${name}"\\} ${value}\\n`);
