import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import type { Features } from '../../features/features.ts';
import { canonicalCidr, canonicalIp } from './canonical-addresses.ts';
import type { Errors } from './checks.ts';
import { cidrForLegacyField, ipForLegacyField } from './legacy-addresses.ts';
import { nonSpecialIp } from './special-addresses.ts';

type Check = (errors: Errors, path: string, value: string) => boolean;

/** `detail`: what the finding says of the value; none when the value is fine. */
type Row = readonly [what: string, check: Check, value: string, detail?: string];

const gates = (strict: boolean): Features => ({
  emulated: { major: 1, minor: 36 },
  enabled: (gate) => gate === 'StrictIPCIDRValidation' && strict,
});
const legacyIp =
  (strict: boolean, ...existing: string[]): Check =>
  (errors, path, value) =>
    ipForLegacyField(errors, path, value, { existing, features: gates(strict) });
const legacyCidr =
  (strict: boolean): Check =>
  (errors, path, value) =>
    cidrForLegacyField(errors, path, value, { features: gates(strict) });

const noIp = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const noCidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
const loopback = 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
const linkLocal = 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';

const rows: readonly Row[] = [
  ['an address', canonicalIp, '10.0.0.1'],
  ['capitals', canonicalIp, '2001:DB8::1', 'must be in canonical form ("2001:db8::1")'],
  [
    'zeros that could be left out',
    canonicalIp,
    '2001:db8:0::1',
    'must be in canonical form ("2001:db8::1")',
  ],
  ['zeros in front', canonicalIp, '10.0.0.01', 'must not have leading 0s'],
  ['IPv4 within IPv6', canonicalIp, '::ffff:10.0.0.1', 'must not be an IPv4-mapped IPv6 address'],
  ['no address', canonicalIp, 'web', noIp],
  ['a range', canonicalCidr, '10.0.0.0/8'],
  [
    'bits of a host',
    canonicalCidr,
    '10.0.0.1/8',
    'must not have bits set beyond the prefix length (should be "10.0.0.0/8")',
  ],
  ['no range', canonicalCidr, '10.0.0.0', noCidr],
  ['zeros in front, once', legacyIp(false), '10.0.0.01'],
  ['zeros in front, now', legacyIp(true), '10.0.0.01', 'must not have leading 0s'],
  ['zeros in front that were there before', legacyIp(true, '10.0.0.01'), '10.0.0.01'],
  ['nonsense, once', legacyIp(false), 'web', noIp],
  ['bits of a host, once', legacyCidr(false), '10.0.0.1/8'],
  [
    'bits of a host, now',
    legacyCidr(true),
    '10.0.0.1/8',
    'must not have bits set beyond the prefix length (should be "10.0.0.0/8")',
  ],
  ['an address of the outside', nonSpecialIp, '192.0.2.1'],
  ['no address at all', nonSpecialIp, '0.0.0.0', 'may not be unspecified (0.0.0.0)'],
  ['this host', nonSpecialIp, '127.1.2.3', loopback],
  ['this host, IPv6', nonSpecialIp, '::1', loopback],
  ['this link', nonSpecialIp, '169.254.1.1', linkLocal],
  ['this link, IPv6', nonSpecialIp, 'fe80::1', linkLocal],
  [
    'everybody on this link',
    nonSpecialIp,
    '224.0.0.1',
    'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
  ],
  ['text', nonSpecialIp, 'web', 'must be a valid IP address'],
];

for (const [what, check, value, detail] of rows) {
  test(`addresses: ${what}: ${value}`, () => {
    const errors: Errors = [];
    assert.equal(check(errors, 'p', value), detail === undefined);
    const expected =
      detail === undefined ? [] : [`p: Invalid value: ${JSON.stringify(value)}: ${detail}`];
    assert.deepEqual(errors.map(renderFieldError), expected);
  });
}
