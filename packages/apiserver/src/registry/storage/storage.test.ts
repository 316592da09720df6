import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runCreate, runUpdate, testContext } from '../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../testing/strategy-tables.ts';
import { storageStrategies } from './strategies.ts';

const {
  csidrivers = {},
  csinodes = {},
  csistoragecapacities = {},
  storageclasses = {},
  volumeattachments = {},
  volumeattributesclasses = {},
} = storageStrategies;

const make = (kind: string, fields: object) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind,
  metadata: { name: 'x', resourceVersion: '1' },
  ...fields,
});

const storageClass = (more: object) =>
  make('StorageClass', { provisioner: 'example.com/p', ...more });
const zones = (...values: string[]) => ({ matchLabelExpressions: [{ key: 'zone', values }] });

testCreates(storageclasses, [
  ['a provisioner', storageClass({ parameters: { a: 'b' } }), []],
  ['no provisioner', storageClass({ provisioner: '' }), ['provisioner: Required value']],
  [
    'a policy that wipes',
    storageClass({ reclaimPolicy: 'Recycle' }),
    ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'],
  ],
  [
    'parameters without a name',
    storageClass({ parameters: { '': 'b' } }),
    ['parameters: Invalid value: "": field can not be empty.'],
  ],
  [
    'zones twice',
    storageClass({ allowedTopologies: [zones('a', 'b'), zones('b', 'a')] }),
    ['allowedTopologies[1].matchLabelExpressions: Duplicate value: ""'],
  ],
  [
    'a zone twice',
    storageClass({ allowedTopologies: [zones('a', 'a')] }),
    ['allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"'],
  ],
  [
    'no zones',
    storageClass({ allowedTopologies: [zones()] }),
    ['allowedTopologies[0].matchLabelExpressions[0].values: Required value'],
  ],
  [
    'a term without expressions',
    storageClass({ allowedTopologies: [{}] }),
    ['allowedTopologies[0].matchLabelExpressions: Duplicate value: ""'],
  ],
]);

testUpdates(storageclasses, [
  ['whether volumes grow', storageClass({ allowVolumeExpansion: true }), storageClass({}), []],
  [
    'parameters',
    storageClass({ parameters: { a: 'b' } }),
    storageClass({}),
    ['parameters: Forbidden: updates to parameters are forbidden.'],
  ],
  [
    'policy',
    storageClass({ reclaimPolicy: 'Retain' }),
    storageClass({}),
    ['reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden.'],
  ],
]);

test('kubectl marks the default class', () => {
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  const shown = readObject({ ...storageClass({}), metadata: { name: 'x', annotations } });
  assert.deepEqual(storageclasses.tableCells?.(shown, testContext.nowMs), [
    'x (default)',
    'example.com/p',
    'Delete',
    '<unset>',
    false,
    '<unknown>',
  ]);
});

const driver = (spec: object) => make('CSIDriver', { spec });
testCreates(csidrivers, [
  ['nothing said', driver({}), []],
  [
    'an unknown policy',
    driver({ fsGroupPolicy: 'Always' }),
    [
      'spec.fsGroupPolicy: Unsupported value: "Always": supported values: "File", "None", "ReadWriteOnceWithFSType"',
    ],
  ],
  [
    'tokens for one audience twice',
    driver({ tokenRequests: [{ audience: 'a' }, { audience: 'a' }] }),
    ['spec.tokenRequests[1].audience: Duplicate value: "a"'],
  ],
  [
    'tokens for a minute',
    driver({ tokenRequests: [{ audience: 'a', expirationSeconds: 60 }] }),
    [
      'spec.tokenRequests[0].expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
    ],
  ],
  [
    'an unknown life',
    driver({ volumeLifecycleModes: ['Eternal'] }),
    [
      'spec.volumeLifecycleModes: Unsupported value: "Eternal": supported values: "Persistent", "Ephemeral"',
    ],
  ],
]);

