import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject, JsonValue } from '@keelson/apimachinery';
import { parseSchedulerConfiguration } from '../configuration/parse-configuration.ts';
import { summarizePod } from '../snapshot/pod-summary.ts';
import {
  asking,
  createSchedulingCluster,
  testNode,
  testPod,
} from '../testing/scheduling-cluster.ts';
import { bindByExtender } from './ask-extenders.ts';
import { createExtender } from './extender.ts';

const verbs = { filterVerb: 'filter', prioritizeVerb: 'prioritize', weight: 1 };
const verb = (name: 'filter' | 'prioritize' | 'preempt' | 'bind') => ({
  [`${name}Verb`]: name,
  weight: 1,
});

/** Answers by verb; a number is a status without a body. */
type Answers = Readonly<Record<string, (question: JsonObject) => JsonValue | number>>;

interface Setting {
  readonly extender: object;
  readonly answers: Answers;
}

/** Nodes a, b and c, and extenders that answer so. */
function setUp(settings: readonly Setting[], pods: Readonly<Record<string, object>> = {}) {
  const { extenders, profiles, ...rest } = parseSchedulerConfiguration(
    JSON.stringify({
      apiVersion: 'kubescheduler.config.k8s.io/v1',
      kind: 'KubeSchedulerConfiguration',
      extenders: settings.map(({ extender }, i) => ({ urlPrefix: `http://e${i}/x/`, ...extender })),
    }),
    () => true,
  );
  const asked: [url: string, question: JsonObject][] = [];
  const client = (answers: Answers) => ({
    post(url: string, body: Uint8Array) {
      const question = JSON.parse(Buffer.from(body).toString()) as JsonObject;
      asked.push([url, question]);
      const answer = answers[url.slice(url.lastIndexOf('/') + 1)]?.(question) ?? 404;
      if (typeof answer !== 'number')
        return Promise.resolve({ status: 200, body: Buffer.from(JSON.stringify(answer)) });
      if (answer === 0) return Promise.reject(new Error('no answer'));
      return Promise.resolve({ status: answer, body: Buffer.from('{}') });
    },
    close: () => {},
  });
  const warnings: unknown[] = [];
  const all = extenders.map((extender) => {
    const at = Number(/e(\d)/.exec(extender.urlPrefix)?.[1]);
    return createExtender(extender, client(settings[at]?.answers ?? {}));
  });
  const log = { warn: (_message: string, fields: object) => void warnings.push(fields) };
  const cluster = createSchedulingCluster({
    configuration: { ...rest, profiles, extenders },
    extenders: { all, log },
  });
  for (const name of ['a', 'b', 'c']) cluster.cluster.putNode(testNode(name));
  for (const [name, spec] of Object.entries(pods)) cluster.put(testPod(name, spec), 'a');
  const { signal } = new AbortController();
  return {
    asked,
    warnings,
    extenders: { all, log },
    signal,
    /** The node, or why there is none. */
    async decide(spec: object = {}): Promise<string> {
      try {
        const result = await cluster.cycle.decide(summarizePod(testPod('p', spec)), signal);
        if (result.kind === 'node') return result.node.name;
        return result.nominatedNodeName === undefined || result.nominatedNodeName === ''
          ? result.message
          : `promised ${result.nominatedNodeName}`;
      } catch (error) {
        return `error: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
  };
}

const names = (...kept: string[]) => ({ NodeNames: kept });
const items = (...kept: string[]) => ({
  Nodes: { items: kept.map((name) => ({ metadata: { name } })) },
});
const unhelpful =
  'no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.';

interface Row {
  readonly what: string;
  readonly settings: readonly Setting[];
  readonly pod?: object;
  readonly expected: string;
}

const cached = { ...verb('filter'), nodeCacheCapable: true };
const keeping = (...kept: string[]): Setting => ({
  extender: cached,
  answers: { filter: () => names(...kept) },
});

const rows: readonly Row[] = [
  { what: 'the only node that is left', settings: [keeping('b')], expected: 'b' },
  {
    what: 'the node that both leave',
    settings: [keeping('a', 'b'), keeping('b')],
    expected: 'b',
  },
  {
    what: 'nodes by what they are',
    settings: [{ extender: verb('filter'), answers: { filter: () => items('c') } }],
    expected: 'c',
  },
  {
    what: 'an answer in small letters',
    settings: [{ extender: cached, answers: { filter: () => ({ nodenames: ['c'] }) } }],
    expected: 'c',
  },
  {
    what: 'reasons',
    settings: [
      {
        extender: cached,
        answers: {
          filter: () => ({
            ...names(),
            FailedNodes: { a: 'no license', b: 'no license', x: 'of no interest' },
            FailedAndUnresolvableNodes: { c: 'too old' },
          }),
        },
      },
    ],
    expected:
      '0/3 nodes are available: 1 too old, 2 no license. no new claims to deallocate, preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, 2 No preemption victims found for incoming pod.',
  },
  {
    what: 'no nodes, without a word',
    settings: [{ extender: verb('filter'), answers: { filter: () => ({}) } }],
    expected: `0/3 nodes are available: . ${unhelpful}`,
  },
  {
    what: 'a node that it was not asked about',
    settings: [keeping('x')],
    expected:
      'error: extender "http://e0/x/" claims a filtered node "x" which is not found in the input node list',
  },
  {
    what: 'an error that it tells',
    settings: [{ extender: cached, answers: { filter: () => ({ Error: 'out of order' }) } }],
    expected: 'error: out of order',
  },
  {
    what: 'another status',
    settings: [{ extender: cached, answers: { filter: () => 503 } }],
    expected: 'error: failed filter with extender at URL http://e0/x/filter, code 503',
  },
  {
    what: 'a redirect',
    settings: [{ extender: cached, answers: { filter: () => 302 } }],
    expected: 'error: failed filter with extender at URL http://e0/x/filter, code 302',
  },
  {
    what: 'no answer',
    settings: [{ extender: cached, answers: { filter: () => 0 } }],
    expected: 'error: no answer',
  },
  {
    what: 'an answer of another form',
    settings: [{ extender: cached, answers: { filter: () => ['b'] } }],
    expected: 'error: the answer of the extender is not an object',
  },
  {
    what: 'a failure that may be ignored',
    settings: [
      { extender: { ...cached, ignorable: true }, answers: { filter: () => 503 } },
      keeping('b'),
    ],
    expected: 'b',
  },
  {
    what: 'the best score by weight',
    settings: [scoring({ b: 1 }, 10), scoring({ c: 10 }, 1)],
    expected: 'c',
  },
  {
    what: 'scores that add up',
    settings: [scoring({ b: 6, c: 9 }, 1), scoring({ b: 6 }, 1)],
    expected: 'b',
  },
  {
    what: 'scores that cannot be had count for nothing',
    settings: [
      { extender: verb('prioritize'), answers: { prioritize: () => 500 } },
      scoring({ c: 10 }, 1),
    ],
    expected: 'c',
  },
  {
    what: 'a pod that it is not interested in',
    settings: [
      {
        extender: { ...cached, managedResources: [{ name: 'example.com/gpu' }] },
        answers: { filter: () => 503 },
      },
      keeping('b'),
    ],
    expected: 'b',
  },
  {
    what: 'a resource that it looks after, and nodes need not have',
    settings: [
      {
        extender: {
          ...cached,
          managedResources: [{ name: 'example.com/gpu', ignoredByScheduler: true }],
        },
        answers: { filter: () => names('c') },
      },
    ],
    pod: asking({ 'example.com/gpu': '1' }),
    expected: 'c',
  },
  {
    what: 'a resource that it looks after, and nodes must have',
    settings: [
      {
        extender: { ...cached, managedResources: [{ name: 'example.com/gpu' }] },
        answers: { filter: () => names('c') },
      },
    ],
    pod: asking({ 'example.com/gpu': '1' }),
    expected: `0/3 nodes are available: 3 Insufficient example.com/gpu. ${unhelpful}`,
  },
];

function scoring(scores: Readonly<Record<string, number>>, weight: number): Setting {
  const list = Object.entries(scores).map(([Host, Score]) => ({ Host, Score }));
  return {
    extender: { ...verb('prioritize'), weight },
    answers: { prioritize: () => list },
  };
}

for (const { what, settings, pod, expected } of rows)
  test(`extenders decide: ${what}`, async () => {
    assert.equal(await setUp(settings).decide(pod), expected);
  });

test('what extenders are asked', async () => {
  const { asked, decide } = setUp([
    { extender: verbs, answers: { filter: () => items('a', 'b'), prioritize: () => [] } },
    {
      extender: { ...verbs, nodeCacheCapable: true },
      answers: { filter: () => names('a', 'b'), prioritize: () => [{ Host: 'b', Score: 10 }] },
    },
  ]);
  assert.equal(await decide(), 'b');
  const namesIn = (list: JsonValue | undefined) =>
    ((list as { items: { metadata: { name: string } }[] } | null)?.items ?? []).map(
      ({ metadata }) => metadata.name,
    );
  assert.deepEqual(
    asked.map(([url, { Pod, Nodes, NodeNames }]) => [
      url,
      (Pod as { metadata: { name: string } }).metadata.name,
      namesIn(Nodes),
      NodeNames,
    ]),
    [
      ['http://e0/x/filter', 'p', ['a', 'b', 'c'], null],
      ['http://e1/x/filter', 'p', [], ['a', 'b']],
      ['http://e0/x/prioritize', 'p', ['a', 'b'], null],
      ['http://e1/x/prioritize', 'p', [], ['a', 'b']],
    ],
  );
});

test('failures that are ignored are told', async () => {
  const ignorable = { ...cached, ignorable: true };
  const { decide, warnings } = setUp([{ extender: ignorable, answers: { filter: () => 503 } }]);
  assert.match(await decide(), /^[abc]$/);
  const error = 'failed filter with extender at URL http://e0/x/filter, code 503';
  assert.deepEqual(warnings, [{ extender: 'http://e0/x/', error }]);
});

const large = asking({ cpu: '3' });
const occupied = {
  low: { ...large, priority: 1 },
  lower: { ...asking({ cpu: '1' }), priority: 0 },
};
const important = {
  ...asking({ cpu: '3' }),
  priority: 10,
  nodeSelector: { 'kubernetes.io/hostname': 'a' },
};
const victims = (...uids: string[]) => ({
  NodeNameToMetaVictims: { a: { Pods: uids.map((UID) => ({ UID })), NumPDBViolations: 0 } },
});
const preemption = (answer: JsonValue | number, more: object = {}): Setting => ({
  extender: { ...verb('preempt'), nodeCacheCapable: true, ...more },
  answers: { preempt: () => answer },
});
const nowhere = (why: string) =>
  `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't match Pod's node affinity/selector. ${why}`;
const unprefixed = 'no new claims to deallocate, preemption: ';

const preemptions: [what: string, setting: Setting, expected: string][] = [
  ['agreed to', preemption(victims('uid-low')), 'promised a'],
  ['with other victims', preemption(victims('uid-low', 'uid-lower')), 'promised a'],
  [
    'refused',
    preemption({ NodeNameToMetaVictims: {} }),
    nowhere(`${unprefixed}no candidate node for preemption`),
  ],
  [
    'of nobody',
    preemption(victims()),
    nowhere('preemption: expected at least one victim pod on node "a"'),
  ],
  [
    'of nobody, by one that may be ignored',
    preemption(victims(), { ignorable: true }),
    nowhere(`${unprefixed}no candidate node for preemption`),
  ],
  [
    'of a pod that is not there',
    preemption(victims('uid-x')),
    nowhere(
      'preemption: extender: http://e0/x/ claims to preempt pod (UID: &{uid-x}) on node: a, but the pod is not found on that node',
    ),
  ],
  [
    'on a node that was no candidate',
    preemption({ NodeNameToMetaVictims: { b: { Pods: [{ UID: 'uid-low' }] } } }),
    nowhere('preemption: nodeinfo not found for node name "b"'),
  ],
  [
    'without an answer',
    preemption(500),
    nowhere('preemption: failed preempt with extender at URL http://e0/x/preempt, code 500'),
  ],
  ['without an answer that is needed', preemption(500, { ignorable: true }), 'promised a'],
];

for (const [what, setting, expected] of preemptions)
  test(`extenders are asked about preemption: ${what}`, async () => {
    const { asked, decide } = setUp([setting], occupied);
    assert.equal(await decide(important), expected);
    assert.deepEqual(asked[0]?.[1]['NodeNameToMetaVictims'], {
      a: { Pods: [{ UID: 'uid-low' }], NumPDBViolations: 0 },
    });
  });

test('who binds', async () => {
  const pod = summarizePod(testPod('p'));
  const outcomes: [setting: Setting, isBound: boolean | RegExp][] = [
    [{ extender: verb('bind'), answers: { bind: () => ({}) } }, true],
    [{ extender: verb('filter'), answers: {} }, false],
    [{ extender: verb('bind'), answers: { bind: () => ({ Error: 'no' }) } }, /^no$/],
    [{ extender: { ...verb('bind'), ignorable: true }, answers: { bind: () => 500 } }, false],
    [
      {
        extender: { ...verb('bind'), managedResources: [{ name: 'example.com/gpu' }] },
        answers: { bind: () => ({}) },
      },
      false,
    ],
  ];
  for (const [setting, isBound] of outcomes) {
    const { asked, extenders, signal } = setUp([setting]);
    const binding = bindByExtender(extenders, { pod, nodeName: 'b' }, signal);
    if (isBound instanceof RegExp) await assert.rejects(binding, { message: isBound });
    else assert.equal(await binding, isBound);
    if (isBound === true)
      assert.deepEqual(asked, [
        ['http://e0/x/bind', { PodName: 'p', PodNamespace: 'n', PodUID: 'uid-p', Node: 'b' }],
      ]);
  }
});
