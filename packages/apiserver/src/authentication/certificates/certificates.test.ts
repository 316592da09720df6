import assert from 'node:assert/strict';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { createSeededRandom, type Clock } from '@keelson/apimachinery';
import {
  createCertificateAuthority,
  encodeAltNames,
  keyUsageBits,
  loadCertificateAuthority,
  type CertificateAuthority,
} from './certificate-authority.ts';
import { createCertificateRequest, parseCertificateRequest } from './certificate-request.ts';
import { DerError, encode, encodeDer, readDer, readInteger, readOid, readTime } from './der.ts';
import { encodeName, subjectOf } from './distinguished-name.ts';
import { extendedKeyUsageOid } from './object-identifiers.ts';
import { parseCertificate, parseCertificates } from './parse-certificate.ts';
import { readPem } from './pem.ts';
import { verifyChain } from './verify-chain.ts';

const start = Date.UTC(2026, 0, 15);
const hour = 3_600_000;
const clockAt = (ms: number): Clock => ({
  now: () => ms,
  monotonic: () => ms,
  after: () => () => {},
});
const dependencies = { clock: clockAt(start), random: createSeededRandom(7) };
const authority = createCertificateAuthority(dependencies, { commonName: 'test-ca' });
const other = createCertificateAuthority(dependencies, { commonName: 'test-ca' });

const certificateOf = (pem: string) => {
  const [certificate] = parseCertificates(pem);
  assert.ok(certificate);
  return certificate;
};
const roots = parseCertificates(authority.certificatePem);
const client = authority.issueClient({ name: 'jane', groups: ['dev', 'ops'], validForMs: hour });

test('issued certificates satisfy OpenSSL', () => {
  const ca = new X509Certificate(authority.certificatePem);
  assert.ok(ca.ca && ca.verify(ca.publicKey));
  const serving = authority.issueServing({
    commonName: 'kube-apiserver',
    dnsNames: ['localhost', 'kubernetes.default.svc'],
    ipAddresses: ['127.0.0.1', '::1', '2001:db8::8:800:200c:417a'],
  });
  const x509 = new X509Certificate(serving.certificatePem);
  assert.ok(x509.checkIssued(ca) && x509.verify(ca.publicKey));
  assert.ok(x509.checkPrivateKey(createPrivateKey(serving.privateKeyPem)));
  for (const host of ['localhost', 'kubernetes.default.svc'])
    assert.equal(x509.checkHost(host), host);
  for (const ip of ['127.0.0.1', '::1', '2001:db8::8:800:200c:417a'])
    assert.equal(x509.checkIP(ip), ip);
  assert.equal(x509.checkHost('example.com'), undefined);
  assert.deepEqual(x509.keyUsage, [extendedKeyUsageOid.serverAuth]);
});

test('subjects keep order and repetition', () => {
  const subject = subjectOf(certificateOf(client.certificatePem).subjectAttributes);
  assert.deepEqual(subject, { commonName: 'jane', organizations: ['dev', 'ops'] });
});

test('an authority is loaded from its files, and only with its own key', () => {
  const again = loadCertificateAuthority(dependencies, authority);
  const issued = certificateOf(again.issueClient({ name: 'x' }).certificatePem);
  assert.ok(verify(issued).trusted);
  assert.throws(() =>
    loadCertificateAuthority(dependencies, {
      certificatePem: authority.certificatePem,
      privateKeyPem: other.privateKeyPem,
    }),
  );
  assert.throws(() => loadCertificateAuthority(dependencies, client));
});

type Signing = Partial<Parameters<CertificateAuthority['sign']>[0]>;
function signed(by: CertificateAuthority, changes: Signing = {}) {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return certificateOf(
    by.sign({
      subject: encodeName({ commonName: 'jane' }),
      publicKey: keys.publicKey.export({ type: 'spki', format: 'der' }),
      extendedKeyUsages: [extendedKeyUsageOid.clientAuth],
      keyUsage: keyUsageBits.digitalSignature,
      notBeforeMs: start - hour,
      notAfterMs: start + hour,
      ...changes,
    }),
  );
}

function verify(leaf: ReturnType<typeof certificateOf>, nowMs = start, intermediates = [leaf]) {
  const usage = extendedKeyUsageOid.clientAuth;
  return verifyChain(leaf, { roots, intermediates, nowMs, usage });
}

