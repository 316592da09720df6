// CertificateApproval, CertificateSigning, CertificateSubjectRestriction, ClusterTrustBundleAttest.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import { createCertificateRequest } from '../../authentication/certificates/certificate-request.ts';
import type { Authorizer, RequestAttributes } from '../../authorization/authorizer.ts';
import { createFeatures } from '../../features/create-features.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createCertificateApproval } from './certificate-approval.ts';
import { createCertificateSigning } from './certificate-signing.ts';
import { createCertificateSubjectRestriction } from './certificate-subject-restriction.ts';
import { createClusterTrustBundleAttest } from './cluster-trust-bundle-attest.ts';

/** Allows `<verb> <name>` of signers, and denies the rest in one way or the other. */
function createSignerAuthorizer(...allowed: string[]) {
  const asked: RequestAttributes[] = [];
  const authorizer: Authorizer = {
    name: 'test',
    authorize(_user, attributes) {
      asked.push(attributes);
      const isAllowed =
        attributes.isResource && allowed.includes(`${attributes.verb} ${attributes.name}`);
      return { decision: isAllowed ? 'allow' : 'no-opinion', reason: '' };
    },
  };
  return { authorizer, asked };
}

const signer = 'example.com/clients';
const csr = (status: object = {}, signerName = signer): KubeObject => ({
  metadata: { name: 'c' },
  spec: { request: '', signerName },
  status,
});
const about = {
  group: 'certificates.k8s.io',
  resource: 'certificatesigningrequests',
  namespace: '',
} as const;
const refused = (why: string) =>
  `certificatesigningrequests.certificates.k8s.io "c" is forbidden: ${why}`;

test('CertificateApproval asks about the signer and about all of its domain', async () => {
  const approval: TestRequest = {
    ...about,
    operation: 'UPDATE',
    subresource: 'approval',
    object: csr(),
    oldObject: csr({}, 'example.com/others'),
  };
  const refusal = refused(
    'user not permitted to approve requests with signerName "example.com/clients"',
  );
  const rows: [allowed: string[], request: TestRequest, message: string | undefined][] = [
    [[`approve ${signer}`], approval, undefined],
    [['approve example.com/*'], approval, undefined],
    [['approve example.com/others', `sign ${signer}`], approval, refusal],
    [[], approval, refusal],
    [[], { ...approval, subresource: 'status' }, undefined],
    [[], { ...approval, subresource: '' }, undefined],
    [[], { ...approval, group: 'example.com' }, undefined],
  ];
  for (const [allowed, request, message] of rows) {
    const { authorizer } = createSignerAuthorizer(...allowed);
    const plugin = createCertificateApproval(authorizer);
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
  }
  const { authorizer, asked } = createSignerAuthorizer();
  await admit(createCertificateApproval(authorizer), createTestAttributes(approval));
  const question = {
    isResource: true,
    verb: 'approve',
    namespace: '',
    group: 'certificates.k8s.io',
    version: '*',
    resource: 'signers',
    subresource: '',
  };
  assert.deepEqual(asked, [
    { ...question, name: signer },
    { ...question, name: 'example.com/*' },
  ]);
});

test('CertificateSigning asks when the result changes, about the stored signer', async () => {
  const condition = { type: 'Failed', status: 'True' };
  const update = (before: object, after: object): TestRequest => ({
    ...about,
    operation: 'UPDATE',
    subresource: 'status',
    object: csr(after, 'evil.com/mine'),
    oldObject: csr(before),
  });
  const refusal = refused(
    'user not permitted to sign requests with signerName "example.com/clients"',
  );
  const rows: [allowed: string[], request: TestRequest, message: string | undefined][] = [
    [[], update({}, {}), undefined],
    [[], update({}, { conditions: [] }), undefined],
    [[], update({}, { certificate: 'YQ==' }), refusal],
    [[], update({}, { conditions: [condition] }), refusal],
    [['sign evil.com/mine'], update({}, { certificate: 'YQ==' }), refusal],
    [[`sign ${signer}`], update({}, { certificate: 'YQ==' }), undefined],
    [['sign example.com/*'], update({}, { conditions: [condition] }), undefined],
    [[], { ...update({}, { certificate: 'YQ==' }), subresource: '' }, undefined],
  ];
  for (const [allowed, request, message] of rows) {
    const plugin = createCertificateSigning(createSignerAuthorizer(...allowed).authorizer);
    assert.equal(await admit(plugin, createTestAttributes(request)), message);
  }
});

test('CertificateSubjectRestriction', async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const client = 'kubernetes.io/kube-apiserver-client';
  const asking = (organizations: string[], signerName = client): KubeObject => {
    const pem = createCertificateRequest({ commonName: 'ann', organizations }, privateKey);
    const request = Buffer.from(pem).toString('base64');
    return { metadata: { name: 'c' }, spec: { request, signerName } };
  };
  const refusal = refused(
    'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
  );
  const rows: [object: KubeObject, message: string | undefined][] = [
    [asking(['dev']), undefined],
    [asking(['dev', 'system:masters']), refusal],
    [asking(['system:masters'], signer), undefined],
    [asking(['system:master']), undefined],
    [
      { metadata: { name: 'c' }, spec: { request: 'eA==', signerName: client } },
      refused('failed to parse CSR: PEM block type must be CERTIFICATE REQUEST'),
    ],
  ];
  const plugin = createCertificateSubjectRestriction();
  for (const [object, message] of rows)
    assert.equal(await admit(plugin, createTestAttributes({ ...about, object })), message);
  assert.ok(!plugin.handles('UPDATE'));
});

test('ClusterTrustBundleAttest', async () => {
  const features = createFeatures({ featureGates: { ClusterTrustBundle: true } });
  const bundle = (signerName: string | undefined, metadata: object = {}): KubeObject => ({
    metadata: { name: 'b', ...metadata },
    spec: { trustBundle: 'x', ...(signerName !== undefined && { signerName }) },
  });
  const bundles = { group: 'certificates.k8s.io', resource: 'clustertrustbundles', namespace: '' };
  const refusal =
    'clustertrustbundles.certificates.k8s.io "b" is forbidden: user not permitted to attest for ' +
    'signerName "example.com/clients"';
  const rows: [allowed: string[], request: TestRequest, message: string | undefined][] = [
    [[], { object: bundle(undefined) }, undefined],
    [[], { object: bundle(signer) }, refusal],
    [[`attest ${signer}`], { object: bundle(signer) }, undefined],
    [
      [],
      {
        operation: 'UPDATE',
        object: bundle(signer, { finalizers: ['a/b'] }),
        oldObject: bundle(signer),
      },
      undefined,
    ],
    [
      [],
      {
        operation: 'UPDATE',
        object: bundle(signer, { labels: { a: 'b' } }),
        oldObject: bundle(signer),
      },
      refusal,
    ],
  ];
  for (const [allowed, request, message] of rows) {
    const { authorizer } = createSignerAuthorizer(...allowed);
    const plugin = createClusterTrustBundleAttest(authorizer, features);
    assert.equal(await admit(plugin, createTestAttributes({ ...bundles, ...request })), message);
  }
  const { authorizer } = createSignerAuthorizer();
  assert.ok(!createClusterTrustBundleAttest(authorizer, createFeatures()).handles('CREATE'));
});
