import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isStatusError, type Clock, type KubeObject } from '@keelson/apimachinery';
import type { ResourceQuota } from '@keelson/apimachinery/types/core.v1';
import { createTestObjects } from '../../../authentication/testing.ts';
import { createFeatures } from '../../../features/create-features.ts';
import { createObjectSource } from '../../../registry/object-source-of-storage.ts';
import { createMemoryStorage, type Storage } from '../../../storage/index.ts';
import { createQuotaStatusWriter } from '../../quota-status-writer.ts';
import { asKind } from '../../request-match.ts';
import { admit, createTestAttributes, type TestRequest } from '../../testing.ts';
import type { LimitedResource } from './check-request.ts';
import type { QuotaStatusWriter } from './quota-batches.ts';
import { createResourceQuota } from './resource-quota.ts';

interface QuotaParts {
  readonly hard: Record<string, string>;
  readonly used?: Record<string, string>;
  readonly scopes?: string[];
  readonly name?: string;
}

const quota = ({ hard, used, scopes, name = 'q' }: QuotaParts): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ResourceQuota',
  metadata: { name, namespace: 'shop' },
  spec: { hard, ...(scopes && { scopes }) },
  status: { hard, ...(used && { used }) },
});
const keyOf = ({ metadata }: KubeObject) =>
  `/registry/resourcequotas/${metadata.namespace}/${metadata.name}`;

/** A clock whose timers fire when the test says so. */
function createManualClock(): Clock & { fire(): void } {
  const timers = new Set<() => void>();
  return {
    now: () => 0,
    monotonic: () => 0,
    after(_delay, fn) {
      timers.add(fn);
      return () => timers.delete(fn);
    },
    fire: () => timers.forEach((fn) => fn()),
  };
}

interface SetUpOptions {
  readonly limited?: readonly LimitedResource[];
  readonly writer?: (storage: Storage, writer: QuotaStatusWriter) => QuotaStatusWriter;
}

async function setUp(quotas: readonly KubeObject[], options: SetUpOptions = {}) {
  const storage = createMemoryStorage({ freeze: true });
  const stop = new AbortController();
  for (const object of quotas) await storage.create(keyOf(object), object);
  const resourceQuotas = await createObjectSource(storage, '/registry/resourcequotas', stop.signal);
  const stored = createQuotaStatusWriter(storage);
  const clock = createManualClock();
  let writes = 0;
  const counted: QuotaStatusWriter = {
    updateQuotaStatus(object) {
      writes++;
      return stored.updateQuotaStatus(object);
    },
  };
  const plugin = createResourceQuota({
    sources: {
      resourceQuotas,
      deviceClasses: createTestObjects(),
      pods: createTestObjects(),
    },
    writer: options.writer?.(storage, counted) ?? counted,
    features: createFeatures(),
    clock,
    ...(options.limited && { limitedResources: options.limited }),
  });
  const used = (name = 'q') => {
    const found = resourceQuotas.get('shop', name);
    return found && asKind<ResourceQuota>(found).status?.used;
  };
  return { plugin, storage, clock, used, writes: () => writes };
}

const configMap = (name: string): TestRequest => ({
  resource: 'configmaps',
  kind: 'ConfigMap',
  object: { metadata: { name } },
});
const podAsking = (cpu: string, spec: object = {}): KubeObject => ({
  metadata: { name: 'a' },
  spec: { containers: [{ name: 'c', resources: { requests: { cpu } } }], ...spec },
});

test('of 200 parallel creations a quota of 50 admits exactly 50', async () => {
  const full = { 'count/configmaps': '50' };
  const { plugin, used, writes } = await setUp([
    quota({ hard: full, used: { 'count/configmaps': '0' } }),
  ]);
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => admit(plugin, createTestAttributes(configMap(`c${i}`)))),
  );
  assert.equal(answers.filter((answer) => answer === undefined).length, 50);
  assert.deepEqual(used(), full);
  assert.ok(writes() <= 10, `${writes()} writes`);
  const refusals = new Set(answers.map((answer) => answer?.replace(/"c\d+"/, '"c"')));
  assert.deepEqual(
    [...refusals],
    [
      undefined,
      'configmaps "c" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: ' +
        'count/configmaps=50, limited: count/configmaps=50',
    ],
  );
});

