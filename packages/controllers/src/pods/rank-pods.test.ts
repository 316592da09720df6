import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { rankForDeletion, rankYoungestFirst } from './rank-pods.ts';

const hour = 3_600_000;
const now = Date.UTC(2026, 0, 1);
const ago = (ms: number) => new Date(now - ms).toISOString();

interface Traits {
  readonly node?: string;
  readonly phase?: string;
  readonly readyMs?: number;
  /** Ready, and nobody says since when. */
  readonly isReady?: boolean;
  readonly cost?: string;
  readonly restarts?: number;
  readonly sidecarRestarts?: number;
  readonly ageMs?: number;
}

function pod(name: string, traits: Traits): Pod {
  const { node = 'n', phase = 'Running', readyMs, isReady, cost, ageMs = hour } = traits;
  const ready = { type: 'Ready', status: 'True' };
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: ago(ageMs),
      ...(cost !== undefined && {
        annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost },
      }),
    },
    spec: {
      ...(node !== '' && { nodeName: node }),
      containers: [{ name: 'c', image: 'app' }],
      initContainers: [{ name: 's', image: 'side', restartPolicy: 'Always' }],
    },
    status: {
      phase,
      ...(readyMs !== undefined && {
        conditions: [{ ...ready, lastTransitionTime: ago(readyMs) }],
      }),
      ...(isReady === true && { conditions: [ready] }),
      containerStatuses: [restarted('c', traits.restarts)],
      initContainerStatuses: [restarted('s', traits.sidecarRestarts)],
    },
  };
}
const restarted = (name: string, restartCount = 0) => ({
  name,
  restartCount,
  ready: false,
  image: '',
  imageID: '',
});

// The first of two goes; where nothing else decides, "a" does, for its UID.
const rows: [why: string, b: Traits, a: Traits, replicas: 'a' | 'b', job: 'a' | 'b'][] = [
  ['no node', { node: '' }, {}, 'b', 'b'],
  ['still pending', { phase: 'Pending' }, { phase: 'Unknown' }, 'b', 'b'],
  ['unknown', { phase: 'Unknown' }, {}, 'b', 'b'],
  ['not ready', {}, { readyMs: hour }, 'b', 'b'],
  ['cheaper, which is nothing to a Job', { cost: '-5' }, { cost: '-4' }, 'b', 'a'],
  ['readiness counts before costs', { cost: '9' }, { readyMs: hour, cost: '0' }, 'b', 'b'],
  ['a cost that is none counts as zero', { cost: '-5.0' }, { cost: '1' }, 'b', 'a'],
  ['ready for much less long', { readyMs: 60_000 }, { readyMs: hour }, 'b', 'b'],
  ['ready for a little less long', { readyMs: hour }, { readyMs: hour + 1_000 }, 'a', 'b'],
  ['ready since nobody knows when', { isReady: true }, { readyMs: 1_000 }, 'b', 'b'],
  ['restarted more often', { restarts: 2 }, { restarts: 1 }, 'b', 'b'],
  ['a sidecar restarted more often', { sidecarRestarts: 2 }, {}, 'b', 'b'],
  ['containers count before sidecars', { restarts: 1 }, { sidecarRestarts: 2 }, 'b', 'b'],
  [
    'about the same age ends the comparison',
    { readyMs: hour, restarts: 2 },
    { readyMs: hour + 1_000 },
    'a',
    'b',
  ],
  ['much younger', { ageMs: 60_000 }, { ageMs: hour }, 'b', 'b'],
  ['a little younger', { ageMs: hour }, { ageMs: hour + 1_000 }, 'a', 'b'],
  ['nothing', {}, {}, 'a', 'a'],
];

for (const [why, ofB, ofA, replicas, job] of rows)
  test(`what decides who goes first: ${why}`, () => {
    const pods = [pod('b', ofB), pod('a', ofA)];
    const ranking = { related: [], now, countsCost: true };
    assert.equal(rankForDeletion(pods, ranking)[0]?.metadata.name, replicas);
    assert.equal(rankYoungestFirst(pods)[0]?.metadata.name, job);
  });

test('whoever shares a node with more of the same workload goes first', () => {
  const crowd = [pod('x', { node: 'm' }), pod('y', { node: 'm' })];
  const pods = [pod('a', { node: 'n' }), pod('b', { node: 'm' })];
  const first = (related: readonly Pod[]) =>
    rankForDeletion(pods, { related, now, countsCost: true })[0]?.metadata.name;
  assert.equal(first([...pods, ...crowd]), 'b');
  assert.equal(first(pods), 'a');
});

test('costs count with their gate only', () => {
  const pods = [pod('a', { cost: '5' }), pod('b', { cost: '-5' })];
  for (const [countsCost, first] of [
    [true, 'b'],
    [false, 'a'],
  ] as const)
    assert.equal(rankForDeletion(pods, { related: [], now, countsCost })[0]?.metadata.name, first);
});
