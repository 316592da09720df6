import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Pod, SELinuxOptions } from '@keelson/apimachinery/types/core.v1';
import { conflictsOf, describeConflict, reversed } from './conflicts.ts';
import { labellingOf, labelsConflict, severalLabels, type VolumeLabelling } from './pod-volumes.ts';

for (const [a, b, isConflict] of [
  ['', '', false],
  ['', ':::s0:c1', false],
  [':::s0:c1,c2', ':::s0:c1,c2', false],
  [':::s0:c1,c2', ':::s0:c98,c99', true],
  ['u:r:t:s0:c1', ':::s0:c1', false],
  ['u:r:t:s0:c1', ':::s0:c2', true],
  ['u:::s0', 'v:::s0', true],
  ['u:::', ':r::', false],
] as const)
  test(`"${a}" and "${b}" ${isConflict ? 'conflict' : 'may be the same'}`, () => {
    assert.equal(labelsConflict(a, b), isConflict);
    assert.equal(labelsConflict(b, a), isConflict);
  });

const volumeMounts = [{ name: 'v', mountPath: '/v' }];
interface Row {
  readonly what: string;
  readonly pod?: NonNullable<Pod['spec']['securityContext']>;
  readonly containers: readonly Partial<Container>[];
  readonly supports?: boolean;
  readonly expected: ReturnType<typeof labellingOf>;
}
const at = (level: string): SELinuxOptions => ({ level });
const using = (seLinuxOptions?: SELinuxOptions): Partial<Container> => ({
  volumeMounts,
  ...(seLinuxOptions && { securityContext: { seLinuxOptions } }),
});
const none = { label: '', policy: 'Recursive' } as const;
const mount = (label: string) => ({ label, policy: 'MountOption' }) as const;

const rows: readonly Row[] = [
  { what: 'no label', containers: [using()], expected: none },
  {
    what: 'the pod’s label',
    pod: { seLinuxOptions: at('s0:c1') },
    containers: [using()],
    expected: mount(':::s0:c1'),
  },
  { what: 'the container’s label', containers: [using(at('s0:c1'))], expected: mount(':::s0:c1') },
  {
    what: 'the container’s part over the pod’s',
    pod: { seLinuxOptions: { user: 'u', level: 's0:c1' } },
    containers: [using(at('s0:c2'))],
    expected: mount('u:::s0:c2'),
  },
  {
    what: 'a driver that cannot',
    containers: [using(at('s0:c1'))],
    supports: false,
    expected: none,
  },
  {
    what: 'a pod that does not want it',
    pod: { seLinuxChangePolicy: 'Recursive' },
    containers: [using(at('s0:c1'))],
    expected: none,
  },
  {
    what: 'one of two containers has none',
    containers: [using(at('s0:c1')), using()],
    expected: none,
  },
  {
    what: 'a privileged container',
    pod: { seLinuxOptions: at('s0:c1') },
    containers: [{ volumeMounts, securityContext: { privileged: true } }],
    expected: none,
  },
  {
    what: 'a container that does not use the volume',
    containers: [using(at('s0:c1')), { securityContext: { seLinuxOptions: at('s0:c2') } }],
    expected: mount(':::s0:c1'),
  },
  {
    what: 'two labels for one volume',
    containers: [using(at('s0:c1')), using(at('s0:c2'))],
    expected: severalLabels,
  },
  {
    what: 'two labels that nobody mounts',
    containers: [using(at('s0:c1')), using(at('s0:c2'))],
    supports: false,
    expected: none,
  },
];
for (const { what, pod: securityContext = {}, containers, supports = true, expected } of rows)
  test(what, () => {
    const spec = { securityContext, containers: containers.map((one) => ({ name: 'c', ...one })) };
    assert.deepEqual(labellingOf({ metadata: {}, spec }, 'v', supports), expected);
  });

test('each pod is told of the other, and of another namespace nothing but that', () => {
  const users = new Map<string, VolumeLabelling>([
    ['shop/a', mount(':::s0:c1')],
    ['shop/b', mount(':::s0:c2')],
    ['shop/c', mount(':::s0:c1')],
    ['bank/d', none],
  ]);
  const consequence = 'If both pods land on the same node, only one of them may access the volume.';
  const [label, policy, ...others] = conflictsOf('shop/a', users);
  assert.ok(label && policy);
  assert.deepEqual(others, []);
  assert.equal(
    describeConflict(label),
    `SELinuxLabel ":::s0:c1" conflicts with pod b that uses the same volume as this pod with SELinuxLabel ":::s0:c2". ${consequence}`,
  );
  assert.equal(
    describeConflict(reversed(label)),
    `SELinuxLabel ":::s0:c2" conflicts with pod a that uses the same volume as this pod with SELinuxLabel ":::s0:c1". ${consequence}`,
  );
  assert.equal(
    describeConflict(policy),
    `SELinuxChangePolicy"MountOption" conflicts with another pod that uses the same volume as this pod with a different SELinuxChangePolicy. ${consequence}`,
  );
  assert.deepEqual(conflictsOf('shop/none', users), []);
});
