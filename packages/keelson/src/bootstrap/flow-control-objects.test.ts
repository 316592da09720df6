import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { simulateCluster } from '../testing/simulated-cluster.ts';
import { reconcileFlowControl, type ConfigurationStore } from './flow-control-objects.ts';

const annotation = 'apf.kubernetes.io/autoupdate-spec';

function object(name: string, spec: string, more: object = {}): KubeObject {
  const metadata = { name, generation: 1, annotations: { [annotation]: 'true' }, ...more };
  return { kind: 'FlowSchema', metadata, spec: { rule: spec } } as unknown as KubeObject;
}

function createStore(objects: readonly KubeObject[]) {
  const stored = new Map(objects.map((one) => [one.metadata.name ?? '', one]));
  let writes = 0;
  const store: ConfigurationStore = {
    list: async () => [...stored.values()],
    async create(one) {
      writes++;
      stored.set(one.metadata.name ?? '', one);
    },
    async update(name, change) {
      const current = stored.get(name);
      assert.ok(current);
      writes++;
      stored.set(name, change(structuredClone(current)));
    },
    async delete({ metadata: { name = '' } }) {
      writes++;
      stored.delete(name);
    },
  };
  return { store, stored, writes: () => writes };
}

const own = object('mine', 'ours');
const annotated = (value: string | undefined) => ({
  annotations: value === undefined ? {} : { [annotation]: value },
});
type Row = readonly [
  string,
  readonly KubeObject[],
  readonly (readonly [string, string, string?])[],
];
const wanted = [object('exempt', 'ours'), object('suggested', 'ours')];
const same = ['exempt', 'ours', 'true'] as const;
const rows: readonly Row[] = [
  ['missing ones are made', [], [same, ['suggested', 'ours', 'true']]],
  [
    'a mandatory one is put right whatever it says',
    [object('exempt', 'theirs', { ...annotated('false'), generation: 7 }), wanted[1] ?? own],
    [same, ['suggested', 'ours', 'true']],
  ],
  [
    'a suggested one is put right while it says so',
    [object('suggested', 'theirs', { generation: 7 })],
    [['suggested', 'ours', 'true'], same],
  ],
  [
    'and not when it says otherwise',
    [object('suggested', 'theirs', annotated('false'))],
    [['suggested', 'theirs', 'false'], same],
  ],
  [
    'without annotation, when nobody changed it',
    [object('suggested', 'older', annotated(undefined))],
    [['suggested', 'ours', 'true'], same],
  ],
  [
    'without annotation, not when somebody did',
    [object('suggested', 'theirs', { ...annotated(undefined), generation: 2 })],
    [['suggested', 'theirs', 'false'], same],
  ],
  [
    'an unreadable annotation is none',
    [object('suggested', 'theirs', { ...annotated('yes'), generation: 2 })],
    [['suggested', 'theirs', 'false'], same],
  ],
  [
    'another form of true is true',
    [object('suggested', 'theirs', annotated('T'))],
    [['suggested', 'ours', 'T'], same],
  ],
  [
    'one of another release goes',
    [object('workload-leader-election', 'older')],
    [same, ['suggested', 'ours', 'true']],
  ],
  [
    'unless an operator keeps it',
    [object('kept', 'older', annotated('false'))],
    [['kept', 'older', 'false'], same, ['suggested', 'ours', 'true']],
  ],
  [
    'one of the user is left alone',
    [object('mine', 'theirs', annotated(undefined))],
    [['mine', 'theirs', undefined], same, ['suggested', 'ours', 'true']],
  ],
];

describe('the objects that every cluster has', () => {
  for (const [name, before, expected] of rows)
    it(name, async () => {
      const { store, stored, writes } = createStore(before);
      await reconcileFlowControl([{ store, objects: wanted }]);
      const found = [...stored.values()].map((one) => [
        one.metadata.name,
        (one as unknown as { spec: { rule: string } }).spec.rule,
        one.metadata.annotations?.[annotation],
      ]);
      assert.deepEqual(found.toSorted(), [...expected].toSorted());
      const count = writes();
      await reconcileFlowControl([{ store, objects: wanted }]);
      assert.equal(writes(), count, 'the second time changes nothing');
    });

  it('come back within a minute', { timeout: 60_000 }, async (t) => {
    const { client, clock } = await simulateCluster(t, { controllers: [] });
    const group = { group: 'flowcontrol.apiserver.k8s.io', version: 'v1' };
    const schemas = client.resource({ ...group, resource: 'flowschemas' });
    const levels = client.resource({ ...group, resource: 'prioritylevelconfigurations' });
    assert.equal((await schemas.list()).items.length, 11);
    assert.equal((await levels.list()).items.length, 8);
    const revisions = async () =>
      [...(await schemas.list()).items, ...(await levels.list()).items].map(
        ({ metadata }) => metadata.resourceVersion,
      );
    const before = await revisions();
    await clock.advance(60_000);
    assert.deepEqual(await revisions(), before, 'nothing is written without need');
    await schemas.delete('exempt');
    await schemas.delete('system-nodes');
    await levels.delete('catch-all');
    assert.equal((await schemas.list()).items.length, 9);
    await clock.advance(60_000);
    const names = (await schemas.list()).items.map(({ metadata }) => metadata.name);
    assert.ok(names.includes('exempt') && names.includes('system-nodes'), String(names));
    assert.equal((await levels.list()).items.length, 8);
    const found = (await schemas.get('system-nodes')) as KubeObject & {
      status?: { conditions?: { type: string; status: string }[] };
    };
    const [condition] = found.status?.conditions ?? [];
    assert.deepEqual([condition?.type, condition?.status], ['Dangling', 'False']);
  });
});