test('two servers that share a quota admit exactly as many', async () => {
  const { plugin, storage, used } = await setUp([
    quota({ hard: { configmaps: '30' }, used: { configmaps: '0' } }),
  ]);
  const stop = new AbortController();
  const other = createResourceQuota({
    sources: {
      resourceQuotas: await createObjectSource(storage, '/registry/resourcequotas', stop.signal),
      deviceClasses: createTestObjects(),
      pods: createTestObjects(),
    },
    writer: createQuotaStatusWriter(storage),
    features: createFeatures(),
    clock: createManualClock(),
  });
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      admit(i % 2 === 0 ? plugin : other, createTestAttributes(configMap(`c${i}`))),
    ),
  );
  const admitted = answers.filter((answer) => answer === undefined).length;
  assert.ok(admitted <= 30);
  assert.equal(used()?.['configmaps'], String(admitted));
});

test('what is over is refused and not charged', async () => {
  const { plugin, used } = await setUp([
    quota({
      hard: { pods: '5', 'requests.cpu': '1' },
      used: { pods: '1', 'requests.cpu': '600m' },
    }),
  ]);
  const rows: [request: TestRequest, message: string | undefined, cpu: string][] = [
    [
      { object: podAsking('500m') },
      'pods "a" is forbidden: exceeded quota: q, requested: requests.cpu=500m, used: ' +
        'requests.cpu=600m, limited: requests.cpu=1',
      '600m',
    ],
    [{ object: podAsking('400m'), dryRun: true }, undefined, '600m'],
    [{ object: podAsking('400m') }, undefined, '1'],
    [
      { object: podAsking('1m'), dryRun: true },
      'pods "a" is forbidden: exceeded quota: q, requested: requests.cpu=1m, used: ' +
        'requests.cpu=1, limited: requests.cpu=1',
      '1',
    ],
  ];
  for (const [request, message, cpu] of rows) {
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
    assert.equal(used()?.['requests.cpu'], cpu);
  }
});

test('what a quota must know', async () => {
  const missing = quota({ hard: { 'limits.cpu': '1', 'requests.memory': '1Gi' }, used: {} });
  const unknown = quota({ hard: { pods: '1', cpu: '1' }, used: { pods: '0' } });
  const rows: [quota: KubeObject, request: TestRequest, message: string][] = [
    [
      missing,
      { object: { metadata: { name: 'a' }, spec: { containers: [{ name: 'c' }, { name: 'd' }] } } },
      'failed quota: q: must specify limits.cpu for: c,d; requests.memory for: c,d',
    ],
    [unknown, { object: podAsking('1m') }, 'status unknown for quota: q, resources: cpu,pods'],
    [
      quota({ hard: { cpu: '1' }, used: { cpu: '0' } }),
      { object: podAsking('-1') },
      'quota usage is negative for resource(s): cpu,requests.cpu',
    ],
  ];
  for (const [object, request, why] of rows) {
    const { plugin } = await setUp([object]);
    const message = await admit(plugin, createTestAttributes(request));
    assert.equal(message, `pods "a" is forbidden: ${why}`);
  }
});

