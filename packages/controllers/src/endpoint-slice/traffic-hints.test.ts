import assert from 'node:assert/strict';
import { test } from 'node:test';
import { knownDistribution, trafficHints } from './traffic-hints.ts';

test('a distribution counts where its gate is on', () => {
  const first = 'ServiceTrafficDistribution';
  const second = 'PreferSameTrafficDistribution';
  const rows: [distribution: string | undefined, gates: string[], known: string | undefined][] = [
    [undefined, [first, second], undefined],
    ['PreferClose', [], undefined],
    ['PreferClose', [second], undefined],
    ['PreferClose', [first], 'PreferClose'],
    ['PreferSameZone', [first], undefined],
    ['PreferSameZone', [first, second], 'PreferSameZone'],
    ['PreferSameNode', [first], undefined],
    ['PreferSameNode', [first, second], 'PreferSameNode'],
  ];
  for (const [distribution, gates, known] of rows) {
    const spec = distribution === undefined ? {} : { trafficDistribution: distribution };
    const service = { metadata: {}, spec };
    assert.equal(
      knownDistribution(service, (gate) => gates.includes(gate)),
      known,
    );
  }
});

test('an endpoint is for where it is', () => {
  const there = { nodeName: 'n', zone: 'z' };
  const forZones = [{ name: 'z' }];
  const forNodes = [{ name: 'n' }];
  const rows: [distribution: string | undefined, where: typeof there, hints: object | undefined][] =
    [
      ['PreferClose', there, { forZones }],
      ['PreferSameZone', there, { forZones }],
      ['PreferSameNode', there, { forZones, forNodes }],
      ['PreferSameNode', { nodeName: 'n', zone: '' }, { forNodes }],
      ['PreferSameZone', { nodeName: 'n', zone: '' }, undefined],
      ['PreferSameNode', { nodeName: '', zone: '' }, undefined],
      ['Anything', there, undefined],
      [undefined, there, undefined],
    ];
  for (const [distribution, where, hints] of rows)
    assert.deepEqual(trafficHints(distribution, where), hints);
});
