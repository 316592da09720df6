import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '../json.ts';
import { builtinType } from '../schema/builtin.ts';
import { DecodeError } from './decode-error.ts';
import { fromUnstructured } from './from-unstructured.ts';

const deployment = builtinType('io.k8s.api.apps.v1.Deployment');
const secret = builtinType('io.k8s.api.core.v1.Secret');
assert.ok(deployment && secret);
const podOf = (spec: JsonValue): JsonObject => ({ spec: { template: { spec } } });
const containerOf = (container: JsonValue) => podOf({ containers: [container] });

const refused: [object: JsonObject, message: string][] = [
  [podOf({ containers: 'x' }), 'cannot restore slice from string'],
  [podOf({ containers: 3 }), 'cannot restore slice from int64'],
  [podOf({ containers: {} }), 'cannot restore slice from map'],
  [containerOf({ name: 5 }), 'cannot convert int64 to string'],
  [containerOf({ name: 1.5 }), 'unrecognized type: string'],
  [containerOf({ name: true }), 'unrecognized type: string'],
  [containerOf({ args: [5] }), 'cannot convert int64 to string'],
  [containerOf({ imagePullPolicy: 5 }), 'cannot convert int64 to v1.PullPolicy'],
  [containerOf('x'), 'cannot restore struct from: string'],
  [{ spec: [] }, 'cannot restore struct from: slice'],
  [{ spec: { replicas: 'x' } }, 'unrecognized type: int32'],
  [{ spec: { replicas: 1.5 } }, 'cannot convert float64 to int32'],
  [{ spec: { paused: 1 } }, 'unrecognized type: bool'],
  [{ metadata: { labels: 'x' } }, 'cannot restore map from string'],
  [{ metadata: { labels: { a: 1 } } }, 'cannot convert int64 to string'],
  // Metadata comes first in Go.
  [{ spec: 'x', metadata: 'y' }, 'cannot restore struct from: string'],
];
for (const [object, message] of refused) {
  test(`${JSON.stringify(object)} is refused`, () => {
    assert.throws(() => fromUnstructured(object, deployment), new DecodeError(message));
  });
}

test('text that is no base64 is refused', () => {
  const why = 'error decoding from json: illegal base64 data at input byte 0';
  assert.throws(() => fromUnstructured({ data: { a: '!' } }, secret), new DecodeError(why));
  assert.throws(
    () => fromUnstructured({ data: { a: 1 } }, secret),
    new DecodeError('cannot restore slice from int64'),
  );
});

test('what fits is the same object; unknown fields and nulls are none of its business', () => {
  const object = { ...containerOf({ name: 'a', args: ['x', null], new: 1 }), bogus: true };
  assert.equal(fromUnstructured(object, deployment), object);
});

test('numbers wrap around; what was given stays as it is', () => {
  const object = { spec: { replicas: 4_294_967_298 } };
  assert.deepEqual(fromUnstructured(object, deployment), { spec: { replicas: 2 } });
  assert.equal(object.spec.replicas, 4_294_967_298);
});