const node = (...drivers: object[]) => make('CSINode', { spec: { drivers } });
const onNode = (more: object) => ({ name: 'd.example.com', nodeID: 'n', ...more });
testCreates(csinodes, [
  ['a driver', node(onNode({ topologyKeys: ['a'] })), []],
  [
    'a driver twice',
    node(onNode({}), onNode({})),
    ['spec.drivers[1].name: Duplicate value: "d.example.com"'],
  ],
  [
    'a driver that knows no node',
    node(onNode({ nodeID: '' })),
    ['spec.drivers[0].nodeID: Required value'],
  ],
  [
    'fewer than no volumes',
    node(onNode({ allocatable: { count: -1 } })),
    ['spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'keys twice',
    node(onNode({ topologyKeys: ['a', 'a'] })),
    ['spec.drivers[0]: Duplicate value: "a"'],
  ],
]);
testUpdates(csinodes, [
  ['a driver goes', node(), node(onNode({})), []],
  [
    'a driver has room for more',
    node(onNode({ allocatable: { count: 9 } })),
    node(onNode({ allocatable: { count: 1 } })),
    [],
  ],
]);

test('a driver on a node keeps its identity', () => {
  const change = [node(onNode({ nodeID: 'm' })), node(onNode({}))] as const;
  const { errors } = runUpdate(csinodes, change);
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /^spec\.drivers: Invalid value: .*: field is immutable$/);
});

const attachment = (source: object, more: object = {}) =>
  make('VolumeAttachment', { spec: { attacher: 'a.example.com', nodeName: 'n', source }, ...more });
const pv = { persistentVolumeName: 'v' };
const csi = { driver: 'a.example.com', volumeHandle: 'h' };
const inlineVolumeSpec = { accessModes: ['ReadWriteOnce'], csi };
const failed = (message: string) => ({ status: { attached: false, attachError: { message } } });

testCreates(volumeattachments, [
  ['a volume', attachment(pv), []],
  ['a volume of its own', attachment({ inlineVolumeSpec }), []],
  [
    'nothing',
    attachment({}),
    [
      'spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    ],
  ],
  [
    'two volumes',
    attachment({ ...pv, inlineVolumeSpec }),
    [
      'spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName',
    ],
  ],
  [
    'a volume of its own that is claimed',
    attachment({
      inlineVolumeSpec: {
        ...inlineVolumeSpec,
        claimRef: { name: 'c' },
        capacity: { storage: '1Gi' },
      },
    }),
    [
      'spec.source.inlineVolumeSpec.claimRef: Forbidden: may not be specified in the context of inline volumes',
      'spec.source.inlineVolumeSpec.capacity: Forbidden: may not be specified in the context of inline volumes',
    ],
  ],
]);
testUpdates(
  volumeattachments,
  [
    ['nothing', attachment(pv), attachment(pv), []],
    ['a short error', attachment(pv, failed('no')), attachment(pv), []],
    [
      'a long error',
      attachment(pv, failed('x'.repeat(1025))),
      attachment(pv),
      ['status.attachError.message: Too long: may not be more than 262144 bytes'],
    ],
  ],
  'status',
);

test('a new attachment is not attached yet', () => {
  const { object } = runCreate(volumeattachments, attachment(pv, { status: { attached: true } }));
  assert.deepEqual(object['status'], { attached: false });
});

const attributes = (more: object) =>
  make('VolumeAttributesClass', {
    driverName: 'd.example.com',
    parameters: { iops: '1' },
    ...more,
  });
testCreates(volumeattributesclasses, [
  ['a parameter', attributes({}), []],
  [
    'no parameters',
    attributes({ parameters: {} }),
    ['parameters: Required value: must contain at least one key/value pair'],
  ],
]);
testUpdates(volumeattributesclasses, [
  [
    'driver',
    attributes({ driverName: 'e.example.com' }),
    attributes({}),
    ['driverName: Forbidden: updates to driverName are forbidden.'],
  ],
]);

const capacity = (more: object) => make('CSIStorageCapacity', { storageClassName: 's', ...more });
testCreates(csistoragecapacities, [
  ['some', capacity({ capacity: '1Gi' }), []],
  [
    'less than nothing',
    capacity({ capacity: '-1' }),
    ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
  ],
]);
testUpdates(csistoragecapacities, [
  [
    'class',
    capacity({ storageClassName: 't' }),
    capacity({}),
    ['storageClassName: Invalid value: "t": field is immutable'],
  ],
]);
