import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice } from '@keelson/apimachinery/types/discovery.k8s.io.v1';
import type { SlicePlan } from './plan-slices.ts';
import { endpointChanges } from './slice-metrics.ts';

/** `10.0.0.1` is ready, `10.0.0.1!` is not. */
function slice(name: string, addresses: readonly string[], port = 80): EndpointSlice {
  const endpoints = addresses.map((text) => ({
    addresses: [text.replace('!', '')],
    conditions: { ready: !text.endsWith('!') },
  }));
  return { metadata: { name }, addressType: 'IPv4', ports: [{ port }], endpoints };
}
const nothing: SlicePlan = { create: [], update: [], delete: [] };

const rows: readonly [
  what: string,
  plan: Partial<SlicePlan>,
  changes: readonly [added: number, updated: number, removed: number],
][] = [
  ['nothing', {}, [0, 0, 0]],
  ['a new slice', { create: [slice('c', ['3', '4'])] }, [2, 0, 0]],
  ['a slice less', { delete: [slice('a', ['1', '2'])] }, [0, 0, 2]],
  ['one more, one less', { update: [slice('a', ['2', '3'])] }, [1, 0, 1]],
  ['one that is not ready any more', { update: [slice('a', ['1', '2!'])] }, [0, 1, 0]],
  ['one that moves', { create: [slice('c', ['2'])], update: [slice('a', ['1'])] }, [0, 0, 0]],
  ['other ports', { update: [slice('a', ['1', '2'], 81)] }, [2, 0, 2]],
];
for (const [what, plan, [added, updated, removed]] of rows)
  test(what, () => {
    const existing = [slice('a', ['1', '2']), slice('b', ['9'])];
    assert.deepEqual(endpointChanges({ ...nothing, ...plan }, existing), {
      added,
      updated,
      removed,
    });
  });