test('updates are charged for what they use more', async () => {
  const service = (type: string, ports: number): KubeObject => ({
    metadata: { name: 's', resourceVersion: '1' },
    spec: { type, ports: Array.from({ length: ports }, (_, port) => ({ port })) },
  });
  const hard = { services: '1', 'services.nodeports': '2' };
  const start = { services: '1', 'services.nodeports': '1' };
  const over =
    'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: ' +
    'services.nodeports=1, limited: services.nodeports=2';
  const rows: [before: KubeObject, after: KubeObject, message: string | undefined, now: string][] =
    [
      [service('ClusterIP', 1), service('ClusterIP', 2), undefined, '1'],
      [service('ClusterIP', 1), service('NodePort', 1), undefined, '2'],
      [service('ClusterIP', 2), service('NodePort', 2), over, '1'],
      [service('NodePort', 2), service('NodePort', 1), undefined, '1'],
    ];
  for (const [oldObject, object, message, now] of rows) {
    const { plugin, used } = await setUp([quota({ hard, used: start })]);
    const request = { operation: 'UPDATE', resource: 'services', object, oldObject } as const;
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
    assert.equal(used()?.['services.nodeports'], now);
    const status = createTestAttributes({ ...request, subresource: 'status' });
    assert.equal(await admit(plugin, status), undefined, 'status updates are never refused');
  }
});

test('an object that comes into a scope is charged in full', async () => {
  const { plugin, used } = await setUp([
    quota({ hard: { pods: '1' }, used: { pods: '0' }, scopes: ['Terminating'] }),
  ]);
  const request = {
    operation: 'UPDATE',
    object: podAsking('1', { activeDeadlineSeconds: 5 }),
    oldObject: podAsking('1'),
  } as const;
  assert.equal(await admit(plugin, createTestAttributes(request)), undefined);
  assert.deepEqual(used(), { pods: '1' });
});

test('every quota that matters is charged, and all or none', async () => {
  const quotas = [
    quota({ name: 'all', hard: { pods: '9' }, used: { pods: '0' } }),
    quota({ name: 'long', hard: { pods: '9' }, used: { pods: '0' }, scopes: ['NotTerminating'] }),
    quota({ name: 'best', hard: { pods: '0' }, used: { pods: '0' }, scopes: ['BestEffort'] }),
  ];
  const { plugin, used } = await setUp(quotas);
  assert.equal(await admit(plugin, createTestAttributes({ object: podAsking('1') })), undefined);
  const bestEffort = { metadata: { name: 'a' }, spec: { containers: [{ name: 'c' }] } };
  assert.match(
    (await admit(plugin, createTestAttributes({ object: bestEffort }))) ?? '',
    /exceeded quota: best/,
  );
  assert.deepEqual(
    ['all', 'long', 'best'].map((name) => used(name)?.['pods']),
    ['1', '1', '0'],
  );
});

test('what is not asked', async () => {
  const { plugin, writes } = await setUp([quota({ hard: { pods: '0' }, used: { pods: '0' } })]);
  const rows: TestRequest[] = [
    { object: podAsking('1'), namespace: 'other' },
    { object: podAsking('1'), namespace: '' },
    { operation: 'DELETE', name: 'a' },
    { object: podAsking('1'), subresource: 'eviction' },
    configMap('x'),
    { resource: 'events', kind: 'Event', object: { metadata: { name: 'e' } } },
    {
      resource: 'namespaces',
      kind: 'Namespace',
      namespace: 'shop',
      object: { metadata: { name: 'shop' } },
    },
  ];
  for (const request of rows)
    assert.equal(await admit(plugin, createTestAttributes(request)), undefined);
  assert.equal(writes(), 0);
});

