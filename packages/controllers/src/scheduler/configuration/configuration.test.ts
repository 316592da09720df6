import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Node, Pod } from '@keelson/apimachinery/types/core.v1';
import {
  asking,
  createSchedulingCluster,
  testNode,
  testPod,
} from '../testing/scheduling-cluster.ts';
import { parseSchedulerConfiguration } from './parse-configuration.ts';
import { defaultConfiguration, SchedulerConfigurationError } from './scheduler-configuration.ts';
import { pluginNames } from './validate-plugins.ts';

const head = { apiVersion: 'kubescheduler.config.k8s.io/v1', kind: 'KubeSchedulerConfiguration' };
const parse = (more: object, disabled: readonly string[] = []) =>
  parseSchedulerConfiguration(
    JSON.stringify({ ...head, ...more }),
    (gate) => !disabled.includes(gate),
  );
const withPlugins = (plugins: object) => ({ profiles: [{ plugins }] });
const withArgs = (name: string, args: object) => ({
  profiles: [{ pluginConfig: [{ name, args }] }],
});
const extending = (...extenders: object[]) => ({
  extenders: extenders.map((extender) => ({ urlPrefix: 'http://e.example.com', ...extender })),
});
const strategy = (scoringStrategy: object) => withArgs('NodeResourcesFit', { scoringStrategy });
const shape = (...points: readonly (readonly [number, number])[]) => ({
  type: 'RequestedToCapacityRatio',
  requestedToCapacityRatio: {
    shape: points.map(([utilization, score]) => ({ utilization, score })),
  },
});

