import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServiceRanges, ServiceRangeError } from './service-ranges.ts';

const good: [text: string, cidrs: string[], address: string][] = [
  ['10.96.0.0/16', ['10.96.0.0/16'], '10.96.0.1'],
  ['10.0.0.8/29', ['10.0.0.8/29'], '10.0.0.9'],
  // Bits of the host are not its own.
  ['10.96.7.9/12', ['10.96.7.9/12'], '10.96.0.1'],
  ['fd00:10:96::/112', ['fd00:10:96::/112'], 'fd00:10:96::1'],
  ['10.96.0.0/16, fd00::/108', ['10.96.0.0/16', 'fd00::/108'], '10.96.0.1'],
  ['fd00::/108,10.96.0.0/16', ['fd00::/108', '10.96.0.0/16'], 'fd00::1'],
];
for (const [text, cidrs, apiServerAddress] of good)
  test(`${text}: the API server is at ${apiServerAddress}`, () =>
    assert.deepEqual(parseServiceRanges(text), { cidrs, apiServerAddress }));

const bad: [text: string, message: string][] = [
  ['', 'service-cluster-ip-range[0] is not a valid cidr'],
  ['10.96.0.0', 'service-cluster-ip-range[0] is not a valid cidr'],
  ['10.96.0.0/33', 'service-cluster-ip-range[0] is not a valid cidr'],
  ['::ffff:10.96.0.0/112', 'service-cluster-ip-range[0] is not a valid cidr'],
  ['10.96.0.0/16,', 'service-cluster-ip-range[1] is not a valid cidr'],
  ['10.96.0.0/30', 'the service cluster IP range must be at least 8 IP addresses'],
  ['fd00::/126', 'the service cluster IP range must be at least 8 IP addresses'],
  [
    '10.96.0.0/16,10.97.0.0/16',
    '--service-cluster-ip-range[0] and --service-cluster-ip-range[1] must be of different IP family',
  ],
  [
    '10.96.0.0/16,fd00::/108,10.97.0.0/16',
    '--service-cluster-ip-range must not contain more than two entries',
  ],
];
for (const [text, message] of bad)
  test(`${JSON.stringify(text)}: ${message}`, () =>
    assert.throws(() => parseServiceRanges(text), new ServiceRangeError(message)));
