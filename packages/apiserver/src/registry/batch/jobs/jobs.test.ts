// What Jobs ask of their objects, through their strategy.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderFieldError } from '@keelson/apimachinery';
import type { Job, JobSpec, JobStatus } from '@keelson/apimachinery/types/batch.v1';
import { createFeatures } from '../../../features/create-features.ts';
import type { StrategyContext } from '../../strategy.ts';
import { jobStrategy } from './strategy.ts';

const context = (emulatedVersion?: string): StrategyContext => ({
  user: { name: 'u', uid: '', groups: [], extra: {} },
  nowMs: 0,
  features: createFeatures(emulatedVersion === undefined ? {} : { emulatedVersion }),
  dryRun: false,
});
const latest = context();

function created(fields: Partial<JobSpec> = {}, given = latest): Job {
  const template = {
    metadata: {},
    spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' },
  };
  const job: Job = {
    metadata: { name: 'j', uid: 'u1' },
    spec: { template, ...structuredClone(fields) },
  };
  jobStrategy.applyDefaults?.(job, given.features);
  jobStrategy.prepareForCreate?.(job, given);
  return job;
}

const onCreate = (fields: Partial<JobSpec>) =>
  (jobStrategy.validate?.(created(fields), latest) ?? []).map(renderFieldError);

function onUpdate(old: Job, change: (job: Job) => void): string[] {
  const job = structuredClone(old);
  change(job);
  jobStrategy.prepareForUpdate?.(job, old, latest);
  return (jobStrategy.validateUpdate?.(job, old, latest) ?? []).map(renderFieldError);
}

function onStatus(fields: Partial<JobSpec>, before: JobStatus, after: JobStatus): string[] {
  const old = { ...created(fields), status: before };
  const job = { ...structuredClone(old), status: after };
  const errors = jobStrategy.subresources?.['status']?.validateUpdate?.(job, old, latest) ?? [];
  return errors.map(renderFieldError);
}

test('pods and selector carry the name and uid of the job', () => {
  const { spec } = created();
  assert.deepEqual(spec.template.metadata?.labels, {
    'batch.kubernetes.io/controller-uid': 'u1',
    'batch.kubernetes.io/job-name': 'j',
    'controller-uid': 'u1',
    'job-name': 'j',
  });
  assert.deepEqual(spec.selector?.matchLabels, { 'batch.kubernetes.io/controller-uid': 'u1' });
  assert.deepEqual(onCreate({}), []);
});

test('before 1.27 the labels had no prefix', () => {
  const { spec } = created({}, context('1.26'));
  assert.deepEqual(spec.template.metadata?.labels, { 'controller-uid': 'u1', 'job-name': 'j' });
  assert.deepEqual(spec.selector?.matchLabels, { 'controller-uid': 'u1' });
});

test('a selector of its own needs to be asked for', () => {
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', image: 'i' }], restartPolicy: 'Never' },
  };
  const selector = { matchLabels: { app: 'a' } };
  assert.deepEqual(onCreate({ manualSelector: true, selector, template }), []);
  assert.deepEqual(onCreate({ selector: { matchLabels: { 'job-name': 'x' } } }), [
    'spec.selector: Invalid value: {"matchLabels":{"batch.kubernetes.io/controller-uid":"u1","job-name":"x"}}: `selector` not auto-generated',
    'spec.template.metadata.labels: Invalid value: {"batch.kubernetes.io/controller-uid":"u1","batch.kubernetes.io/job-name":"j","controller-uid":"u1","job-name":"j"}: `selector` does not match template `labels`',
  ]);
});

const indexed = { completionMode: 'Indexed', completions: 4, parallelism: 2 } as const;
const exitCodes = (values: number[]) => ({
  backoffLimitPerIndex: undefined,
  podFailurePolicy: {
    rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values } }],
  },
});