describe('what is refused', () => {
  const rows: [what: string, given: object, message: string | RegExp, disabled?: string[]][] = [
    ['another kind', { kind: 'Pod' }, /^no kind "Pod" is registered for version/],
    ['no kind', { kind: '' }, /^Object 'Kind' is missing in/],
    ['an older version', { apiVersion: 'kubescheduler.config.k8s.io/v1beta3' }, /v1beta3"$/],
    ['an unknown field', { x: 1 }, 'strict decoding error: unknown field "x"'],
    ['no profiles', { profiles: [] }, 'profiles: Required value'],
    [
      'two profiles of one name',
      { profiles: [{ schedulerName: 'a' }, { schedulerName: 'a' }] },
      'profiles[1].schedulerName: Duplicate value: "profiles[0].schedulerName"',
    ],
    [
      'a profile without a name among others',
      { profiles: [{ schedulerName: 'a' }, {}] },
      'profiles[1].schedulerName: Required value',
    ],
    [
      'several things',
      { percentageOfNodesToScore: 101, podInitialBackoffSeconds: 0 },
      '[percentageOfNodesToScore: Invalid value: 101: not in valid range [0-100], podInitialBackoffSeconds: Invalid value: 0: must be greater than 0]',
    ],
    [
      'a back-off that shrinks',
      { podInitialBackoffSeconds: 20 },
      'podMaxBackoffSeconds: Invalid value: 10: must be greater than or equal to PodInitialBackoffSeconds',
    ],
    [
      'no parallelism',
      { parallelism: 0 },
      'parallelism: Invalid value: 0: should be an integer value greater than zero',
    ],
    [
      'scores that count for nothing',
      extending({ prioritizeVerb: 'p' }),
      'extenders[0].weight: Invalid value: 0: must have a positive weight applied to it',
    ],
    [
      'two that bind',
      extending({ bindVerb: 'b' }, { bindVerb: 'b' }),
      'extenders: Invalid value: "found 2 extenders implementing bind": only one extender can implement bind',
    ],
    [
      'a resource of two extenders',
      extending(
        { managedResources: [{ name: 'example.com/gpu' }] },
        { managedResources: [{ name: 'example.com/gpu' }] },
      ),
      'extenders[1].managedResources[0].name: Invalid value: "example.com/gpu": duplicate extender managed resource name',
    ],
    [
      'a resource of Kubernetes',
      extending({ managedResources: [{ name: 'cpu' }] }),
      'extenders[0].managedResources[0].name: Invalid value: "cpu": is an invalid extended resource name',
    ],
    [
      'a resource without a name',
      extending({ managedResources: [{ ignoredByScheduler: true }] }),
      /^\[?extenders\[0\]\.managedResources\[0\]\.name: Invalid value: "": name part must be non-empty/,
    ],
    [
      'a field that extenders do not have',
      extending({ x: 1 }),
      'strict decoding error: unknown field "extenders[0].x"',
    ],
    [
      'another kind of URL',
      extending({ urlPrefix: 'ftp://e.example.com' }),
      'extenders[0].urlPrefix: Invalid value: "ftp://e.example.com": must be a URL of http or https',
    ],
    [
      'authorities that are not looked at',
      extending({ tlsConfig: { insecure: true, caData: 'eA==' } }),
      'extenders[0].tlsConfig: specifying a root certificates file with the insecure flag is not allowed',
    ],
    [
      'a certificate without its key',
      extending({ tlsConfig: { certData: 'eA==' } }),
      'extenders[0].tlsConfig: a certificate and its key are given together',
    ],
    [
      'a file that cannot be read',
      extending({ tlsConfig: { caFile: '/none' } }),
      'extenders[0].tlsConfig.caFile: files are not read here',
    ],
    [
      'an unknown plugin',
      withPlugins({ multiPoint: { enabled: [{ name: 'X' }] } }),
      'plugin "X" does not exist',
    ],
    [
      'an unknown plugin of a point',
      withPlugins({ score: { enabled: [{ name: 'X' }] } }),
      'score "X" does not exist',
    ],
    [
      'a plugin twice',
      withPlugins({ score: { enabled: [{ name: 'ImageLocality' }, { name: 'ImageLocality' }] } }),
      'plugin "ImageLocality" already registered as "score"',
    ],
    [
      'nobody who sorts',
      withPlugins({ queueSort: { disabled: [{ name: '*' }] } }),
      'only one queue sort plugin required for profile with scheduler name "default-scheduler", but got 0',
    ],
    [
      'nobody who binds',
      withPlugins({ multiPoint: { disabled: [{ name: 'DefaultBinder' }] } }),
      'at least one bind plugin is needed for profile with scheduler name "default-scheduler"',
    ],
    [
      'other sorting in one profile',
      {
        profiles: [
          { schedulerName: 'a' },
          { schedulerName: 'b', plugins: { queueSort: { enabled: [{ name: 'PrioritySort' }] } } },
        ],
      },
      /^profiles\[1\]\.plugins\.queueSort: Invalid value: .*: has to match for all profiles$/,
    ],
    [
      'an unknown argument',
      withArgs('VolumeBinding', { x: 1 }),
      'decoding .profiles[0].pluginConfig[0]: decoding args for plugin VolumeBinding: strict decoding error: unknown field "x"',
    ],
    [
      'arguments of another',
      withArgs('VolumeBinding', { ...head, kind: 'NodeAffinityArgs' }),
      /args for plugin VolumeBinding were not of type VolumeBindingArgs\.kubescheduler\.config\.k8s\.io, got NodeAffinityArgs\./,
    ],
    [
      'arguments twice',
      { profiles: [{ pluginConfig: [{ name: 'VolumeBinding' }, { name: 'VolumeBinding' }] }] },
      'repeated config for plugin VolumeBinding',
    ],
    [
      'a strategy that nobody knows',
      strategy({ type: 'X' }),
      'scoringStrategy.type: Unsupported value: "X": supported values: "LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"',
    ],
    [
      'a weight of nothing',
      strategy({ resources: [{ name: 'cpu', weight: 101 }] }),
      'scoringStrategy.resources[0].weight: Invalid value: 101: resource weight of cpu not in valid range (0, 100]',
    ],
    [
      'a shape without points',
      strategy(shape()),
      'scoringStrategy.shape: Required value: at least one point must be specified',
    ],
    [
      'a shape that goes back',
      strategy(shape([50, 1], [50, 2])),
      'scoringStrategy.shape[1].utilization: Invalid value: 50: values must be sorted in increasing order',
    ],
    [
      'a shape beyond ten',
      strategy(shape([0, 11])),
      'scoringStrategy.shape[0].score: Invalid value: 11: not in valid range [0, 10]',
    ],
    [
      'a group with a slash',
      withArgs('NodeResourcesFit', { ignoredResourceGroups: ['a.b/c'] }),
      /ignoredResourceGroups\[0\]: Invalid value: "a\.b\/c": resource group name can't contain '\/'/,
    ],
    [
      'a heavy affinity',
      withArgs('InterPodAffinity', { hardPodAffinityWeight: 101 }),
      'hardPodAffinityWeight: Invalid value: 101: not in valid range [0, 100]',
    ],
    [
      'an affinity of labels that nobody can have',
      withArgs('NodeAffinity', {
        addedAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              {},
              {
                matchExpressions: [
                  { key: 'a b', operator: 'Exists' },
                  { key: 'pool', operator: 'Is', values: ['x'] },
                  { key: 'pool', operator: 'Gt', values: ['many'] },
                  { key: 'pool', operator: 'In' },
                ],
              },
            ],
          },
        },
      }),
      /^\[addedAffinity\.requiredDuringSchedulingIgnoredDuringExecution\.nodeSelectorTerms\[1\]\.matchExpressions\[0\]\.key: Invalid value: "a b": .*\[1\]\.operator: Unsupported value: "Is": supported values: "In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", .*\[2\]\.values\[0\]: Invalid value: "many": for 'Gt', 'Lt' operators, the value must be an integer, .*\[3\]\.values: Invalid value: \[\]: for 'in', 'notin' operators, values set can't be empty\]$/,
    ],
    [
      'an affinity to two names at once',
      withArgs('NodeAffinity', {
        addedAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 0, preference: { matchFields: [{ key: 'x', operator: 'Exists' }] } },
            {
              weight: 1,
              preference: {
                matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a', 'b'] }],
              },
            },
          ],
        },
      }),
      'addedAffinity.preferredDuringSchedulingIgnoredDuringExecution[1].matchFields[0].values: Invalid value: ["a","b"]: must have one element',
    ],
    [
      'no candidates at all',
      withArgs('DefaultPreemption', {
        minCandidateNodesPercentage: 0,
        minCandidateNodesAbsolute: 0,
      }),
      /cannot be zero at the same time as minCandidateNodesAbsolute, minCandidateNodesAbsolute: Invalid value: 0: cannot be zero at the same time as minCandidateNodesPercentage\]$/,
    ],
    [
      'a wait that is negative',
      withArgs('VolumeBinding', { bindTimeoutSeconds: -1 }),
      'bindTimeoutSeconds: Invalid value: -1: invalid BindTimeoutSeconds, should not be a negative value',
    ],
    [
      'balance by weight',
      withArgs('NodeResourcesBalancedAllocation', { resources: [{ name: 'cpu', weight: 2 }] }),
      'resources[0].weight: Invalid value: 2: must be 1',
    ],
    [
      'constraints beside the system’s',
      withArgs('PodTopologySpread', {
        defaultConstraints: [{ maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'ScheduleAnyway' }],
      }),
      'defaultingType: Invalid value: "System": when .defaultConstraints are not empty',
    ],
    [
      'a constraint with a selector',
      withArgs('PodTopologySpread', {
        defaultingType: 'List',
        defaultConstraints: [
          { maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'X', labelSelector: {} },
        ],
      }),
      /maxSkew: Invalid value: 0: not in valid range \(0, inf\), .*topologyKey: Required value: can not be empty, .*whenUnsatisfiable: Unsupported value: "X".*, .*labelSelector: Forbidden: constraint must not define a selector/,
    ],
    [
      'a short wait for devices',
      withArgs('DynamicResources', { bindingTimeout: '1ms' }),
      /^bindingTimeout: Invalid value: .*: must be at least 1 second$/,
    ],
    [
      'waiting for devices before its release',
      withArgs('DynamicResources', { bindingTimeout: '1m' }),
      'bindingTimeout: Forbidden: DRADeviceBindingConditions or DRAResourceClaimDeviceStatus feature gate is disabled',
      ['DRADeviceBindingConditions'],
    ],
  ];
  for (const [what, given, message, disabled] of rows)
    it(what, () => {
      assert.throws(
        () => parse(given, disabled),
        (error) => {
          assert.ok(error instanceof SchedulerConfigurationError);
          if (typeof message === 'string') assert.equal(error.message, message);
          else assert.match(error.message, message);
          return true;
        },
      );
    });
});

