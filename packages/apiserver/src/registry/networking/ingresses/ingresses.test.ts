import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readObject, runCreate, testContext } from '../../testing/run-strategy.ts';
import { testCreates } from '../../testing/strategy-tables.ts';
import { ingressStrategy } from './strategy.ts';

const service = (port: object = { number: 80 }) => ({ service: { name: 'web', port } });
const ingress = (spec: object, more: object = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'i', namespace: 'n' },
  spec,
  ...more,
});
const routed = (path: object, host = 'shop.example.com') =>
  ingress({
    rules: [
      { host, http: { paths: [{ path: '/', pathType: 'Prefix', backend: service(), ...path }] } },
    ],
  });
const at = 'spec.rules[0].http.paths[0]';

testCreates(ingressStrategy, [
  ['a default backend', ingress({ defaultBackend: service() }), []],
  ['a path', routed({}), []],
  ['any host of a domain', routed({}, '*.example.com'), []],
  [
    'nothing',
    ingress({}),
    ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
  ],
  [
    'an address as host',
    routed({}, '192.0.2.1'),
    ['spec.rules[0].host: Invalid value: "192.0.2.1": must be a DNS name, not an IP address'],
  ],
  [
    'a path that is none',
    routed({ path: 'shop' }),
    [`${at}.path: Invalid value: "shop": must be an absolute path`],
  ],
  [
    'a path that goes up',
    routed({ path: '/a/../b' }),
    [`${at}.path: Invalid value: "/a/../b": must not contain '/../'`],
  ],
  [
    'no type of path',
    routed({ pathType: null }),
    [`${at}.pathType: Required value: pathType must be specified`],
  ],
  [
    'an unknown type of path',
    routed({ pathType: 'Regex' }),
    [
      `${at}.pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
    ],
  ],
  [
    'a backend without a port',
    routed({ backend: service({}) }),
    [`${at}.backend: Required value: port name or number is required`],
  ],
  [
    'a backend with two ports',
    routed({ backend: service({ name: 'http', number: 80 }) }),
    [`${at}.backend: Invalid value: "": cannot set both port name & port number`],
  ],
  [
    'a class that is no name',
    ingress({ defaultBackend: service(), ingressClassName: 'A b' }),
    [
      "spec.ingressClassName: Invalid value: \"A b\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
]);

test('an Ingress starts without a status and with generation 1', () => {
  const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
  const { object } = runCreate(ingressStrategy, { ...routed({}), status });
  assert.deepEqual(object['status'], { loadBalancer: {} });
  assert.equal(object.metadata.generation, 1);
});

const rows: readonly (readonly [string, object, readonly unknown[]])[] = [
  ['hosts', routed({}), ['i', '<none>', 'shop.example.com', '', '80', '<unknown>']],
  [
    'TLS, class and address',
    ingress(
      { ingressClassName: 'c', defaultBackend: service(), tls: [{ hosts: ['a.example.com'] }] },
      { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb' }] } } },
    ),
    ['i', 'c', '*', '192.0.2.1,lb', '80, 443', '<unknown>'],
  ],
];
for (const [what, object, cells] of rows) {
  test(`kubectl get ingresses shows ${what}`, () => {
    const shown = ingressStrategy.tableCells?.(readObject(object) as never, testContext.nowMs);
    assert.deepEqual(shown, cells);
  });
}
