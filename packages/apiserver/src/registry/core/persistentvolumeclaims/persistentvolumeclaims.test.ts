import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCreate, readObject, testContext } from '../../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../../testing/strategy-tables.ts';
import { persistentVolumeClaimStrategy as strategy } from './strategy.ts';

function claim(spec: object, status: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: 'c', namespace: 'n', resourceVersion: '1' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
    status,
  };
}
const asking = (storage: string) => claim({ resources: { requests: { storage } } });
const bound = (storage: string) => ({ phase: 'Bound', capacity: { storage } });

testCreates(strategy, [
  ['storage', claim({}), []],
  [
    'no modes',
    claim({ accessModes: [] }),
    ['spec.accessModes: Required value: at least 1 access mode is required'],
  ],
  [
    'an unknown mode',
    claim({ accessModes: ['Any'] }),
    [
      'spec.accessModes: Unsupported value: "Any": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
    ],
  ],
  [
    'a mode that stands alone',
    claim({ accessModes: ['ReadWriteOncePod', 'ReadOnlyMany'] }),
    ['spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes'],
  ],
  ['no amount', claim({ resources: {} }), ['spec.resources[storage]: Required value']],
  [
    'nothing',
    asking('0'),
    ['spec.resources[storage]: Invalid value: "0": must be greater than zero'],
  ],
  [
    'an unknown volume mode',
    claim({ volumeMode: 'Tape' }),
    ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
  ],
]);

const before = { ...claim({ volumeName: 'v' }), status: bound('1Gi') };
const grown = (storage: string) => ({
  ...before,
  spec: { ...before.spec, resources: { requests: { storage } } },
});
const shrunk =
  'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity';
const classed = (name: string | null, current?: string) => ({
  ...before,
  spec: { ...before.spec, volumeAttributesClassName: name },
  status: { ...before.status, currentVolumeAttributesClassName: current },
});

testUpdates(strategy, [
  ['more storage', grown('2Gi'), before, []],
  ['less storage', grown('1Mi'), before, [shrunk]],
  ['less storage than asked for, more than there is', grown('2Gi'), grown('3Gi'), []],
  ['another class of attributes', classed('fast', 'slow'), classed('slow', 'slow'), []],
  ['no class of attributes before one was applied', classed(null), classed('slow'), []],
  [
    'no class of attributes',
    classed(null, 'slow'),
    classed('slow', 'slow'),
    [
      'spec.volumeAttributesClassName: Forbidden: update to nil is forbidden when status.currentVolumeAttributesClassName is not nil',
    ],
  ],
]);

testUpdates(
  strategy,
  [
    [
      'a resize that fails',
      claim({}, { allocatedResourceStatuses: { storage: 'NodeResizeInfeasible' } }),
      claim({}),
      [],
    ],
    [
      'a resize of no kind',
      claim({}, { allocatedResourceStatuses: { storage: 'Odd' } }),
      claim({}),
      [
        'status.allocatedResourceStatus: Unsupported value: "storage": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
      ],
    ],
    [
      'an allocated CPU',
      claim({}, { allocatedResources: { cpu: '1' } }),
      claim({}),
      ['status.allocatedResources: Unsupported value: "cpu": supported values: "storage"'],
    ],
    [
      'less than nothing',
      claim({}, { capacity: { storage: '-1' } }),
      claim({}),
      ['status.capacity[storage]: Invalid value: -1: must be a valid resource quantity'],
    ],
  ],
  'status',
);

test('what a claim is made from is said in both fields', () => {
  const dataSource = { apiGroup: null, kind: 'PersistentVolumeClaim', name: 'other' };
  const { object } = runCreate(strategy, claim({ dataSource }));
  const { dataSourceRef, volumeMode } = object['spec'] as {
    dataSourceRef: object;
    volumeMode: string;
  };
  assert.deepEqual(dataSourceRef, dataSource);
  assert.equal(volumeMode, 'Filesystem');
  assert.deepEqual(object['status'], { phase: 'Pending' });
});

test('kubectl shows the volume of a bound claim', () => {
  const shown = readObject({
    ...before,
    status: { ...bound('1Gi'), accessModes: ['ReadWriteOnce'] },
  });
  assert.deepEqual(strategy.tableCells?.(shown as never, testContext.nowMs), [
    'c',
    'Bound',
    'v',
    '1Gi',
    'RWO',
    '',
    '<unset>',
    '<unknown>',
    '<unset>',
  ]);
});
