import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@keelson/apimachinery';
import { revisionData, templateOf } from './controller-revisions.ts';
import { rawDataHash } from './raw-hash.ts';

// As kube-controller-manager 1.36.2 named them.
const template = (image: string) => ({
  metadata: { labels: { app: 'db' } },
  spec: {
    containers: [
      {
        terminationMessagePolicy: 'File',
        name: 'c',
        image,
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        imagePullPolicy: 'IfNotPresent',
      },
    ],
    restartPolicy: 'Always',
    terminationGracePeriodSeconds: 30,
    dnsPolicy: 'ClusterFirst',
    securityContext: {},
    schedulerName: 'none',
  },
});

test('templates are hashed as the reference does', () => {
  const rows: [image: string, hash: string][] = [
    ['registry.example/app:1', '79d8ffcc69'],
    ['registry.example/app:2', '5ffb78699d'],
  ];
  for (const [image, hash] of rows)
    assert.equal(rawDataHash(revisionData(template(image)), 0), hash);
});

test('the order of keys is no difference, a collision is one', () => {
  const rows: [a: JsonValue, b: JsonValue, isSame: boolean][] = [
    [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
    [{ a: 1 }, { a: 2 }, false],
    [[1, 2], [2, 1], false],
    [{ '10': 1, '9': 2 }, { '9': 2, '10': 1 }, true],
  ];
  for (const [a, b, isSame] of rows)
    assert.equal(rawDataHash(a, 0) === rawDataHash(b, 0), isSame, JSON.stringify([a, b]));
  assert.notEqual(rawDataHash({}, 0), rawDataHash({}, 1));
});

test('a template comes out as it was put in', () => {
  const revision = { metadata: {}, revision: 1, data: revisionData(template('app')) };
  assert.deepEqual(templateOf(revision), template('app'));
  assert.equal(templateOf({ metadata: {}, revision: 1 }), undefined);
});
