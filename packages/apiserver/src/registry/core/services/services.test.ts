import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Strategy } from '../../strategy.ts';
import { readObject, runCreate, runUpdate, testContext } from '../../testing/run-strategy.ts';
import { serviceStrategy } from './strategy.ts';

const strategy = serviceStrategy as Strategy;

/** A Service as it is once its address was allocated. */
function service(spec: object, metadata: object = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', resourceVersion: '1', ...metadata },
    spec: {
      clusterIP: '10.96.0.9',
      clusterIPs: ['10.96.0.9'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ port: 80 }],
      ...spec,
    },
  };
}
const port = (more: object) => service({ ports: [{ port: 80, ...more }] });
const headless = (more: object) => service({ clusterIP: 'None', clusterIPs: ['None'], ...more });
const balancer = (more: object) =>
  service({ type: 'LoadBalancer', allocateLoadBalancerNodePorts: false, ...more });
const named = (more: object) => ({
  ...service({}),
  spec: { type: 'ExternalName', externalName: 'db.example.com', ...more },
});

const created: readonly (readonly [what: string, object: object, errors: readonly string[]])[] = [
  ['one port', service({}), []],
  ['headless without ports', headless({ ports: [] }), []],
  ['name of an outside host', named({}), []],
  ['session affinity', service({ sessionAffinity: 'ClientIP' }), []],
  ['no ports', service({ ports: [] }), ['spec.ports: Required value']],
  [
    'port number',
    port({ port: 70000, targetPort: 'http' }),
    ['spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    'protocol',
    port({ protocol: 'HTTP' }),
    ['spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'],
  ],
  [
    'names of several ports',
    service({ ports: [{ port: 80 }, { name: 'a', port: 81 }] }),
    ['spec.ports[0].name: Required value'],
  ],
  [
    'ports twice',
    service({
      ports: [
        { name: 'a', port: 80 },
        { name: 'a', port: 80 },
      ],
    }),
    [
      'spec.ports[1].name: Duplicate value: "a"',
      'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
    ],
  ],
  [
    'node port without the type for it',
    port({ nodePort: 30080 }),
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    'type',
    service({ type: 'Magic' }),
    [
      'spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
    ],
  ],
  [
    'affinity',
    service({ sessionAffinity: 'Cookie' }),
    ['spec.sessionAffinity: Unsupported value: "Cookie": supported values: "ClientIP", "None"'],
  ],
  [
    'affinity timeout',
    service({
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } },
    }),
    [
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400',
    ],
  ],
  ['no outside host', named({ externalName: '' }), ['spec.externalName: Required value']],
  [
    'an outside host that is none',
    named({ externalName: 'not a host' }),
    [
      "spec.externalName: Invalid value: \"not a host\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
  [
    'outside address',
    service({ externalIPs: ['127.0.0.1'] }),
    [
      'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
    ],
  ],
  [
    'source ranges of the wrong type',
    service({ loadBalancerSourceRanges: ['10.0.0.0/8'] }),
    ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  ],
  [
    'source ranges',
    balancer({ loadBalancerSourceRanges: ['10.0.0.0'] }),
    [
      'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
  ],
  [
    'node ports of something else',
    service({ allocateLoadBalancerNodePorts: true }),
    [
      "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
    ],
  ],
  [
    'policy inside',
    service({ internalTrafficPolicy: 'Nowhere' }),
    [
      'spec.internalTrafficPolicy: Unsupported value: "Nowhere": supported values: "Cluster", "Local"',
    ],
  ],
];

for (const [what, object, errors] of created) {
  test(`new Service: ${what}`, () => {
    assert.deepEqual(runCreate(strategy, object).errors, errors);
  });
}

const updated: readonly (readonly [string, object, object, readonly string[]])[] = [
  ['nothing', service({}), service({}), []],
  ['another port', service({ ports: [{ port: 81 }] }), service({}), []],
  [
    'another address',
    service({ clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'] }),
    service({}),
    ['spec.clusterIPs[0]: Invalid value: ["10.96.0.10"]: may not change once set'],
  ],
  ['to a name', named({}), service({}), []],
  [
    'another class of load balancer',
    balancer({ loadBalancerClass: 'b.example/x' }),
    balancer({ loadBalancerClass: 'a.example/x' }),
    ['spec.loadBalancerClass: Invalid value: "b.example/x": may not change once set'],
  ],
];

for (const [what, now, old, errors] of updated) {
  test(`changed Service: ${what}`, () => {
    assert.deepEqual(runUpdate(strategy, [now, old]).errors, errors);
  });
}

test('defaults', () => {
  const { spec } = runCreate(strategy, service({ type: 'NodePort', sessionAffinity: 'ClientIP' }))
    .object as unknown as { spec: Record<string, unknown> };
  assert.equal(spec['externalTrafficPolicy'], 'Cluster');
  assert.equal(spec['internalTrafficPolicy'], 'Cluster');
  assert.deepEqual(spec['sessionAffinityConfig'], { clientIP: { timeoutSeconds: 10800 } });
  assert.deepEqual(spec['ports'], [{ port: 80, protocol: 'TCP', targetPort: 80 }]);
});

test('fields of the old type go when the type changes', () => {
  const old = service({
    type: 'NodePort',
    externalTrafficPolicy: 'Cluster',
    ports: [{ port: 80, nodePort: 30080 }],
  });
  const { spec } = runUpdate(strategy, [{ ...old, spec: { ...old.spec, type: 'ClusterIP' } }, old])
    .object as unknown as { spec: { ports: object[]; externalTrafficPolicy?: string } };
  assert.deepEqual(spec.ports, [{ port: 80, protocol: 'TCP', targetPort: 80 }]);
  assert.equal(spec.externalTrafficPolicy, undefined);
});

test('the status comes from its subresource only', () => {
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
  const made = runCreate(strategy, { ...service({}), status });
  assert.deepEqual(made.object['status'], { loadBalancer: {} });
  const balanced = balancer({});
  const told = runUpdate(strategy, [{ ...balanced, status }, balanced], 'status');
  assert.deepEqual(told.errors, []);
  assert.deepEqual(told.object['status'], {
    loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] },
  });
});

const cells: readonly (readonly [string, object, readonly unknown[]])[] = [
  [
    'ports and their node ports',
    service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080, protocol: 'TCP' }] }),
    ['web', 'NodePort', '10.96.0.9', '<none>', '80:30080/TCP', '<unknown>', '<none>'],
  ],
  [
    'a load balancer that waits',
    balancer({ ports: [], selector: { b: '2', a: '1' } }),
    ['web', 'LoadBalancer', '10.96.0.9', '<pending>', '<none>', '<unknown>', 'a=1,b=2'],
  ],
  [
    'the outside host',
    named({}),
    ['web', 'ExternalName', '<none>', 'db.example.com', '<none>', '<unknown>', '<none>'],
  ],
];

for (const [what, object, expected] of cells) {
  test(`kubectl get services shows ${what}`, () => {
    assert.deepEqual(strategy.tableCells?.(readObject(object), testContext.nowMs), expected);
  });
}

test('names are those of hosts', () => {
  assert.deepEqual(strategy.nameRule?.('web-1', false), []);
  assert.equal(strategy.nameRule?.('1web', false).length, 0);
  assert.equal(strategy.nameRule?.('Web', false).length, 1);
});
