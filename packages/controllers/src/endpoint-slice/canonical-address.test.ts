import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalAddress } from './canonical-address.ts';

test('an address has one spelling', () => {
  const rows: [text: string, canonical: string | undefined][] = [
    ['10.0.0.1', '10.0.0.1'],
    ['010.000.0.01', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:db8::1', '2001:db8::1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:0a00:0001', '10.0.0.1'],
    ['64:ff9b::10.0.0.1', '64:ff9b::a00:1'],
    ['256.0.0.1', undefined],
    ['10.0.0', undefined],
    ['10.0.0.1.2', undefined],
    ['0x0a.0.0.1', undefined],
    ['fe80::1%eth0', undefined],
    ['2001:db8', undefined],
    ['a.example', undefined],
    ['', undefined],
  ];
  for (const [text, canonical] of rows) assert.equal(canonicalAddress(text), canonical, text);
});
