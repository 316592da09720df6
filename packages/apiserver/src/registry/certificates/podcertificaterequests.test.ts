import assert from 'node:assert/strict';
import { constants, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { describe, it } from 'node:test';
import {
  createSeededRandom,
  formatTime,
  renderFieldError,
  type Clock,
} from '@keelson/apimachinery';
import {
  createCertificateAuthority,
  keyUsageBits,
} from '../../authentication/certificates/certificate-authority.ts';
import { createCertificateRequest } from '../../authentication/certificates/certificate-request.ts';
import { parseCertificates } from '../../authentication/certificates/parse-certificate.ts';
import { readPem } from '../../authentication/certificates/pem.ts';
import type { Strategy } from '../strategy.ts';
import { readObject, runCreate, runUpdate, testContext } from '../testing/run-strategy.ts';
import { createCertificatesStrategies } from './strategies.ts';

const strategies = createCertificatesStrategies(async ({ name }) => name === 'signer');
const strategy = strategies['podcertificaterequests'] as Strategy;
const hour = 3_600_000;
const now = testContext.nowMs;
const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} };
const authority = createCertificateAuthority(
  { clock, random: createSeededRandom(3) },
  { commonName: 'ca' },
);
const { privateKey: leafKey, publicKey: leafPublicKey } = generateKeyPairSync('ec', {
  namedCurve: 'P-256',
});
const [root] = parseCertificates(authority.certificatePem);
const leafPem = authority.sign({
  subject: root?.subject ?? new Uint8Array(),
  publicKey: leafPublicKey.export({ type: 'spki', format: 'der' }),
  extendedKeyUsages: [],
  keyUsage: keyUsageBits.digitalSignature,
  notBeforeMs: now,
  notAfterMs: now + 2 * hour,
});
const base64 = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('base64');
const stubOf = (key: Parameters<typeof createCertificateRequest>[1]) =>
  base64(readPem(createCertificateRequest({ commonName: '', organizations: [] }, key))[0]?.bytes);
const stub = stubOf(leafKey);
const publicKey = (key: KeyObject) => base64(key.export({ type: 'spki', format: 'der' }));
const uid = Buffer.from('pod-uid');

const base = {
  signerName: 'example.com/signer',
  podName: 'p',
  podUID: 'pod-uid',
  serviceAccountName: 's',
  serviceAccountUID: 'su',
  nodeName: 'n',
  nodeUID: 'nu',
  maxExpirationSeconds: 7200,
};
const request = (spec: object = { stubPKCS10Request: stub }, status: object = {}) => ({
  apiVersion: 'certificates.k8s.io/v1beta1',
  kind: 'PodCertificateRequest',
  metadata: { name: 'r', namespace: 'shop' },
  spec: { ...base, ...spec },
  status,
});

const ed = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 3072 });
const weak = generateKeyPairSync('rsa', { modulusLength: 2048 });
const odd = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const pss = { padding: constants.RSA_PKCS1_PSS_PADDING };
const pair = (key: typeof ed, signature: Uint8Array) => ({
  pkixPublicKey: publicKey(key.publicKey),
  proofOfPossession: base64(signature),
});
const proven = pair(ed, sign(null, uid, ed.privateKey));