it('an empty configuration is the default one', () => {
  assert.deepEqual(parse({}), defaultConfiguration);
  assert.deepEqual(parse({ profiles: [{}], parallelism: 4 }), defaultConfiguration);
});

it('extenders have defaults, and those that may fail come last', () => {
  const resource = { name: 'example.com/gpu', ignoredByScheduler: true };
  const { extenders, profiles } = parse(
    extending(
      { urlPrefix: 'http://a', ignorable: true },
      { urlPrefix: 'http://b', managedResources: [resource, { name: 'example.com/x' }] },
      { urlPrefix: 'http://c', httpTimeout: '1m0.5s', tlsConfig: { caData: 'Y2E=' } },
    ),
  );
  assert.deepEqual(
    extenders.map(({ urlPrefix, timeoutMs, tls }) => [urlPrefix, timeoutMs, tls]),
    [
      ['http://b', 5_000, {}],
      ['http://c', 60_500, { ca: 'ca' }],
      ['http://a', 5_000, {}],
    ],
  );
  assert.deepEqual(extenders[0]?.managedResources, ['example.com/gpu', 'example.com/x']);
  assert.deepEqual(profiles[0]?.args.NodeResourcesFit.ignoredResources, ['example.com/gpu']);
});

it('certificates of extenders are read from files', () => {
  const files: Record<string, string> = { '/ca': 'CA', '/crt': 'CRT', '/key': 'KEY' };
  const tlsConfig = { caFile: '/ca', certFile: '/crt', keyFile: '/key', serverName: 'e' };
  const { extenders } = parseSchedulerConfiguration(
    JSON.stringify({ ...head, ...extending({ tlsConfig }) }),
    () => true,
    (path) => files[path] ?? '',
  );
  assert.deepEqual(extenders[0]?.tls, {
    ca: 'CA',
    certificate: 'CRT',
    key: 'KEY',
    serverName: 'e',
  });
});

