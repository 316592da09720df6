import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod, PodSpec } from '@keelson/apimachinery/types/core.v1';
import { createFeatures } from '../../../features/create-features.ts';
import { podUpdateOptions } from '../pod-spec/options.ts';
import { validatePodStatusUpdate } from './status-validation.ts';

const features = createFeatures({});

interface Change {
  readonly spec: Partial<PodSpec>;
  /** Which container ended, and how. */
  readonly ended: 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses';
  readonly exitCode: number;
}

/** The problems when a container that has ended runs again. */
function problemsOf({ spec, ended, exitCode }: Change): string[] {
  const pod = (state: object): Pod => ({
    metadata: { name: 'p', namespace: 'default' },
    spec: { containers: [container({})], ...spec },
    status: {
      [ended]: [{ name: 'c', image: 'i', imageID: '', ready: false, restartCount: 0, state }],
    },
  });
  const old = pod({ terminated: { exitCode } });
  const now = pod({ waiting: {} });
  const options = podUpdateOptions(features, old);
  return validatePodStatusUpdate(now, old, { options, features }).map(
    ({ path, detail }) => `${path}: ${detail}`,
  );
}

const container = (more: Partial<Container>): Container => ({ name: 'c', image: 'i', ...more });
const rule = (action: string) => ({ action, exitCodes: { operator: 'In', values: [42] } });
const restartsAll = container({
  name: 'other',
  restartPolicy: 'Never',
  restartPolicyRules: [rule('RestartAllContainers')],
});

const may: readonly [why: string, change: Change][] = [
  [
    'in a pod that is always restarted',
    { spec: { restartPolicy: 'Always' }, ended: 'containerStatuses', exitCode: 0 },
  ],
  [
    'after a failure',
    { spec: { restartPolicy: 'OnFailure' }, ended: 'containerStatuses', exitCode: 1 },
  ],
  [
    'by its own policy',
    {
      spec: { restartPolicy: 'Never', containers: [container({ restartPolicy: 'OnFailure' })] },
      ended: 'containerStatuses',
      exitCode: 0,
    },
  ],
  [
    'with another one that restarts all',
    {
      spec: { restartPolicy: 'Never', containers: [container({}), restartsAll] },
      ended: 'containerStatuses',
      exitCode: 0,
    },
  ],
  [
    'as an init container, with one that restarts all',
    {
      spec: { restartPolicy: 'Never', containers: [restartsAll], initContainers: [container({})] },
      ended: 'initContainerStatuses',
      exitCode: 0,
    },
  ],
];
for (const [why, change] of may)
  test(`a container may run again ${why}`, () => assert.deepEqual(problemsOf(change), []));

const mayNot: readonly [why: string, change: Change][] = [
  [
    'in a pod that is not restarted',
    { spec: { restartPolicy: 'Never' }, ended: 'containerStatuses', exitCode: 1 },
  ],
  [
    'when it succeeded',
    { spec: { restartPolicy: 'OnFailure' }, ended: 'containerStatuses', exitCode: 0 },
  ],
  [
    'because others have rules for themselves',
    {
      spec: {
        restartPolicy: 'Never',
        containers: [
          container({}),
          container({
            name: 'other',
            restartPolicy: 'Never',
            restartPolicyRules: [rule('Restart')],
          }),
        ],
      },
      ended: 'containerStatuses',
      exitCode: 42,
    },
  ],
  [
    'when it is ephemeral, whatever others do',
    {
      spec: { restartPolicy: 'Always', containers: [restartsAll] },
      ended: 'ephemeralContainerStatuses',
      exitCode: 0,
    },
  ],
];
for (const [why, change] of mayNot)
  test(`a container may not run again ${why}`, () =>
    assert.deepEqual(problemsOf(change), [
      `status.${change.ended}[0].state: may not be transitioned to non-terminated state`,
    ]));
