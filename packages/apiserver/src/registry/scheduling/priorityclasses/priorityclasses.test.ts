import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { priorityClassStrategy } from './strategy.ts';

const priority = (fields: object, name = 'high') => ({
  apiVersion: 'scheduling.k8s.io/v1',
  kind: 'PriorityClass',
  metadata: { name, resourceVersion: '1' },
  ...fields,
});
const reserved = (why: string) =>
  `metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error: ${why}`;

testCreates(priorityClassStrategy, [
  ['a value', priority({ value: 1_000_000_000 }), []],
  [
    'a value of the system',
    priority({ value: 1_000_000_001 }),
    ['value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  ],
  ['a known class of the system', priority({ value: 2_000_001_000 }, 'system-node-critical'), []],
  [
    'another value for it',
    priority({ value: 1 }, 'system-node-critical'),
    [reserved('value of system-node-critical PriorityClass must be 2000001000')],
  ],
  [
    'an unknown class of the system',
    priority({ value: 1 }, 'system-mine'),
    [reserved('system-mine is not a known system priority class')],
  ],
  [
    'an unknown policy',
    priority({ value: 1, preemptionPolicy: 'Always' }),
    [
      'preemptionPolicy: Unsupported value: "Always": supported values: "PreemptLowerPriority", "Never"',
    ],
  ],
]);

testUpdates(priorityClassStrategy, [
  ['description', priority({ value: 1, description: 'd' }), priority({ value: 1 }), []],
  [
    'value',
    priority({ value: 2 }),
    priority({ value: 1 }),
    ['value: Forbidden: may not be changed in an update.'],
  ],
  [
    'policy',
    priority({ value: 1, preemptionPolicy: 'Never' }),
    priority({ value: 1 }),
    ['preemptionPolicy: Invalid value: "Never": field is immutable'],
  ],
]);
