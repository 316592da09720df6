import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fnv1a128 } from './fnv1a-128.ts';
import { orderSlicePorts, orderSubsetPorts, portsKey } from './port-order.ts';

test('the hash is FNV-1a with 128 bits', () => {
  const rows: [text: string, hash: string][] = [
    ['', '6c62272e07bb014262b821756295c58d'],
    ['a', 'd228cb696f1a8caf78912b704e4a8964'],
    ['foobar', '343e1662793c64bf6f0d3597ba446f18'],
  ];
  for (const [text, hash] of rows) assert.equal(fnv1a128(Buffer.from(text)), hash);
});

test('the hash carries from word to word', () => {
  const bytes = Buffer.alloc(100, 0xff);
  let hash = 0x6c62272e07bb014262b821756295c58dn;
  for (const byte of bytes)
    hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * ((1n << 88n) + 0x13bn));
  assert.equal(fnv1a128(bytes), hash.toString(16).padStart(32, '0'));
});

test('ports have the order of Kubernetes, in slices and in Endpoints', () => {
  const a = { name: 'a', protocol: 'TCP', port: 80, appProtocol: 'http' };
  const b = { name: 'b', protocol: 'UDP', port: 81 };
  for (const ports of [
    [a, b],
    [b, a],
  ]) {
    assert.deepEqual(orderSlicePorts(ports), [a, b]);
    assert.deepEqual(orderSubsetPorts(ports), [a, b]);
    assert.equal(portsKey(ports), portsKey([a, b]));
  }
  // Names alone do not make the order.
  const byName = ['http', 'https', 'metrics', 'grpc'].map((name) => ({ ...b, name }));
  assert.notDeepEqual(
    orderSlicePorts(byName).map(({ name }) => name),
    byName.map(({ name }) => name).toSorted(),
  );
});
