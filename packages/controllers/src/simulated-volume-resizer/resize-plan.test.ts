import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import { planResize } from './resize-plan.ts';

interface Row {
  readonly requested: string;
  readonly volume: string;
  readonly allocated?: string;
  readonly says?: string;
  readonly phase?: string;
  readonly isPending?: true;
}

/** Claims of which pods can use 1Gi. */
function claimOf({ requested, allocated, says, phase = 'Bound', isPending }: Row) {
  const claim: PersistentVolumeClaim = {
    metadata: {},
    spec: { resources: { requests: { storage: requested } } },
    status: {
      phase,
      capacity: { storage: '1Gi' },
      ...(allocated !== undefined && { allocatedResources: { storage: allocated } }),
      ...(says !== undefined && { allocatedResourceStatuses: { storage: says } }),
      ...(isPending && { conditions: [{ type: 'FileSystemResizePending', status: 'True' }] }),
    },
  };
  return claim;
}

const rows: readonly (readonly [what: string, row: Row, size: string | undefined])[] = [
  ['nobody asks for more', { requested: '1Gi', volume: '1Gi' }, undefined],
  ['in other words, no more', { requested: '1024Mi', volume: '1Gi' }, undefined],
  ['it asks for more', { requested: '2Gi', volume: '1Gi' }, '2Gi'],
  ['it is not bound', { requested: '2Gi', volume: '1Gi', phase: 'Pending' }, undefined],
  [
    'the volume is large enough, the claim does not know',
    { requested: '2Gi', volume: '2Gi' },
    '2Gi',
  ],
  ['the node is to go on', { requested: '2Gi', volume: '2Gi', isPending: true }, undefined],
  [
    'begun, and then asked for more: first the first',
    { requested: '4Gi', volume: '1Gi', allocated: '2Gi', says: 'ControllerResizeInProgress' },
    '2Gi',
  ],
  [
    'begun and done, but not said',
    { requested: '2Gi', volume: '2Gi', allocated: '2Gi', says: 'ControllerResizeInProgress' },
    '2Gi',
  ],
  [
    'impossible, and asked for less',
    { requested: '2Gi', volume: '1Gi', allocated: '9Gi', says: 'ControllerResizeInfeasible' },
    '2Gi',
  ],
  [
    'impossible, and asked for as much as the volume has',
    { requested: '2Gi', volume: '2Gi', allocated: '2Gi', says: 'ControllerResizeInfeasible' },
    '2Gi',
  ],
  [
    'the node is to go on before more is done',
    { requested: '4Gi', volume: '2Gi', allocated: '2Gi', says: 'NodeResizePending' },
    undefined,
  ],
  [
    'the node goes on, and nothing more is asked for',
    { requested: '2Gi', volume: '2Gi', allocated: '2Gi', says: 'NodeResizeInProgress' },
    undefined,
  ],
  [
    'the node waits for a volume that was never made larger',
    { requested: '4Gi', volume: '1Gi', allocated: '2Gi', says: 'NodeResizePending' },
    '2Gi',
  ],
  [
    'the node could not',
    { requested: '2Gi', volume: '2Gi', allocated: '2Gi', says: 'NodeResizeInfeasible' },
    '2Gi',
  ],
  [
    'allocated by somebody who did not say how it went',
    { requested: '4Gi', volume: '4Gi', allocated: '2Gi' },
    '2Gi',
  ],
];

for (const [what, row, size] of rows)
  test(what, () => {
    const volume = { metadata: {}, spec: { capacity: { storage: row.volume } } };
    assert.equal(planResize(claimOf(row), volume), size);
  });