describe('requests of pods for certificates', () => {
  const rows: readonly [name: string, spec: object, errors: RegExp[]][] = [
    ['a signed stub', { stubPKCS10Request: stub }, []],
    ['an Ed25519 key and its proof', proven, []],
    [
      'an ECDSA key and its proof',
      pair({ ...ed, publicKey: leafPublicKey }, sign('sha256', uid, leafKey)),
      [],
    ],
    [
      'an RSA key and its proof',
      pair(rsa, sign('sha256', uid, { key: rsa.privateKey, ...pss })),
      [],
    ],
    [
      'a proof for another pod',
      { ...proven, podUID: 'other' },
      [
        /^spec.proofOfPossession: Invalid value: could not verify|could not verify proof-of-possession signature$/,
      ],
    ],
    [
      'a proof in the older padding',
      pair(rsa, sign('sha256', uid, rsa.privateKey)),
      [/could not verify/],
    ],
    [
      'a weak key',
      pair(weak, sign('sha256', uid, { key: weak.privateKey, ...pss })),
      [/"2048-bit modulus": RSA keys must have modulus size 3072 or 4096$/],
    ],
    [
      'a curve that nobody else uses',
      pair(odd, sign('sha256', uid, odd.privateKey)),
      [/elliptic public keys must use curve P256 or P384$/],
    ],
    [
      'both forms',
      { ...proven, stubPKCS10Request: stub },
      [/exactly one of \(stubPKCS10Request\) or \(pkixPublicKey, proofOfPossession\) must be set$/],
    ],
    ['no key', {}, [/exactly one of/]],
    ['no proof', { ...proven, proofOfPossession: null }, [/exactly one of/]],
    [
      'an unreadable stub',
      { stubPKCS10Request: base64(uid) },
      [/^spec.stubPKCS10Request: .*must be a valid PKCS#10 CSR$/],
    ],
    [
      'an unreadable key',
      { ...proven, pkixPublicKey: base64(uid) },
      [/must be a valid PKIX-serialized public key$/],
    ],
    [
      'an endless stub',
      { stubPKCS10Request: base64(new Uint8Array(10_241)) },
      [/Too long: may not be more than 10240 bytes$/],
    ],
    [
      'half an hour',
      { stubPKCS10Request: stub, maxExpirationSeconds: 1800 },
      [/must be in the range \[3600, 7862400\]$/],
    ],
    [
      'two days of Kubernetes’ own',
      { stubPKCS10Request: stub, signerName: 'kubernetes.io/x', maxExpirationSeconds: 172800 },
      [/must be in the range \[3600, 86400\]$/],
    ],
    [
      'nobody’s',
      { stubPKCS10Request: stub, podUID: '', nodeName: 'N' },
      [/podUID: Invalid value: "": must not be empty$/, /nodeName: Invalid value: "N"/],
    ],
    [
      'an annotation of nobody',
      { stubPKCS10Request: stub, unverifiedUserAnnotations: { a: 'b' } },
      [/must be a domain-prefixed key \(such as "acme.io\/foo"\)$/],
    ],
  ];
  for (const [name, spec, expected] of rows)
    it(name, () => {
      const { errors } = runCreate(strategy, request(spec));
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
    });

  it('live for a day unless they say otherwise, and never change', () => {
    const { maxExpirationSeconds: _none, ...rest } = base;
    const { object } = runCreate(strategy, {
      ...request(),
      spec: { ...rest, stubPKCS10Request: stub },
    });
    assert.equal((object['spec'] as { maxExpirationSeconds: number }).maxExpirationSeconds, 86400);
    const { errors } = runUpdate(strategy, [
      request({ stubPKCS10Request: stub, podName: 'q' }),
      request(),
    ]);
    assert.match(errors.join('\n'), /^spec: Invalid value: .*: field is immutable$/);
  });
});

describe('answers to them', () => {
  const [certificate] = parseCertificates(leafPem);
  assert.ok(certificate);
  const time = (ms: number) => formatTime(ms);
  const condition = (type: string, status = 'True') => ({ type, status, reason: 'Because' });
  const conditions = (...types: string[]) => ({ conditions: types.map((type) => condition(type)) });
  const issued = {
    ...conditions('Issued'),
    certificateChain: leafPem + authority.certificatePem,
    notBefore: time(certificate.notBeforeMs),
    notAfter: time(certificate.notAfterMs),
    beginRefreshAt: time(certificate.notBeforeMs + hour),
  };
  const long = { stubPKCS10Request: stub, maxExpirationSeconds: 86400 };
  const otherKey = { ...long, stubPKCS10Request: stubOf(ed.privateKey) };
  const rows: readonly [
    name: string,
    status: object,
    errors: RegExp[],
    spec?: object,
    old?: object,
  ][] = [
    ['issued', issued, []],
    ['denied', conditions('Denied'), []],
    ['failed', conditions('Failed'), []],
    [
      'denied and failed',
      conditions('Denied', 'Failed'),
      [/There may be at most one condition with type/],
    ],
    [
      'not denied',
      { conditions: [condition('Denied', 'False')] },
      [/Unsupported value: "False": supported values: "True"$/],
    ],
    [
      'something else',
      conditions('Noted'),
      [/Unsupported value: "Noted": supported values: "Issued", "Denied", "Failed"$/],
    ],
    [
      'denied, with a certificate',
      { ...issued, ...conditions('Denied') },
      [/non-condition status fields must be empty/],
    ],
    [
      'a certificate without a decision',
      { ...issued, conditions: [] },
      [/status is immutable unless transitioning/],
    ],
    [
      'issued after it was denied',
      issued,
      [/immutable after PodCertificateRequest is issued, denied, or failed$/],
      long,
      conditions('Denied'),
    ],
    [
      'for another key',
      issued,
      [/leaf certificate was not issued to the requested public key$/],
      otherKey,
    ],
    [
      'for longer than was asked',
      issued,
      [/must be <= spec.maxExpirationSeconds \(3600\)$/],
      { ...long, maxExpirationSeconds: 3600 },
    ],
    ['no chain', { ...issued, certificateChain: '' }, [/must contain at least one certificate$/]],
    [
      'a chain that ends in something else',
      {
        ...issued,
        certificateChain: `${leafPem}-----BEGIN X-----\neA==\n-----END X-----\n`,
      },
      [/must consist entirely of CERTFICATE PEM blocks$/],
    ],
    [
      'no times',
      { ...conditions('Issued'), certificateChain: leafPem },
      [/notBefore: Required/, /notAfter: Required/, /beginRefreshAt: Required/],
    ],
    [
      'another start',
      { ...issued, notBefore: time(now + 1000) },
      [/must be set to the NotBefore time encoded in the leaf certificate$/],
    ],
    [
      'refreshed at once',
      { ...issued, beginRefreshAt: issued.notBefore },
      [/must be at least 10 minutes after status.notBefore$/],
    ],
    [
      'refreshed at the end',
      { ...issued, beginRefreshAt: issued.notAfter },
      [/must be at least 10 minutes before status.notAfter$/],
    ],
  ];
  for (const [name, status, expected, spec = long, old = {}] of rows)
    it(name, () => {
      const { errors } = runUpdate(strategy, [request(spec, status), request(spec, old)], 'status');
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
    });

  it('are for whoever may sign', async () => {
    const ask = async (name: string, status: object) => {
      const user = { ...testContext.user, name };
      const [object, old] = [readObject(request(long, status)), readObject(request(long))];
      const door = strategy.subresources?.['status'];
      const found = await door?.authorizeUpdate?.(object, old, { ...testContext, user });
      return found?.map(renderFieldError);
    };
    assert.deepEqual(await ask('signer', issued), []);
    assert.deepEqual(await ask('ann', conditions('Denied')), []);
    assert.deepEqual(await ask('ann', issued), [
      'spec.signerName: Forbidden: User "ann" is not permitted to "sign" for signer "example.com/signer"',
    ]);
  });
});
