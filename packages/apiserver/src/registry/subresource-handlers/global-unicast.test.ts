import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isGlobalUnicast } from './global-unicast.ts';

const allowed = ['10.1.2.3', '192.0.2.1', '8.8.8.8', '2001:db8::1', 'fd00::1'];
const refused = [
  ['nothing', ''],
  ['a name', 'localhost'],
  ['unspecified', '0.0.0.0'],
  ['unspecified', '::'],
  ['broadcast', '255.255.255.255'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.254'],
  ['loopback', '::1'],
  ['loopback in IPv6', '::ffff:127.0.0.1'],
  ['link-local', '169.254.169.254'],
  ['link-local', 'fe80::1'],
  ['link-local', 'febf::1'],
  ['multicast', '224.0.0.1'],
  ['multicast', '239.1.1.1'],
  ['multicast', 'ff02::1'],
] as const;

test('proxies only reach hosts elsewhere', () => {
  for (const address of allowed) assert.equal(isGlobalUnicast(address), true, address);
  for (const [why, address] of refused) assert.equal(isGlobalUnicast(address), false, why);
});
