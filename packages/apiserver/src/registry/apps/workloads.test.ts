// What the workloads of group apps ask of their objects, through their strategies.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError, type KubeObject } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import type { StrategyContext } from '../strategy.ts';
import { appsStrategies } from './strategies.ts';

const features = createFeatures();
const context: StrategyContext = {
  user: { name: 'u', uid: '', groups: [], extra: {} },
  nowMs: 0,
  features,
  dryRun: false,
};

type Fields = Record<string, unknown>;

/** An object that is in order, with the given fields of its specification in place. */
function workload(fields: Fields = {}): KubeObject {
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', image: 'i:1' }] },
  };
  const spec = { selector: { matchLabels: { app: 'a' } }, template, ...structuredClone(fields) };
  return { apiVersion: 'apps/v1', kind: 'Any', metadata: { name: 'a' }, spec } as KubeObject;
}

function strategyOf(resource: string) {
  const strategy = appsStrategies[resource];
  assert.ok(strategy);
  return strategy;
}

function created(resource: string, fields: Fields = {}): KubeObject {
  const object = workload(fields);
  const strategy = strategyOf(resource);
  strategy.applyDefaults?.(object, features);
  strategy.prepareForCreate?.(object, context);
  return object;
}

const onCreate = (resource: string, fields?: Fields): string[] =>
  (strategyOf(resource).validate?.(created(resource, fields), context) ?? []).map(renderFieldError);

function updated(resource: string, before: Fields, after: Fields) {
  const strategy = strategyOf(resource);
  const old = created(resource, before);
  const object = { ...workload(after), metadata: structuredClone(old.metadata) };
  strategy.applyDefaults?.(object, features);
  strategy.prepareForUpdate?.(object, old, context);
  const errors = strategy.validateUpdate?.(object, old, context) ?? [];
  return { object, errors: errors.map(renderFieldError) };
}

const workloads = ['deployments', 'replicasets', 'statefulsets', 'daemonsets'];

for (const resource of workloads) {
  test(`${resource}: defaults are valid, and the generation starts at 1`, () => {
    assert.deepEqual(onCreate(resource), []);
    assert.equal(created(resource).metadata.generation, 1);
  });

  test(`${resource}: the selector has to select the template`, () => {
    const selector = { matchLabels: { app: 'b' } };
    assert.deepEqual(onCreate(resource, { selector }), [
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ]);
  });

  test(`${resource}: an empty selector is refused`, () => {
    const why = `empty selector is invalid for ${resource === 'replicasets' ? 'deployment' : resource.slice(0, -1)}`;
    assert.deepEqual(onCreate(resource, { selector: {} }), [
      `spec.selector: Invalid value: {}: ${why}`,
    ]);
  });

  test(`${resource}: only a change of the specification advances the generation`, () => {
    assert.equal(updated(resource, {}, {}).object.metadata.generation, 1);
    assert.equal(updated(resource, {}, { minReadySeconds: 3 }).object.metadata.generation, 2);
  });

  test(`${resource}: pods have to be restarted`, () => {
    const template = {
      metadata: { labels: { app: 'a' } },
      spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' },
    };
    assert.deepEqual(onCreate(resource, { template }), [
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ]);
  });
}

const refusals: readonly (readonly [resource: string, fields: Fields, expected: string[]])[] = [
  [
    'deployments',
    { replicas: -1 },
    ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'deployments',
    { strategy: { type: 'Recreate', rollingUpdate: {} } },
    [
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
  ],
  [
    'deployments',
    { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
    [
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
  ],
  [
    'deployments',
    { progressDeadlineSeconds: 5, minReadySeconds: 5 },
    ['spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds'],
  ],
  [
    'daemonsets',
    { updateStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } },
    [
      'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
    ],
  ],
  [
    'daemonsets',
    { updateStrategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
    [
      'spec.updateStrategy.rollingUpdate.maxUnavailable: Required value: cannot be 0 when maxSurge is 0',
    ],
  ],
  [
    'statefulsets',
    { revisionHistoryLimit: -1 },
    ['spec.revisionHistoryLimit: Invalid value: -1: must be greater than or equal to 0'],
  ],
  [
    'statefulsets',
    { podManagementPolicy: 'Any' },
    ["spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'"],
  ],
  [
    'statefulsets',
    { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Keep' } },
    [
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Keep": supported values: "Retain", "Delete"',
    ],
  ],
];

for (const [resource, fields, expected] of refusals) {
  test(`${resource} refuse ${JSON.stringify(fields)}`, () => {
    assert.deepEqual(onCreate(resource, fields), expected);
  });
}

test('deployments: annotations advance the generation too', () => {
  const strategy = strategyOf('deployments');
  const old = created('deployments');
  const object = structuredClone(old);
  object.metadata.annotations = { why: 'rollout' };
  strategy.prepareForUpdate?.(object, old, context);
  assert.equal(object.metadata.generation, 2);
});

test('the selector of a deployment stays as it is', () => {
  const selector = {
    matchLabels: { app: 'a' },
    matchExpressions: [{ key: 'app', operator: 'Exists' }],
  };
  const { errors } = updated('deployments', {}, { selector });
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /^spec\.selector: Invalid value: .*: field is immutable$/);
});

test('daemonsets: templates are counted in an annotation', () => {
  const key = 'deprecated.daemonset.template.generation';
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', image: 'i:2' }] },
  };
  assert.equal(created('daemonsets').metadata.annotations?.[key], '1');
  const afterOther = updated('daemonsets', {}, { minReadySeconds: 1 }).object;
  assert.equal(afterOther.metadata.annotations?.[key], '1');
  const afterTemplate = updated('daemonsets', {}, { template }).object;
  assert.equal(afterTemplate.metadata.annotations?.[key], '2');
});

test('daemonsets: a template generation that is no number is a bad request', () => {
  const object = workload();
  object.metadata.annotations = { 'deprecated.daemonset.template.generation': 'x' };
  assert.throws(
    () => strategyOf('daemonsets').applyDefaults?.(object, features),
    /strconv\.ParseInt: parsing "x": invalid syntax/,
  );
});

test('statefulsets: claims are volumes of the template', () => {
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: {
      containers: [{ name: 'c', image: 'i', volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
    },
  };
  const volumeClaimTemplates = [{ metadata: { name: 'data' }, spec: {} }];
  assert.deepEqual(onCreate('statefulsets', { template, volumeClaimTemplates }), []);
  assert.deepEqual(onCreate('statefulsets', { template }), [
    'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"',
  ]);
});

test('statefulsets: claim templates stay as they are', () => {
  const claim = { metadata: { name: 'data' }, spec: {} };
  const { errors } = updated('statefulsets', {}, { volumeClaimTemplates: [claim], replicas: 3 });
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /^spec: Forbidden: updates to statefulset spec for fields other/);
  assert.deepEqual(updated('statefulsets', {}, { replicas: 3 }).errors, []);
});