test('limited resources need a quota that covers them', async () => {
  const limited: LimitedResource[] = [
    { resource: 'pods', matchContains: ['cpu'] },
    {
      resource: 'pods',
      matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
    },
  ];
  const covering = [
    quota({
      name: 'cpu',
      hard: { cpu: '9', 'requests.cpu': '9' },
      used: { cpu: '0', 'requests.cpu': '0' },
    }),
    {
      ...quota({ name: 'high', hard: { pods: '9' }, used: { pods: '0' } }),
      spec: { hard: { pods: '9' }, scopeSelector: { matchExpressions: limited[1]?.matchScopes } },
    },
  ];
  const high = { priorityClassName: 'high' };
  const rows: [quotas: KubeObject[], object: KubeObject, message: string | undefined][] = [
    [[], podAsking('1'), 'pods "a" is forbidden: insufficient quota to consume: cpu,requests.cpu'],
    [[], podAsking('0'), undefined],
    [covering, podAsking('1'), undefined],
    [covering, podAsking('1', high), undefined],
    [
      covering.slice(0, 1),
      podAsking('1', high),
      'insufficient quota to match these scopes: [{PriorityClass In [high]}]',
    ],
  ];
  for (const [quotas, object, message] of rows) {
    const { plugin } = await setUp(quotas, { limited });
    assert.equal(await admit(plugin, createTestAttributes({ object })), message);
  }
});

test('a quota that somebody else wrote is read again', async () => {
  let meddled = 0;
  const { plugin, used } = await setUp(
    [quota({ hard: { configmaps: '3' }, used: { configmaps: '0' } })],
    {
      writer: (storage, writer) => ({
        async updateQuotaStatus(object) {
          if (meddled++ < 2)
            await storage.guaranteedUpdate(keyOf(object), (current) => ({
              ...(current?.object ?? object),
              status: { hard: { configmaps: '3' }, used: { configmaps: String(meddled) } },
            }));
          return writer.updateQuotaStatus(object);
        },
      }),
    },
  );
  assert.equal(await admit(plugin, createTestAttributes(configMap('x'))), undefined);
  assert.deepEqual(used(), { configmaps: '3' });
  assert.match((await admit(plugin, createTestAttributes(configMap('y')))) ?? '', /exceeded quota/);
});

test('a quota that is always written by somebody else is a conflict in the end', async () => {
  let attempts = 0;
  const { plugin } = await setUp(
    [quota({ hard: { configmaps: '9' }, used: { configmaps: '0' } })],
    {
      writer: (storage, writer) => ({
        async updateQuotaStatus(object) {
          attempts++;
          await storage.guaranteedUpdate(keyOf(object), (current) => ({
            ...(current?.object ?? object),
            metadata: { ...object.metadata, labels: { n: String(attempts) } },
          }));
          return writer.updateQuotaStatus(object);
        },
      }),
    },
  );
  await assert.rejects(
    async () => plugin.validate?.(createTestAttributes(configMap('x'))),
    (error) => isStatusError(error, 'Conflict'),
  );
  assert.equal(attempts, 4);
});

test('a quota that is deleted meanwhile limits nobody', async () => {
  const { plugin } = await setUp(
    [quota({ hard: { configmaps: '1' }, used: { configmaps: '0' } })],
    {
      writer: (storage, writer) => ({
        async updateQuotaStatus(object) {
          await storage.delete(keyOf(object));
          return writer.updateQuotaStatus(object);
        },
      }),
    },
  );
  assert.equal(await admit(plugin, createTestAttributes(configMap('x'))), undefined);
});

test('waiting ends: by the clock with 500, by the request with its reason', async () => {
  const never = { updateQuotaStatus: () => new Promise<void>(() => {}) };
  const { plugin, clock } = await setUp(
    [quota({ hard: { configmaps: '9' }, used: { configmaps: '0' } })],
    { writer: () => never },
  );
  const first = admit(plugin, createTestAttributes(configMap('x')));
  const second = admit(plugin, createTestAttributes(configMap('y')));
  await nextTurn();
  clock.fire();
  const timeout = 'Internal error occurred: resource quota evaluation timed out';
  assert.deepEqual(await Promise.all([first, second]), [timeout, timeout]);

  const aborted = await setUp([quota({ hard: { configmaps: '9' }, used: { configmaps: '0' } })]);
  const request = { ...configMap('x'), signal: AbortSignal.abort(new Error('gone')) };
  assert.equal(await admit(aborted.plugin, createTestAttributes(request)), 'gone');
  assert.equal(aborted.writes(), 0);
});
