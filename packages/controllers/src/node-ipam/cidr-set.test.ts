import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { createCidrSet } from './cidr-set.ts';
import { parseNodeRanges } from './node-ranges.ts';

function setOf(clusterCidr: string, maskSize: number) {
  const [range] = parseNodeRanges({ clusterCidr, maskSize });
  assert.ok(range);
  const log = { size: 0, taken: 0, released: 0, used: 0, tries: [] as number[] };
  const set = createCidrSet(range, {
    size: (blocks) => (log.size = blocks),
    taken: (blocks) => (log.taken += blocks),
    released: (blocks) => (log.released += blocks),
    used: (share) => (log.used = share),
    tried: (times) => log.tries.push(times),
  });
  const takeAll = () => {
    const all: string[] = [];
    for (let cidr = set.take(); cidr !== undefined; cidr = set.take()) all.push(cidr);
    return all;
  };
  return { ...set, log, takeAll };
}

describe('blocks come in turn, and each once', () => {
  for (const [cluster, size, first, last, count] of [
    ['10.244.0.0/16', 24, '10.244.0.0/24', '10.244.255.0/24', 256],
    ['10.244.3.9/22', 24, '10.244.0.0/24', '10.244.3.0/24', 4],
    ['192.168.0.0/24', 24, '192.168.0.0/24', '192.168.0.0/24', 1],
    ['255.255.255.0/24', 32, '255.255.255.0/32', '255.255.255.255/32', 256],
    ['fd00:10:244::/56', 64, 'fd00:10:244::/64', 'fd00:10:244:ff::/64', 256],
    ['fd00::/60', 68, 'fd00::/68', 'fd00:0:0:f:f000::/68', 256],
  ] as const)
    it(`${cluster} by ${size}`, () => {
      const { takeAll, log } = setOf(cluster, size);
      const all = takeAll();
      assert.deepEqual([all[0], all.at(-1), new Set(all).size], [first, last, count]);
      assert.deepEqual([log.size, log.taken, log.used], [count, count, 1]);
    });
});

describe('what is occupied is not given', () => {
  for (const [cidr, isOfRange, left] of [
    ['10.0.1.0/24', true, ['10.0.0.0/24', '10.0.2.0/24', '10.0.3.0/24']],
    ['10.0.1.128/25', true, ['10.0.0.0/24', '10.0.2.0/24', '10.0.3.0/24']],
    ['10.0.2.0/23', true, ['10.0.0.0/24', '10.0.1.0/24']],
    ['10.0.0.0/22', true, []],
    ['10.0.0.0/8', true, []],
    ['0.0.0.0/0', true, []],
    ['10.0.4.0/24', false, 4],
    ['9.255.255.0/24', false, 4],
    ['fd00::/64', false, 4],
    ['::ffff:10.0.1.0/120', false, 4],
    ['10.0.1.0', false, 4],
    ['', false, 4],
  ] as const)
    it(cidr || 'nothing', () => {
      const { occupy, release, takeAll, log } = setOf('10.0.0.0/22', 24);
      assert.equal(occupy(cidr), isOfRange);
      const all = takeAll();
      assert.deepEqual(typeof left === 'number' ? all.length : all, left);
      const before = log.released;
      release(cidr);
      assert.equal(log.released > before, isOfRange);
      assert.equal(takeAll().length, 4 - all.length);
    });
});

test('what was released comes again, after all others', () => {
  const { take, release } = setOf('10.0.0.0/22', 24);
  assert.equal(take(), '10.0.0.0/24');
  release('10.0.0.0/24');
  assert.deepEqual(
    [take(), take(), take(), take(), take()],
    ['10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24', '10.0.0.0/24', undefined],
  );
});

test('what two have is free when both have let go of it', () => {
  const { occupy, release, takeAll } = setOf('10.0.0.0/23', 24);
  for (const cidr of ['10.0.0.0/24', '10.0.0.0/24', '10.0.0.0/23']) occupy(cidr);
  const free: number[] = [];
  for (const cidr of ['10.0.0.0/23', '10.0.0.0/24', '10.0.0.0/24']) {
    release(cidr);
    const all = takeAll();
    free.push(all.length);
    for (const one of all) release(one);
  }
  assert.deepEqual(free, [1, 1, 2]);
});
