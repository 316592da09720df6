import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestedNames } from './certificate-issuer.ts';
import {
  clientSigner,
  isOwnSigner,
  kubeletClientSigner,
  kubeletServingSigner,
  legacySigner,
  signerProblem,
} from './signer-rules.ts';

const node: RequestedNames = {
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  dnsNames: [],
  ipAddresses: [],
  emailAddresses: [],
  uris: [],
};
const server: RequestedNames = { ...node, dnsNames: ['n1.example'] };
const client = ['digital signature', 'client auth'];
const serving = ['digital signature', 'server auth'];
const notNodes = 'subject organization is not system:nodes';
const notNode = 'subject common name does not begin with system:node:';
const clientUsages = 'usages did not match [client auth digital signature key encipherment]';
const servingUsages = 'usages did not match [digital signature key encipherment server auth]';

type Row = readonly [what: string, names: Partial<RequestedNames>, usages: string[], why?: string];
const subjects = (good: readonly string[]): Row[] => [
  ['no organization', { organizations: [] }, [...good], notNodes],
  ['another organization', { organizations: ['system:masters'] }, [...good], notNodes],
  ['one more', { organizations: ['system:nodes', 'system:masters'] }, [...good], notNodes],
  ['the same twice', { organizations: ['system:nodes', 'system:nodes'] }, [...good], notNodes],
  ['another case', { organizations: ['System:Nodes'] }, [...good], notNodes],
  ['another user', { commonName: 'admin' }, [...good], notNode],
  ['the prefix inside', { commonName: 'xsystem:node:n1' }, [...good], notNode],
  ['no name', { commonName: '' }, [...good], notNode],
];

const tables: Readonly<Record<string, readonly [base: RequestedNames, rows: readonly Row[]]>> = {
  [kubeletClientSigner]: [
    node,
    [
      ['a node', {}, client],
      ['with an RSA key', {}, [...client, 'key encipherment']],
      ['in another order', {}, client.toReversed()],
      ...subjects(client),
      ['a DNS name', { dnsNames: ['a'] }, client, 'DNS subjectAltNames are not allowed'],
      ['an address', { ipAddresses: ['1.2.3.4'] }, client, 'IP subjectAltNames are not allowed'],
      ['an email', { emailAddresses: ['a@b'] }, client, 'Email subjectAltNames are not allowed'],
      ['a URI', { uris: ['spiffe://a'] }, client, 'URI subjectAltNames are not allowed'],
      ['for servers', {}, serving, clientUsages],
      ['for both', {}, [...client, 'server auth'], clientUsages],
      ['without signatures', {}, ['client auth'], clientUsages],
      ['for nothing', {}, [], clientUsages],
    ],
  ],
  [kubeletServingSigner]: [
    server,
    [
      ['a name', {}, serving],
      ['an address', { dnsNames: [], ipAddresses: ['10.0.0.1'] }, serving],
      ['with an RSA key', {}, [...serving, 'key encipherment']],
      ...subjects(serving),
      ['neither', { dnsNames: [] }, serving, 'DNS or IP subjectAltName is required'],
      ['an email', { emailAddresses: ['a@b'] }, serving, 'Email subjectAltNames are not allowed'],
      ['a URI', { uris: ['spiffe://a'] }, serving, 'URI subjectAltNames are not allowed'],
      ['for clients', {}, client, servingUsages],
      ['for both', {}, [...serving, 'client auth'], servingUsages],
    ],
  ],
  [clientSigner]: [
    node,
    [
      ['anybody', { organizations: ['devs'], commonName: 'ann' }, ['client auth']],
      ['all usages', {}, [...client, 'key encipherment']],
      ['for servers', {}, ['server auth'], 'invalid usage for client certificate: server auth'],
      [
        'for servers too',
        {},
        [...client, 'server auth'],
        'invalid usage for client certificate: server auth',
      ],
      [
        'not for clients',
        {},
        ['digital signature'],
        'missing required usage for client certificate: client auth',
      ],
      ['to sign', {}, ['cert sign'], 'invalid usage for client certificate: cert sign'],
    ],
  ],
  [legacySigner]: [node, [['anything', { commonName: 'x', uris: ['a:b'] }, ['any']]]],
};

for (const [signer, [base, rows]] of Object.entries(tables))
  for (const [what, names, usages, why] of rows)
    test(`${signer}: ${what}`, () => {
      assert.equal(signerProblem(signer, { ...base, ...names }, usages), why);
    });

test('other signers are nobody’s here', () => {
  for (const signer of ['example.com/a', 'kubernetes.io/kube-apiserver-serving', '', '__proto__']) {
    assert.equal(isOwnSigner(signer), false);
    assert.throws(() => signerProblem(signer, node, client));
  }
});
