import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeProtobuf, type JsonObject } from '@keelson/apimachinery';
import { systemUser } from '../authentication/system-user.ts';
import { createTestServer, type TestServer } from '../testing.ts';
import { callInProcess } from '../transport/in-process.ts';
import { parseShardSelector } from './shard-selector.ts';

const range = (field: string, from: string, until: string) =>
  `shardRange(object.metadata.${field}, '0x${from}', '0x${until}')`;
const all = range('uid', '0', '10000000000000000');

describe('shard selectors', () => {
  // Test vectors of FNV-1a with 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
  const hashes: readonly [text: string, hash: bigint][] = [
    ['', 0xcbf29ce484222325n],
    ['a', 0xaf63dc4c8601ec8cn],
    ['foobar', 0x85944171f73967e8n],
  ];
  for (const [uid, hash] of hashes)
    it(`the hash of "${uid}" is ${hash.toString(16)}`, () => {
      const object = { metadata: { uid } };
      const has = (from: bigint, until: bigint) =>
        parseShardSelector(range('uid', from.toString(16), until.toString(16)))(object);
      assert.ok(has(hash, hash + 1n));
      assert.ok(!has(hash + 1n, hash + 2n));
      assert.ok(!has(hash - 1n, hash));
    });

  it('several ranges are a union, of either field', () => {
    const a = 0xaf63dc4c8601ec8cn.toString(16);
    const b = (0xaf63dc4c8601ec8cn + 1n).toString(16);
    const matches = parseShardSelector(`${range('uid', '0', '1')} || ${range('namespace', a, b)}`);
    assert.ok(matches({ metadata: { uid: 'x', namespace: 'a' } }));
    assert.ok(!matches({ metadata: { uid: 'a', namespace: 'x' } }));
  });

  const refused: readonly [text: string, message: RegExp][] = [
    ['true', /must be shardRange/],
    [`${all} &&  ${all}`, /must be shardRange/],
    [`${all} ||`, /must be shardRange/],
    [range('uid', '0', 'x'), /must be shardRange/],
    [range('uid', '0', '10000000000000001'), /the end is beyond 2\^64$/],
    [range('uid', '5', '5'), /the start must be before the end$/],
    [range('name', '0', '5'), /object.metadata.name is not one of object.metadata.uid, /],
    ["shardRange(__proto__, '0x0', '0x1')", /__proto__ is not one of/],
  ];
  for (const [text, message] of refused)
    it(`${text} is refused`, () => assert.throws(() => parseShardSelector(text), { message }));
});

describe('lists and watches in shards', () => {
  const path = '/api/v1/namespaces/a/configmaps';
  const servers: TestServer[] = [];
  const start = async (isOn: boolean) => {
    const test = await createTestServer({ featureGates: { ShardedListAndWatch: isOn } });
    servers.push(test);
    await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'a' } });
    for (let i = 0; i < 20; i++) await test.admin('POST', path, { metadata: { name: `m${i}` } });
    return test;
  };
  let test: TestServer;
  before(async () => (test = await start(true)));
  after(() => Promise.all(servers.map((server) => server.close())));

  const halves = [
    range('uid', '0', '8000000000000000'),
    range('uid', '8000000000000000', '10000000000000000'),
  ];
  const url = (selector: string) => `${path}?shardSelector=${encodeURIComponent(selector)}`;
  interface List {
    metadata: { shardInfo?: object; remainingItemCount?: number };
    items: { metadata: { name: string } }[];
  }
  const namesOf = (list: List) => list.items.map(({ metadata }) => metadata.name);

  it('two halves are the whole, and say that they are halves', async () => {
    const lists = await Promise.all(
      halves.map(async (half) => (await test.admin('GET', url(half))).json() as unknown as List),
    );
    assert.deepEqual(
      lists.map(({ metadata }) => metadata.shardInfo),
      halves.map((selector) => ({ selector })),
    );
    const names = lists.flatMap(namesOf);
    assert.equal(names.length, 20);
    assert.equal(new Set(names).size, 20);
    assert.ok(lists.every((list) => list.items.length > 0));
  });

  it('also in pages and as protobuf', async () => {
    const request = {
      method: 'GET',
      url: `${url(all)}&limit=5`,
      headers: { accept: 'application/vnd.kubernetes.protobuf' },
      user: systemUser,
    };
    const answer = await callInProcess(test.server.serve, request);
    const list = decodeProtobuf(Buffer.from(await answer.bytes())).object as unknown as JsonObject;
    const { shardInfo, remainingItemCount } = list['metadata'] as List['metadata'];
    assert.deepEqual(shardInfo, { selector: all });
    assert.equal(remainingItemCount, undefined);
  });

  it('a watch shows its shard only', async () => {
    const seen = async (half: string) =>
      (await test.admin('GET', `${url(half)}&watch=1&timeoutSeconds=1`)).text.trim().split('\n')
        .length;
    const counts = await Promise.all(halves.map(seen));
    assert.equal((counts[0] ?? 0) + (counts[1] ?? 0), 20);
  });

  it('what is no selector is refused; without the gate nobody looks at it', async () => {
    assert.equal((await test.admin('GET', url('true'))).status, 400);
    const old = await start(false);
    const list = (await old.admin('GET', url('true'))).json() as unknown as List;
    assert.equal(list.items.length, 20);
    assert.equal(list.metadata.shardInfo, undefined);
  });
});
