import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Taint, Toleration } from '@keelson/apimachinery/types/core.v1';
import { isTolerated } from './tolerations.ts';

const taint: Taint = { key: 'load', value: '5', effect: 'NoSchedule' };

const borne: readonly Toleration[] = [
  { operator: 'Exists' },
  { key: 'load', operator: 'Exists' },
  { key: 'load', value: '5' },
  { key: 'load', operator: 'Equal', value: '5', effect: 'NoSchedule' },
  { key: 'load', operator: 'Gt', value: '4' },
  { key: 'load', operator: 'Lt', value: '6' },
];

const notBorne: readonly Toleration[] = [
  {},
  { value: '5' },
  { operator: 'Equal', value: '5' },
  { key: 'other', operator: 'Exists' },
  { key: 'load', value: '6' },
  { key: 'load', operator: 'Exists', effect: 'NoExecute' },
  { key: 'load', operator: 'Gt', value: '5' },
  { key: 'load', operator: 'Lt', value: '5' },
  { key: 'load', operator: 'Gt', value: '04' },
  { key: 'load', operator: 'Gt', value: 'four' },
  { key: 'load', operator: 'NotIn', value: '5' },
];

for (const toleration of borne)
  test(`${JSON.stringify(toleration)} bears the taint, also among others`, () => {
    assert.equal(isTolerated(taint, [toleration]), true);
    assert.equal(isTolerated(taint, [{ key: 'other' }, toleration]), true);
  });

for (const toleration of notBorne)
  test(`${JSON.stringify(toleration)} does not bear the taint`, () => {
    assert.equal(isTolerated(taint, [toleration]), false);
  });

test('a taint without a value has the empty one, which is no number', () => {
  const plain: Taint = { key: 'load', effect: 'NoSchedule' };
  assert.equal(isTolerated(plain, [{ key: 'load' }]), true);
  assert.equal(isTolerated(plain, [{ key: 'load', operator: 'Lt', value: '6' }]), false);
});

test('nothing is borne without tolerations', () => {
  assert.equal(isTolerated(taint, []), false);
});
