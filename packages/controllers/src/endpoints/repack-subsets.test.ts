import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSubset } from '@keelson/apimachinery/types/core.v1';
import { repackSubsets } from './repack-subsets.ts';

/** `1 2 !3 : 80 81`: addresses, those that are not ready, and ports. */
function subset(text: string): EndpointSubset {
  const [hosts = '', ports = ''] = text.split(':');
  const words = hosts.split(' ').filter((word) => word !== '');
  const address = (word: string) => {
    const [host, uid] = word.replace('!', '').split('@');
    return { ip: `10.0.0.${host}`, ...(uid !== undefined && { targetRef: { uid } }) };
  };
  return {
    addresses: words.filter((word) => !word.startsWith('!')).map(address),
    notReadyAddresses: words.filter((word) => word.startsWith('!')).map(address),
    ports: ports
      .split(' ')
      .filter((word) => word !== '')
      .map((port) => ({ port: Number(port) })),
  };
}
function textOf({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset): string {
  const hosts = [
    ...addresses.map((address) => ({ mark: '', address })),
    ...notReadyAddresses.map((address) => ({ mark: '!', address })),
  ].map(({ mark, address: { ip, targetRef } }) => {
    const uid = targetRef?.uid === undefined ? '' : `@${targetRef.uid}`;
    return mark + ip.replace('10.0.0.', '') + uid;
  });
  return `${hosts.join(' ')}:${ports
    .map(({ port }) => port)
    .toSorted()
    .join(' ')}`;
}

test('subsets are told by which addresses share which ports', () => {
  const rows: [what: string, given: string[], expected: string[]][] = [
    ['nothing', [], []],
    ['no addresses', [':80'], [':80']],
    ['no ports', ['1:', '2:'], ['1 2:']],
    ['one of each', ['1:80'], ['1:80']],
    ['twice the same', ['1 1:80', '1:80'], ['1:80']],
    ['one port of two addresses', ['1:80', '2:80'], ['1 2:80']],
    ['two ports of one address', ['1:80', '1:81'], ['1:80 81']],
    ['two ports of two addresses', ['1:80', '2:81', '1:81', '2:80'], ['1 2:80 81']],
    ['ports that differ', ['1:80', '2:81'], ['1:80', '2:81']],
    ['one port in common', ['1:80 81', '2:80'], ['1 2:80', '1:81']],
    ['ready for one port only', ['1:80', '!1:81'], ['!1:81', '1:80']],
    ['not ready counts', ['1:80', '!1:80'], ['!1:80']],
    ['not ready counts, said first', ['!1:80', '1:80'], ['!1:80']],
    ['one address of two pods', ['1@a:80', '1@b:80'], ['1@a 1@b:80']],
    ['addresses in order', ['3:80', '1 !2:80'], ['1 3 !2:80']],
  ];
  for (const [what, given, expected] of rows)
    assert.deepEqual(repackSubsets(given.map(subset)).map(textOf).toSorted(), expected, what);
});

test('the order does not depend on what came first', () => {
  const given = ['1:80', '2:81', '3:82 83', '!4:84'].map(subset);
  assert.deepEqual(repackSubsets(given), repackSubsets(given.toReversed()));
});