test('chains: what is trusted and what is not', () => {
  const serving = authority.issueServing({ commonName: 's', dnsNames: ['s'], ipAddresses: [] });
  const forged = signed(other);
  const bySomebody = loadUnchecked(client);
  const rows: [what: string, result: ReturnType<typeof verify>, reason: string | undefined][] = [
    ['a client certificate', verify(certificateOf(client.certificatePem)), undefined],
    ['at its last moment', verify(signed(authority), start + hour), undefined],
    [
      'usage any',
      verify(signed(authority, { extendedKeyUsages: [extendedKeyUsageOid.any] })),
      undefined,
    ],
    [
      'serving usage',
      verify(certificateOf(serving.certificatePem)),
      'x509: certificate specifies an incompatible key usage',
    ],
    [
      'expired',
      verify(signed(authority), start + 2 * hour),
      'x509: certificate has expired or is not yet valid: current time 2026-01-15T02:00:00Z is after 2026-01-15T01:00:00Z',
    ],
    [
      'not yet valid',
      verify(signed(authority, { notBeforeMs: start + 60_000 })),
      'x509: certificate has expired or is not yet valid: current time 2026-01-15T00:00:00Z is before 2026-01-15T00:01:00Z',
    ],
    [
      'another authority of the same name',
      verify(forged),
      'x509: certificate signed by unknown authority',
    ],
    [
      'the other authority presented along',
      verify(forged, start, parseCertificates(other.certificatePem)),
      'x509: certificate signed by unknown authority',
    ],
    [
      'signed by a client certificate',
      verify(bySomebody, start, [certificateOf(client.certificatePem)]),
      'x509: invalid signature: parent certificate cannot sign this kind of certificate',
    ],
  ];
  for (const [what, result, reason] of rows)
    assert.equal(result.trusted ? undefined : result.reason, reason, what);
});

/** A certificate that a client made with its own key, although it is no authority. */
function loadUnchecked(holder: { certificatePem: string; privateKeyPem: string }) {
  const key = createPrivateKey(holder.privateKeyPem);
  const issuer = certificateOf(holder.certificatePem);
  const request = createCertificateRequest({ commonName: 'root' }, key);
  const { publicKey } = parseCertificateRequest(request);
  const ca = createCertificateAuthority(dependencies, { commonName: 'x' });
  const template = certificateOf(
    ca.sign({
      subject: encodeName({ commonName: 'root', organizations: ['system:masters'] }),
      publicKey,
      extendedKeyUsages: [extendedKeyUsageOid.clientAuth],
      keyUsage: keyUsageBits.digitalSignature,
      notBeforeMs: start - hour,
      notAfterMs: start + hour,
    }),
  );
  return { ...template, issuer: issuer.subject };
}

test('requests are read back and must be signed by their own key', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = { dnsNames: ['n1'], ipAddresses: ['10.0.0.1'] };
  const pem = createCertificateRequest(
    { commonName: 'system:node:n1', organizations: ['system:nodes'] },
    privateKey,
    names,
  );
  const request = parseCertificateRequest(pem);
  assert.equal(request.commonName, 'system:node:n1');
  assert.deepEqual(request.organizations, ['system:nodes']);
  assert.deepEqual(request.dnsNames, ['n1']);
  assert.deepEqual(request.ipAddresses, ['10.0.0.1']);
  const bytes = Buffer.from(readPem(pem)[0]?.bytes ?? []);
  const at = bytes.indexOf('system:node:n1');
  bytes.write('system:node:n2', at);
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.throws(() => parseCertificateRequest(forged), DerError);
  assert.throws(() => parseCertificateRequest('nothing'), DerError);
});

test('DER that is not DER', () => {
  const rows: [what: string, hex: string][] = [
    ['nothing', ''],
    ['a tag without length', '30'],
    ['more than there is', '3005020101'],
    ['an indefinite length', '30800201010000'],
    ['a length that is not minimal', '308103020101'],
    ['trailing data', '30030201010000'],
  ];
  for (const [what, hex] of rows)
    assert.throws(() => readDer(Buffer.from(hex, 'hex')), DerError, what);
  assert.throws(() => parseCertificate(Buffer.from('3003020101', 'hex')), DerError);
  assert.throws(() => readOid(Uint8Array.of(0x88)), DerError);
});

test('DER values are written as they are read', () => {
  for (const oid of ['2.5.4.3', '1.3.6.1.4.1.57683.2', '2.5.29.37.0', '2.999.1'])
    assert.equal(readOid(readDer(encode.oid(oid)).content), oid);
  for (const ms of [Date.UTC(2049, 11, 31, 23, 59, 59), Date.UTC(2050, 0, 1)])
    assert.equal(readTime(readDer(encode.time(ms))), ms);
  assert.equal(readInteger(readDer(encode.unsigned(Uint8Array.of(0, 0x80))).content), 128n);
  const long = encodeDer(4, new Uint8Array(70_000));
  assert.equal(readDer(long).content.length, 70_000);
  assert.ok(encodeAltNames(['a'], ['::ffff:1.2.3.4']).length > 0);
});
