import { testCreates } from '../../testing/strategy-tables.ts';
import { leaseStrategy } from './strategy.ts';

const lease = (spec: object) => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'l', namespace: 'n' },
  spec,
});

testCreates(leaseStrategy, [
  ['held', lease({ holderIdentity: 'a', leaseDurationSeconds: 15 }), []],
  [
    'held for no time',
    lease({ leaseDurationSeconds: 0 }),
    ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
  ],
  [
    'taken over fewer than no times',
    lease({ leaseTransitions: -1 }),
    ['spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'given away without a strategy',
    lease({ preferredHolder: 'b' }),
    ['spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined'],
  ],
  ['a strategy of somebody', lease({ strategy: 'example.com/Mine' }), []],
  [
    'an unknown strategy',
    lease({ strategy: 'Newest' }),
    ['spec.strategy: Unsupported value: "Newest": supported values: "OldestEmulationVersion"'],
  ],
]);
