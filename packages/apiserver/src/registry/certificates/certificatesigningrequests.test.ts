import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { createCertificateRequest } from '../../authentication/certificates/certificate-request.ts';
import type { Strategy } from '../strategy.ts';
import { readObject, runCreate, runUpdate, testContext } from '../testing/run-strategy.ts';
import { certificateSigningRequestStrategy } from './certificatesigningrequests/strategy.ts';

const strategy = certificateSigningRequestStrategy as Strategy;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = createCertificateRequest({ commonName: 'ann', organizations: ['devs'] }, privateKey);
const base64 = (text: string) => Buffer.from(text).toString('base64');
const spec = { request: base64(pem), signerName: 'example.com/signer', usages: ['client auth'] };

function request(more: object = {}, status: object = {}) {
  const apiVersion = 'certificates.k8s.io/v1';
  return {
    apiVersion,
    kind: 'CertificateSigningRequest',
    metadata: { name: 'csr' },
    spec: { ...spec, ...more },
    status,
  };
}
const condition = (type: string, status = 'True') => ({ type, status });
const conditions = (...types: string[]) => ({ conditions: types.map((type) => condition(type)) });

const rows: readonly (readonly [string, object, RegExp[]])[] = [
  ['a request', {}, []],
  [
    'no request',
    { request: null },
    [/^spec.request: Invalid value: null: PEM block type must be CERTIFICATE REQUEST$/],
  ],
  [
    'something else',
    { request: base64('x') },
    [/"eA==": PEM block type must be CERTIFICATE REQUEST$/],
  ],
  ['no usages', { usages: [] }, [/^spec.usages: Required value$/]],
  [
    'usages',
    { usages: ['client auth', 'fly', 'client auth'] },
    [
      /^spec.usages\[1\]: Unsupported value: "fly": supported values: "any", "cert sign"/,
      /^spec.usages\[2\]: Duplicate value: "client auth"$/,
    ],
  ],
  [
    'the old signer',
    { signerName: 'kubernetes.io/legacy-unknown' },
    [/the legacy signerName is not allowed via this API version$/],
  ],
  [
    'no signer',
    { signerName: 'signer' },
    [/must be a fully qualified domain and path of the form 'example.com\/signer-name'$/],
  ],
  [
    'too short',
    { expirationSeconds: 599 },
    [/may not specify a duration less than 600 seconds \(10 minutes\)$/],
  ],
];

for (const [name, more, expected] of rows) {
  test(`signing request: ${name}`, () => {
    const { errors } = runCreate(strategy, request(more));
    assert.equal(errors.length, expected.length, errors.join('\n'));
    expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
  });
}

test('a request that somebody else signed', () => {
  const other = Buffer.from(pem.split('\n').slice(1, -2).join(''), 'base64');
  other[other.length - 1] = (other.at(-1) ?? 0) ^ 1;
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${other.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.equal(runCreate(strategy, request({ request: base64(forged) })).errors.length, 1);
});

test('the author is who sends it', () => {
  const { object } = runCreate(
    strategy,
    request({ username: 'boss', groups: ['system:masters'], uid: 'u', extra: { a: ['b'] } }),
  );
  assert.deepEqual(object['spec'], { ...spec, username: 'ann', groups: ['devs'] });
  assert.deepEqual(object['status'], {});
});

test('an update of the object changes neither spec nor status', () => {
  const old = request({}, conditions('Approved'));
  const { object, errors } = runUpdate(strategy, [
    request({ signerName: 'x.y/z' }, conditions('Denied')),
    old,
  ]);
  const { spec: oldSpec, status: oldStatus } = readObject(old);
  assert.deepEqual([object['spec'], object['status'], errors], [oldSpec, oldStatus, []]);
});

const times = {
  lastUpdateTime: '2024-01-01T00:00:00Z',
  lastTransitionTime: '2024-01-01T00:00:00Z',
};
const forbidden = (what: string, type: string) =>
  `status.conditions: Forbidden: updates may not ${what} a condition of type "${type}"`;

const updates: readonly (readonly [string, string, object, object, readonly string[]])[] = [
  ['approve', 'approval', conditions('Approved'), {}, []],
  [
    'approve through the status',
    'status',
    conditions('Approved'),
    {},
    [forbidden('add', 'Approved')],
  ],
  ['fail through the status', 'status', conditions('Failed'), {}, []],
  ['take back', 'approval', {}, conditions('Approved'), [forbidden('remove', 'Approved')]],
  [
    'deny what is approved',
    'approval',
    conditions('Approved', 'Denied'),
    conditions('Approved'),
    [
      'status.conditions[1].type: Invalid value: "Denied": Approved and Denied conditions are mutually exclusive',
      forbidden('modify', 'Approved'),
    ],
  ],
  [
    'a decision that is none',
    'approval',
    { conditions: [condition('Denied', 'False')] },
    {},
    ['status.conditions[0].status: Unsupported value: "False": supported values: "True"'],
  ],
  [
    'a nameless condition',
    'status',
    { conditions: [{ status: 'True' }] },
    {},
    ['status.conditions[0].type: Required value'],
  ],
  [
    'a certificate that is none',
    'status',
    { certificate: base64('x') },
    {},
    [
      'status.certificate: Invalid value: "<certificate data>": must contain at least one CERTIFICATE PEM block',
    ],
  ],
  [
    'a request for a certificate',
    'status',
    { certificate: base64(pem) },
    {},
    [
      'status.certificate: Invalid value: "<certificate data>": only CERTIFICATE PEM blocks are allowed, found "CERTIFICATE REQUEST"',
    ],
  ],
];

for (const [name, door, status, old, expected] of updates) {
  test(`signing request: ${name}`, () => {
    assert.deepEqual(
      runUpdate(strategy, [request({}, status), request({}, old)], door).errors,
      expected,
    );
  });
}

test('times of conditions are filled in, decisions keep theirs', () => {
  const old = request({}, { conditions: [{ ...condition('Approved'), ...times }] });
  const wanted = request({}, conditions('Approved', 'Noted'));
  const { object, errors } = runUpdate(strategy, [wanted, old], 'status');
  assert.deepEqual(errors, []);
  assert.deepEqual(object['status'], {
    conditions: [
      { ...condition('Approved'), ...times },
      { ...condition('Noted'), ...times },
    ],
  });
});

test('approval leaves the certificate alone', () => {
  const { object } = runUpdate(
    strategy,
    [request({}, { certificate: base64('x') }), request()],
    'approval',
  );
  assert.deepEqual(object['status'], {});
});

const progress: readonly (readonly [object, string])[] = [
  [{}, 'Pending'],
  [conditions('Approved'), 'Approved'],
  [conditions('Denied'), 'Denied'],
  [{ ...conditions('Approved'), certificate: 'AAAA' }, 'Approved,Issued'],
  [conditions('Approved', 'Failed'), 'Approved,Failed'],
];

for (const [status, expected] of progress) {
  test(`row: ${expected}`, () => {
    const { object } = runUpdate(strategy, [
      request(),
      request({ expirationSeconds: 3600 }, status),
    ]);
    const cells = strategy.tableCells?.(object, testContext.nowMs);
    assert.deepEqual(cells, ['csr', '<unknown>', 'example.com/signer', '', '60m', expected]);
  });
}