it('the names that a profile may use are those of the default profile', () => {
  const names = new Set(createSchedulingCluster().plugins.map(({ name }) => name));
  assert.deepEqual([...names].toSorted(), [...pluginNames].toSorted());
});

interface Scene {
  readonly what: string;
  readonly configuration: object;
  readonly nodes?: readonly Node[];
  readonly there?: readonly (readonly [pod: Pod, node: string])[];
  readonly pod: Pod;
  /** The node, or the beginning of the reason. */
  readonly expected: string;
}

const ab = [testNode('a'), testNode('b')];
const busyB: Scene['there'] = [[testPod('busy', asking({ cpu: '2', memory: '4Gi' })), 'b']];
const small = testPod('p', asking({ cpu: '1', memory: '1Gi' }));
const only = (...names: string[]) =>
  withPlugins({
    score: { disabled: [{ name: '*' }], enabled: names.map((name) => ({ name })) },
  }).profiles[0];
const scenes: readonly Scene[] = [
  {
    what: 'the emptier node',
    configuration: { profiles: [only('NodeResourcesFit')] },
    there: busyB,
    pod: small,
    expected: 'a',
  },
  {
    what: 'the fuller node',
    configuration: {
      profiles: [
        { ...only('NodeResourcesFit'), ...strategy({ type: 'MostAllocated' }).profiles[0] },
      ],
    },
    there: busyB,
    pod: small,
    expected: 'b',
  },
  {
    what: 'the node that would be three quarters full',
    configuration: {
      profiles: [
        { ...only('NodeResourcesFit'), ...strategy(shape([0, 0], [75, 10], [100, 0])).profiles[0] },
      ],
    },
    there: busyB,
    pod: small,
    expected: 'b',
  },
  {
    what: 'a filter that is disabled',
    configuration: withPlugins({ multiPoint: { disabled: [{ name: 'TaintToleration' }] } }),
    nodes: [testNode('a', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } })],
    pod: small,
    expected: 'a',
  },
  {
    what: 'a score that is disabled leaves the filter of the plugin',
    configuration: withPlugins({ score: { disabled: [{ name: 'TaintToleration' }] } }),
    nodes: [testNode('a', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } })],
    pod: small,
    expected: '0/1 nodes are available: 1 node(s) had untolerated taint(s).',
  },
  {
    what: 'a filter that is enabled for its point is asked first',
    configuration: withPlugins({ filter: { enabled: [{ name: 'NodeResourcesFit' }] } }),
    nodes: [testNode('a', { spec: { unschedulable: true } })],
    pod: testPod('p', asking({ cpu: '5' })),
    expected: '0/1 nodes are available: 1 Insufficient cpu.',
  },
  {
    what: 'no preemption',
    configuration: withPlugins({ postFilter: { disabled: [{ name: '*' }] } }),
    nodes: [testNode('a', { spec: { unschedulable: true } })],
    pod: small,
    expected: '0/1 nodes are available: 1 node(s) were unschedulable.',
  },
  {
    what: 'affinity that the scheduler adds',
    configuration: withArgs('NodeAffinity', {
      addedAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'pool', operator: 'Exists' }] }],
        },
      },
    }),
    pod: small,
    expected: "0/2 nodes are available: 2 node(s) didn't match scheduler-enforced node affinity.",
  },
  {
    what: 'resources that somebody else looks after',
    configuration: withArgs('NodeResourcesFit', { ignoredResourceGroups: ['example.com'] }),
    nodes: [testNode('a')],
    pod: testPod('p', asking({ 'example.com/gpu': '1' })),
    expected: 'a',
  },
];

for (const { what, configuration, nodes = ab, there = [], pod, expected } of scenes)
  it(`places by its profile: ${what}`, () => {
    const cluster = createSchedulingCluster({ configuration: parse(configuration) });
    for (const node of nodes) cluster.cluster.putNode(node);
    for (const [other, node] of there) cluster.put(other, node);
    const found = cluster.place(pod);
    assert.ok(found.startsWith(expected), found);
  });

it('weights decide between scores', () => {
  const nodes = [
    testNode('a', { spec: { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] } }),
    testNode('b'),
  ];
  const placedWith = (weight: number) => {
    const plugins = {
      score: {
        disabled: [{ name: '*' }],
        enabled: [
          { name: 'TaintToleration', weight: 1 },
          { name: 'NodeResourcesFit', weight },
        ],
      },
    };
    const cluster = createSchedulingCluster({ configuration: parse(withPlugins(plugins)) });
    for (const node of nodes) cluster.cluster.putNode(node);
    for (const [other, node] of busyB) cluster.put(other, node);
    return cluster.place(small);
  };
  assert.deepEqual([placedWith(1), placedWith(10)], ['b', 'a']);
});
