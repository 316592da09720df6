import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatIp } from '@keelson/apimachinery';
import { NodeRangeError, parseNodeRanges, type NodeCidrSettings } from './node-ranges.ts';

const v4 = '10.244.0.0/16';
const v6 = 'fd00:10:244::/56';

test('ranges and how they are divided', () => {
  const rows: [NodeCidrSettings, string[]][] = [
    [{ clusterCidr: v4 }, ['10.244.0.0/16 by 24']],
    [{ clusterCidr: v6 }, ['fd00:10:244::/56 by 64']],
    [{ clusterCidr: `${v4}, ${v6}` }, ['10.244.0.0/16 by 24', 'fd00:10:244::/56 by 64']],
    [{ clusterCidr: `${v6},${v4}` }, ['fd00:10:244::/56 by 64', '10.244.0.0/16 by 24']],
    [{ clusterCidr: v4, maskSize: 16 }, ['10.244.0.0/16 by 16']],
    [{ clusterCidr: v6, maskSize: 72 }, ['fd00:10:244::/56 by 72']],
    [{ clusterCidr: v4, maskSizeIpv4: 26 }, ['10.244.0.0/16 by 26']],
    [{ clusterCidr: v6, maskSizeIpv6: 60 }, ['fd00:10:244::/56 by 60']],
    [
      { clusterCidr: `${v4},${v6}`, maskSizeIpv4: 28, maskSizeIpv6: 72 },
      ['10.244.0.0/16 by 28', 'fd00:10:244::/56 by 72'],
    ],
  ];
  for (const [settings, expected] of rows)
    assert.deepEqual(
      parseNodeRanges(settings).map(
        ({ cidr, blockBits }) => `${formatIp(cidr)}/${cidr.bits} by ${blockBits}`,
      ),
      expected,
    );
});

test('what cannot be divided is refused', () => {
  const rows: [NodeCidrSettings, RegExp][] = [
    [{ clusterCidr: '' }, /^invalid CIDR address: $/],
    [{ clusterCidr: '10.244.0.0' }, /^invalid CIDR address: 10.244.0.0$/],
    [{ clusterCidr: `${v4},` }, /^invalid CIDR address: $/],
    [{ clusterCidr: '::ffff:10.0.0.0/112' }, /^invalid CIDR address/],
    [{ clusterCidr: `${v4},10.0.0.0/16` }, /not configured as dual stack/],
    [{ clusterCidr: `${v4},${v6},${v4}` }, /is:3 > more than max allowed of 2/],
    [{ clusterCidr: v4, maskSize: 15 }, /must be less than or equal to nodeCIDRMaskSize/],
    [{ clusterCidr: v4, maskSize: 33 }, /no address of IPv4 has a prefix of 33 bits/],
    [{ clusterCidr: v6, maskSize: 73 }, /the node CIDR size is too big/],
    [{ clusterCidr: v6, maskSize: 129 }, /no address of IPv6/],
    [{ clusterCidr: `${v4},${v6}`, maskSize: 24 }, /not allowed with dual-stack clusters/],
    [{ clusterCidr: v4, maskSize: 24, maskSizeIpv4: 24 }, /if --node-cidr-mask-size is set/],
    [{ clusterCidr: v4, maskSizeIpv6: 64 }, /ipv6 is not allowed for a single-stack IPv4/],
    [{ clusterCidr: v6, maskSizeIpv4: 24 }, /ipv4 is not allowed for a single-stack IPv6/],
  ];
  for (const [settings, why] of rows)
    assert.throws(
      () => parseNodeRanges(settings),
      (error: unknown) => error instanceof NodeRangeError && why.test(error.message),
      JSON.stringify(settings),
    );
});
