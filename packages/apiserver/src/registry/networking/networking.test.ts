import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCreate } from '../testing/run-strategy.ts';
import { testCreates, testUpdates } from '../testing/strategy-tables.ts';
import { networkingStrategies } from './strategies.ts';

const apiVersion = 'networking.k8s.io/v1';
const {
  networkpolicies = {},
  ingressclasses = {},
  ipaddresses = {},
  servicecidrs = {},
} = networkingStrategies;

const policy = (spec: object) => ({
  apiVersion,
  kind: 'NetworkPolicy',
  metadata: { name: 'p', namespace: 'n' },
  spec: { podSelector: {}, ...spec },
});
const from = (...peers: object[]) => policy({ ingress: [{ from: peers }] });
const ports = (...list: object[]) => policy({ egress: [{ ports: list }] });
const peer = 'spec.ingress[0].from[0]';
const port = 'spec.egress[0].ports[0]';

testCreates(networkpolicies, [
  ['everything', policy({ ingress: [{}] }), []],
  ['pods of other namespaces', from({ namespaceSelector: {}, podSelector: {} }), []],
  [
    'a range without a part',
    from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }),
    [],
  ],
  ['nobody', from({}), [`${peer}: Required value: must specify a peer`]],
  [
    'a range and pods',
    from({ ipBlock: { cidr: '10.0.0.0/8' }, podSelector: {} }),
    [`${peer}: Forbidden: may not specify both ipBlock and another peer`],
  ],
  [
    'a range without its own size',
    from({ ipBlock: { cidr: '10.0.0.0/8', except: ['10.0.0.0/8'] } }),
    [`${peer}.ipBlock.except[0]: Invalid value: "10.0.0.0/8": must be a strict subset of \`cidr\``],
  ],
  ['no range', from({ ipBlock: { cidr: '' } }), [`${peer}.ipBlock.cidr: Required value`]],
  [
    'ports up to a lower one',
    ports({ port: 90, endPort: 80 }),
    [`${port}.endPort: Invalid value: 90: must be greater than or equal to \`port\``],
  ],
  [
    'ports up from none',
    ports({ endPort: 80 }),
    [`${port}.endPort: Invalid value: 80: may not be specified when \`port\` is not specified`],
  ],
  [
    'ports up from a name',
    ports({ port: 'http', endPort: 80 }),
    [`${port}.endPort: Invalid value: 80: may not be specified when \`port\` is non-numeric`],
  ],
  [
    'an unknown protocol',
    ports({ port: 80, protocol: 'HTTP' }),
    [`${port}.protocol: Unsupported value: "HTTP": supported values: "TCP", "UDP", "SCTP"`],
  ],
  [
    'three types',
    policy({ policyTypes: ['Ingress', 'Egress', 'Ingress'] }),
    [
      'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
    ],
  ],
]);

const types: readonly (readonly [string, object, readonly string[]])[] = [
  ['nothing', {}, ['Ingress']],
  ['rules for what goes out', { egress: [{}] }, ['Ingress', 'Egress']],
  ['what it says', { policyTypes: ['Egress'] }, ['Egress']],
];
for (const [what, spec, policyTypes] of types) {
  test(`the types of a NetworkPolicy follow from ${what}`, () => {
    const made = runCreate(networkpolicies, policy(spec)).object['spec'] as object;
    assert.deepEqual((made as { policyTypes: string[] }).policyTypes, policyTypes);
  });
}

const ingressClass = (spec: object) => ({
  apiVersion,
  kind: 'IngressClass',
  metadata: { name: 'c' },
  spec,
});
const parameters = (more: object) =>
  ingressClass({ controller: 'example.com/c', parameters: { kind: 'Config', name: 'x', ...more } });

testCreates(ingressclasses, [
  ['a controller', ingressClass({ controller: 'example.com/c' }), []],
  ['parameters of the cluster', parameters({}), []],
  ['parameters of a namespace', parameters({ scope: 'Namespace', namespace: 'n' }), []],
  [
    'parameters of no namespace',
    parameters({ scope: 'Namespace' }),
    ["spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"],
  ],
  [
    'parameters with a namespace too many',
    parameters({ namespace: 'n' }),
    ["spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'"],
  ],
]);

testUpdates(ingressclasses, [
  [
    'controller',
    ingressClass({ controller: 'example.com/d' }),
    ingressClass({ controller: 'example.com/c' }),
    ['spec.controller: Invalid value: "example.com/d": field is immutable'],
  ],
]);

const address = (spec: object) => ({
  apiVersion,
  kind: 'IPAddress',
  metadata: { name: '192.0.2.1' },
  spec,
});
const parentRef = { resource: 'services', namespace: 'n', name: 's' };

testCreates(ipaddresses, [
  ['a parent', address({ parentRef }), []],
  ['no parent', address({}), ['spec.parentRef: Required value']],
  [
    'a parent without a name',
    address({ parentRef: { ...parentRef, name: '' } }),
    ['spec.parentRef.name: Required value'],
  ],
]);

const names: readonly (readonly [string, boolean])[] = [
  ['192.0.2.1', true],
  ['2001:db8::1', true],
  ['2001:DB8::1', false],
  ['192.0.02.1', false],
  ['web', false],
];
for (const [name, isValid] of names) {
  test(`${name} is ${isValid ? 'a' : 'no'} name of an IPAddress`, () => {
    assert.equal(ipaddresses.nameRule?.(name, false).length, isValid ? 0 : 1);
  });
}

const cidr = (...cidrs: string[]) => ({
  apiVersion,
  kind: 'ServiceCIDR',
  metadata: { name: 'c', resourceVersion: '1' },
  spec: { cidrs },
});

testCreates(servicecidrs, [
  ['one', cidr('10.0.0.0/16'), []],
  ['one of each family', cidr('10.0.0.0/16', 'fd00::/112'), []],
  ['none', cidr(), ['spec.cidrs: Required value: at least one CIDR required']],
  [
    'two of one family',
    cidr('10.0.0.0/16', '10.1.0.0/16'),
    [
      'spec.cidrs: Invalid value: ["10.0.0.0/16","10.1.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ],
  [
    'not the first address',
    cidr('10.0.0.1/16'),
    [
      'spec.cidrs[0]: Invalid value: "10.0.0.1/16": must not have bits set beyond the prefix length (should be "10.0.0.0/16")',
    ],
  ],
]);

testUpdates(servicecidrs, [
  ['a second family', cidr('10.0.0.0/16', 'fd00::/112'), cidr('10.0.0.0/16'), []],
  [
    'another range',
    cidr('10.1.0.0/16'),
    cidr('10.0.0.0/16'),
    ['spec.cidrs[0]: Invalid value: "10.1.0.0/16": field is immutable'],
  ],
]);
