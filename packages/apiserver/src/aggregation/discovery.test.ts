// What APIServices do to discovery and OpenAPI: order, other servers' resources, staleness,
// documents of both versions, and the APIServices that definitions of custom resources get.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestServer } from '../testing.ts';
import {
  apiServicePath,
  group,
  openAggregatedServer,
  version,
  type AggregatedServer,
} from './testing/aggregated-server.ts';

const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

interface GroupDiscovery {
  readonly metadata: { readonly name: string };
  readonly versions: readonly {
    readonly version: string;
    readonly freshness: string;
    readonly resources?: readonly Record<string, unknown>[];
  }[];
}

async function aggregated(test: TestServer): Promise<readonly GroupDiscovery[]> {
  const { text } = await test.call('GET', '/apis', {
    headers: { accept: aggregatedType, authorization: 'Bearer ann-token' },
  });
  return (JSON.parse(text) as { items: GroupDiscovery[] }).items;
}
async function groupNames(test: TestServer): Promise<string[]> {
  const { text } = await test.admin('GET', '/apis');
  return (JSON.parse(text) as { groups: { name: string }[] }).groups.map((g) => g.name);
}
async function registerLocal(
  test: TestServer,
  [name, groupVersion]: readonly [string, string],
  [groupPriorityMinimum, versionPriority]: readonly [number, number],
) {
  const made = await test.admin('POST', apiServicePath, {
    metadata: { name: `${groupVersion}.${name}` },
    spec: { group: name, version: groupVersion, groupPriorityMinimum, versionPriority },
  });
  assert.equal(made.status, 201, made.text);
}
const remoteGroup = async ({ test }: AggregatedServer) =>
  (await aggregated(test)).find((g) => g.metadata.name === group);

describe('discovery with APIServices', () => {
  it('is in the order of their priorities', async () => {
    await using server = await openAggregatedServer();
    const { test } = server;
    await registerLocal(test, ['apps', 'v1'], [17_800, 15]);
    await registerLocal(test, ['autoscaling', 'v1'], [17_500, 15]);
    await registerLocal(test, ['autoscaling', 'v2'], [17_500, 30]);
    await registerLocal(test, ['batch', 'v1'], [17_500, 15]);
    await registerLocal(test, ['policy', 'v1'], [18_000, 15]);
    await server.register();
    const expected = ['apiregistration.k8s.io', 'policy', 'apps', 'autoscaling', 'batch', group];
    assert.deepEqual(await groupNames(test), expected);
    const items = await aggregated(test);
    assert.deepEqual(
      items.map((g) => g.metadata.name),
      expected,
    );
    assert.deepEqual(
      items.find((g) => g.metadata.name === 'autoscaling')?.versions.map((v) => v.version),
      ['v2', 'v1'],
    );
    // One that is not announced is still served.
    assert.equal((await test.admin('GET', '/apis/storage.k8s.io')).status, 200);
  });

  it('shows what another server serves, and calls it stale when that is gone', async () => {
    await using server = await openAggregatedServer();
    await server.register();
    await server.until(async () => {
      return (await remoteGroup(server))?.versions[0]?.freshness === 'Current';
    });
    const expected = [
      {
        resource: 'things',
        responseKind: { group, version, kind: 'Thing' },
        scope: 'Namespaced',
        singularResource: 'thing',
        verbs: ['get', 'list'],
        shortNames: ['th'],
        subresources: [
          {
            subresource: 'scale',
            responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
            verbs: ['get'],
          },
        ],
      },
    ];
    assert.deepEqual((await remoteGroup(server))?.versions[0]?.resources, expected);
    const { text } = await server.fetch(`/apis/${group}/${version}`);
    assert.equal((JSON.parse(text) as { kind: string }).kind, 'APIResourceList');
    await server.test.admin('DELETE', '/api/v1/namespaces/default/services/ext');
    await server.until(async () => {
      return (await remoteGroup(server))?.versions[0]?.freshness === 'Stale';
    });
    assert.deepEqual((await remoteGroup(server))?.versions[0]?.resources, expected);
    const legacy = JSON.parse((await server.test.admin('GET', `/apis/${group}`)).text) as object;
    assert.deepEqual(legacy, {
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: group,
      versions: [{ groupVersion: `${group}/${version}`, version }],
      preferredVersion: { groupVersion: `${group}/${version}`, version },
    });
  });

  it('takes the aggregated document of a server that has one', async () => {
    await using server = await openAggregatedServer();
    const resources = [{ resource: 'widgets', verbs: ['get'] }];
    server.extension.answer = (req, res) => {
      if (req.url !== '/apis' || !req.headers.accept?.includes('v=v2;')) return false;
      res.setHeader('content-type', aggregatedType);
      res.end(
        JSON.stringify({
          items: [{ metadata: { name: group }, versions: [{ version, resources }] }],
        }),
      );
      return true;
    };
    await server.register();
    await server.until(async () => {
      return (await remoteGroup(server))?.versions[0]?.freshness === 'Current';
    });
    assert.deepEqual((await remoteGroup(server))?.versions[0]?.resources, resources);
  });

  it('has nothing to say about a server that was never there', async () => {
    await using server = await openAggregatedServer();
    await server.register({ service: { namespace: 'default', name: 'none' } }, 'ServiceNotFound');
    assert.deepEqual((await remoteGroup(server))?.versions, [{ version, freshness: 'Stale' }]);
  });
});

