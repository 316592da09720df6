import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IPAddress, ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { cidrsOf, overlap } from './cidr.ts';
import { mayDelete } from './may-delete.ts';

const serviceCidr = (name: string, ...cidrs: string[]): ServiceCIDR => ({
  metadata: { name },
  spec: { cidrs },
});
const address = (name: string, manager = 'ipallocator.k8s.io'): IPAddress => ({
  metadata: { name, labels: { 'ipaddress.kubernetes.io/managed-by': manager } },
  spec: { parentRef: { resource: 'services', name: 's' } },
});

interface Row {
  readonly what: string;
  /** Of the one that is to go. */
  readonly cidrs?: readonly string[];
  readonly others?: readonly (readonly string[])[];
  readonly addresses?: readonly IPAddress[];
  readonly may: boolean;
}
const used = [address('10.1.2.3')];

const rows: readonly Row[] = [
  { what: 'nobody uses it', may: true },
  { what: 'an address of it is in use', addresses: used, may: false },
  { what: 'the first address counts', addresses: [address('10.1.0.0')], may: false },
  { what: 'the last address counts', addresses: [address('10.1.255.255')], may: false },
  { what: 'an address beside it', addresses: [address('10.2.0.0')], may: true },
  { what: 'an address of another manager', addresses: [address('10.1.2.3', 'me')], may: true },
  { what: 'the same range again', addresses: used, others: [['10.1.0.0/16']], may: true },
  { what: 'a larger range', addresses: used, others: [['10.0.0.0/8']], may: true },
  {
    what: 'a smaller range with the address',
    addresses: used,
    others: [['10.1.2.0/24']],
    may: true,
  },
  { what: 'a smaller range beside it', addresses: used, others: [['10.1.3.0/24']], may: false },
  {
    what: 'one of two addresses is left alone',
    addresses: [...used, address('10.1.9.9')],
    others: [['10.1.2.0/24']],
    may: false,
  },
  {
    what: 'two families, and another for each',
    cidrs: ['10.1.0.0/16', 'fd00::/64'],
    others: [['10.0.0.0/8'], ['fd00::/48']],
    addresses: [...used, address('fd00::1')],
    may: true,
  },
  {
    what: 'two families, one is covered and not in use',
    cidrs: ['10.1.0.0/16', 'fd00::/64'],
    others: [['10.0.0.0/8']],
    addresses: used,
    may: true,
  },
  {
    what: 'two families, the other one is in use',
    cidrs: ['10.1.0.0/16', 'fd00::/64'],
    others: [['10.0.0.0/8']],
    addresses: [...used, address('fd00::1')],
    may: false,
  },
  { what: 'an IPv6 range says nothing of IPv4', addresses: used, others: [['::/0']], may: false },
];

for (const { what, cidrs = ['10.1.0.0/16'], others = [], addresses = [], may } of rows)
  test(`${what}: ${may ? 'it may go' : 'it stays'}`, () => {
    const going = serviceCidr('going', ...cidrs);
    const all = [going, ...others.map((list, i) => serviceCidr(`other-${i}`, ...list))];
    assert.equal(mayDelete(going, all, addresses), may);
  });

for (const [a, b, isOverlap] of [
  ['10.0.0.0/8', '10.1.0.0/16', true],
  ['10.1.0.0/16', '10.0.0.0/8', true],
  ['10.1.0.0/16', '10.2.0.0/16', false],
  ['0.0.0.0/0', '::/0', false],
  ['fd00::/64', 'fd00::/64', true],
] as const)
  test(`${a} and ${b} ${isOverlap ? 'overlap' : 'do not overlap'}`, () => {
    const [one, other] = cidrsOf(serviceCidr('x', a, b));
    assert.ok(one && other);
    assert.equal(overlap(one, other), isOverlap);
  });
