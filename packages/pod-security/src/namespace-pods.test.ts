import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { evaluatePod } from './evaluate.ts';
import { podsCheckedMax, warnAboutPods, type NamespacePodsCheck } from './namespace-pods.ts';
import type { PodObject } from './pod-templates.ts';

const enforce = { level: 'baseline', version: 'latest' } as const;

function warn(pods: PodObject[], check: Partial<NamespacePodsCheck> = {}): Promise<string[]> {
  return warnAboutPods(pods, {
    namespace: 'ns',
    enforce,
    evaluate: evaluatePod,
    isExemptRuntimeClass: (name) => name === 'exempt',
    isOver: () => false,
    ...check,
  });
}

function pod(name: string, spec: PodObject['spec'] = {}, owner?: string): PodObject {
  const ownerReferences = [
    { uid: 'other', controller: false },
    ...(owner === undefined ? [] : [{ uid: owner, controller: true }]),
  ];
  return { metadata: { name, ownerReferences }, spec };
}

const network = { hostNetwork: true };
const both = { hostNetwork: true, containers: [{ name: 'c', ports: [{ hostPort: 1 }] }] };
const headline =
  'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"';

describe('warnAboutPods', () => {
  it('says nothing about pods that satisfy the policy', async () => {
    assert.deepEqual(await warn([pod('a'), pod('b')]), []);
    assert.deepEqual(await warn([]), []);
  });

  it('counts pods with the same reasons under the first name', async () => {
    const pods = [
      pod('c', network),
      pod('b', both),
      pod('a', network),
      pod('x', network),
      pod('d', both),
      pod('e', { hostPID: true, volumes: [{ name: 'v', hostPath: {} }] }),
      pod('fine'),
    ];
    assert.deepEqual(await warn(pods), [
      headline,
      'a (and 2 other pods): host namespaces',
      'b (and 1 other pod): host namespaces, hostPort',
      'e: host namespaces, hostPath volumes',
    ]);
  });

  it('does not look at pods of exempt runtime classes', async () => {
    assert.deepEqual(await warn([pod('a', { ...network, runtimeClassName: 'exempt' })]), []);
  });

  it('looks at one pod of each controller before their replicas', async () => {
    const seen: string[] = [];
    await warn(
      [pod('r1', {}, 'r'), pod('r2', {}, 'r'), pod('solo'), pod('s1', {}, 's'), pod('r3', {}, 'r')],
      {
        evaluate: (policy, metadata, spec) => {
          seen.push(metadata.name ?? '');
          return evaluatePod(policy, metadata, spec);
        },
      },
    );
    assert.deepEqual(seen, ['r1', 'solo', 's1', 'r2', 'r3']);
  });

  it('stops when time is up and says so', async () => {
    let checked = 0;
    assert.deepEqual(
      await warn([pod('a', network), pod('b', network), pod('c', network)], {
        isOver: () => ++checked === 2,
      }),
      [
        'new PodSecurity enforce level only checked against the first 2 of 3 existing pods',
        headline,
        'a (and 1 other pod): host namespaces',
      ],
    );
  });

  it('looks at a bounded number of pods, with pauses', async () => {
    const pods = Array.from({ length: podsCheckedMax + 1 }, (_, i) => pod(`p${i}`));
    let pauses = 0;
    const warnings = await warn(pods, {
      pause: async () => {
        pauses++;
      },
    });
    assert.deepEqual(warnings, [
      `new PodSecurity enforce level only checked against the first 3000 of 3001 existing pods`,
    ]);
    assert.equal(pauses, 12);
  });
});