describe('OpenAPI with APIServices', () => {
  it('lists and passes on documents of version 3', async () => {
    await using server = await openAggregatedServer();
    await server.register();
    const index = async () =>
      (JSON.parse((await server.test.admin('GET', '/openapi/v3')).text) as { paths: object }).paths;
    const path = `apis/${group}/${version}`;
    await server.until(async () => path in (await index()));
    assert.deepEqual(((await index()) as Record<string, unknown>)[path], {
      serverRelativeURL: `/openapi/v3/${path}?hash=ABC`,
    });
    const { text } = await server.fetch(`/openapi/v3/${path}?hash=ABC`);
    assert.deepEqual(JSON.parse(text), { openapi: '3.0.0', from: 'the extension' });
    assert.equal(server.extension.received.at(-1)?.headers['x-remote-uid'], 'u1');
  });

  it('takes the paths of the group version into version 2, under names that are free', async () => {
    await using server = await openAggregatedServer();
    await server.register();
    const path = `/apis/${group}/${version}/things`;
    interface Document {
      readonly paths: Record<string, { get?: { responses?: Record<string, { schema?: object }> } }>;
      readonly definitions: Record<string, Record<string, unknown>>;
    }
    const document = async () =>
      JSON.parse((await server.test.admin('GET', '/openapi/v2')).text) as Document;
    await server.until(async () => path in (await document()).paths);
    const { paths, definitions } = await document();
    assert.deepEqual(paths[path]?.get?.responses?.['200']?.schema, {
      $ref: '#/definitions/com.example.Thing',
    });
    assert.equal(definitions['com.example.Unused'], undefined);
    const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
    assert.notEqual(definitions[meta]?.['description'], 'other');
    assert.equal(definitions[`${meta}_v2`]?.['description'], 'other');
    assert.deepEqual(definitions['com.example.Thing']?.['properties'], {
      metadata: { $ref: `#/definitions/${meta}_v2` },
    });
    const ours = paths['/api/v1/namespaces/{namespace}/pods'] ?? paths['/api/v1/pods'];
    assert.notEqual(JSON.stringify(ours).includes('com.example'), true);
  });
});

describe('custom resources', () => {
  const crd = (served: readonly string[]) => ({
    metadata: { name: 'gears.parts.example.com' },
    spec: {
      group: 'parts.example.com',
      scope: 'Namespaced',
      names: { plural: 'gears', kind: 'Gear' },
      versions: ['v1', 'v2'].map((name, i) => ({
        name,
        served: served.includes(name),
        storage: i === 0,
        schema: { openAPIV3Schema: { type: 'object' } },
      })),
    },
  });
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  const get = async ({ test }: AggregatedServer, name: string) => {
    const { status, text } = await test.admin('GET', `${apiServicePath}/${name}`);
    return status === 200
      ? (JSON.parse(text) as Record<string, Record<string, object>>)
      : undefined;
  };

  it('get an APIService for each served version, and lose it with the definition', async () => {
    await using server = await openAggregatedServer();
    const made = await server.test.admin('POST', definitions, crd(['v1', 'v2']));
    assert.equal(made.status, 201, made.text);
    await server.until(async () => (await get(server, 'v2.parts.example.com')) !== undefined);
    const object = await get(server, 'v1.parts.example.com');
    assert.deepEqual(object?.['spec'], {
      group: 'parts.example.com',
      version: 'v1',
      groupPriorityMinimum: 1000,
      versionPriority: 100,
    });
    assert.deepEqual(object?.['metadata']?.['labels'], {
      'kube-aggregator.kubernetes.io/automanaged': 'true',
    });
    const [condition] = (object?.['status']?.['conditions'] ?? []) as Record<string, string>[];
    assert.equal(condition?.['reason'], 'Local');
    // Versions of one priority come in Kubernetes' order of their names.
    const items = await aggregated(server.test);
    const versions = items.find((g) => g.metadata.name === 'parts.example.com')?.versions;
    assert.deepEqual(
      versions?.map((v) => v.version),
      ['v2', 'v1'],
    );
    await server.test.admin('DELETE', `${apiServicePath}/v1.parts.example.com`);
    await server.until(async () => (await get(server, 'v1.parts.example.com')) !== undefined);
    await server.test.admin('DELETE', `${definitions}/gears.parts.example.com`);
    await server.until(async () => (await get(server, 'v1.parts.example.com')) === undefined);
    assert.equal(await get(server, 'v2.parts.example.com'), undefined);
  });

  it('leave an APIService alone that somebody else made', async () => {
    await using server = await openAggregatedServer();
    const name = 'v1.parts.example.com';
    await server.test.admin('POST', apiServicePath, {
      metadata: { name },
      spec: {
        group: 'parts.example.com',
        version: 'v1',
        groupPriorityMinimum: 5,
        versionPriority: 5,
        service: { namespace: 'default', name: 'elsewhere' },
      },
    });
    await server.test.admin('POST', definitions, crd(['v1', 'v2']));
    await server.until(async () => (await get(server, 'v2.parts.example.com')) !== undefined);
    assert.equal((await get(server, name))?.['spec']?.['groupPriorityMinimum'], 5);
    const answer = await server.fetch('/apis/parts.example.com/v1/gears');
    assert.deepEqual([answer.status, answer.text], [503, 'service unavailable\n']);
    await server.test.admin('DELETE', `${definitions}/gears.parts.example.com`);
    await server.until(async () => (await get(server, 'v2.parts.example.com')) === undefined);
    assert.notEqual(await get(server, name), undefined);
  });
});