const refusals: readonly (readonly [Partial<JobSpec>, readonly string[]])[] = [
  [
    { completionMode: 'Indexed', completions: undefined, parallelism: 1 },
    ['spec.completions: Required value: when completion mode is Indexed'],
  ],
  [
    { backoffLimitPerIndex: 1 },
    ['spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode'],
  ],
  [
    { ...indexed, maxFailedIndexes: 5, backoffLimitPerIndex: 1 },
    ['spec.maxFailedIndexes: Invalid value: 5: must be less than or equal to completions'],
  ],
  [
    exitCodes([]),
    [
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: []: at least one value is required',
    ],
  ],
  [
    exitCodes([0, 5, 5, 2]),
    [
      'spec.podFailurePolicy.rules[0].onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator',
      'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 5',
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [0,5,5,2]: must be ordered',
    ],
  ],
  [
    { ...indexed, successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 3 }] } },
    [
      'spec.successPolicy.rules[0].succeededCount: Invalid value: 3: must be less than or equal to 2 (the number of indexes in the specified succeededIndexes field)',
    ],
  ],
  [
    { managedBy: 'me' },
    ['spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")'],
  ],
];

for (const [fields, expected] of refusals) {
  test(`a job is refused: ${JSON.stringify(fields)}`, () => {
    assert.deepEqual(onCreate(fields), expected);
  });
}

test('the pods of a job stay as they are', () => {
  const errors = onUpdate(created(), (job) => {
    for (const container of job.spec.template.spec.containers ?? []) container.image = 'other';
    job.spec.parallelism = 5;
  });
  assert.equal(errors.length, 1);
  assert.match(errors[0] ?? '', /^spec\.template: Invalid value: .*: field is immutable$/);
});

const moved = (job: Job) => {
  job.spec.template.spec.nodeSelector = { zone: 'a' };
};

test('a suspended job that never ran may move', () => {
  assert.deepEqual(onUpdate(created({ suspend: true }), moved), []);
  assert.equal(onUpdate(created({ suspend: false }), moved).length, 1);
  const started = { ...created({ suspend: true }), status: { startTime: '2030-01-01T00:00:00Z' } };
  assert.equal(onUpdate(started, moved).length, 1);
  const drained: JobStatus = {
    ...started.status,
    conditions: [{ type: 'Suspended', status: 'True' }],
  };
  assert.deepEqual(onUpdate({ ...started, status: drained }, moved), []);
  assert.equal(onUpdate({ ...started, status: { ...drained, active: 1 } }, moved).length, 1);
});

test('indexes come and go with the pods that run', () => {
  const old = created({ ...indexed, parallelism: 4 });
  const resized = (completions: number, parallelism: number) =>
    onUpdate(old, (job) => Object.assign(job.spec, { completions, parallelism }));
  assert.deepEqual(resized(6, 6), []);
  assert.deepEqual(resized(6, 4), [
    'spec.completions: Invalid value: 6: can only be modified in tandem with spec.parallelism',
  ]);
});

const time = '2030-01-01T00:00:00Z';
const done: JobStatus = {
  startTime: time,
  completionTime: time,
  conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True' })),
};

const statuses: readonly (readonly [string, JobStatus, JobStatus, readonly string[]])[] = [
  ['a job that is done', {}, done, []],
  [
    'pods of a job that is done',
    {},
    { ...done, active: 1 },
    ['status.active: Invalid value: 1: active>0 is invalid for finished job'],
  ],
  ['what was wrong before stays', { ...done, active: 1 }, { ...done, active: 1 }, []],
  [
    'complete without its time',
    {},
    { ...done, completionTime: undefined },
    ['status.completionTime: Required value: completionTime is required for Complete jobs'],
  ],
  [
    'no longer complete',
    done,
    { startTime: time },
    [
      'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
      'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
    ],
  ],
  [
    'more ready than active',
    {},
    { ready: 2, active: 1 },
    ['status.ready: Invalid value: 2: cannot set more ready pods than active'],
  ],
  [
    'fewer failures',
    { failed: 2 },
    { failed: 1 },
    ['status.failed: Invalid value: 1: cannot decrease the failed counter'],
  ],
  [
    'a pod counted twice',
    {},
    { uncountedTerminatedPods: { succeeded: ['a'], failed: ['a'] } },
    ['status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"'],
  ],
];

for (const [what, before, after, expected] of statuses) {
  test(`status of a job: ${what}`, () => assert.deepEqual(onStatus({}, before, after), expected));
}
