import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { createSeededRandom } from '@keelson/apimachinery';
import { createStoppedClock } from '../testing.ts';
import { createCertificateAuthority, encodeAltNames, extension } from './certificate-authority.ts';
import { createCertificateIssuer } from './certificate-issuer.ts';
import { createCertificateRequest } from './certificate-request.ts';
import { encode, encodeDer, tag } from './der.ts';
import {
  algorithmOid,
  attributeOid,
  extendedKeyUsageOid,
  extensionOid,
  extensionRequestOid,
} from './object-identifiers.ts';
import { parseCertificates } from './parse-certificate.ts';
import { writePem } from './pem.ts';
import { certificateExpiry } from './sign-request.ts';

const start = Date.UTC(2026, 0, 15);
const hour = 3_600_000;
const clock = createStoppedClock(start);
const random = createSeededRandom(7);
const authority = createCertificateAuthority(
  { clock, random },
  { commonName: 'ca', validForMs: 48 * hour },
);
const issuer = createCertificateIssuer(
  (signerName) => (signerName === 'mine' ? authority : undefined),
  clock,
);
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const request = createCertificateRequest(
  { commonName: 'ann', organizations: ['devs', 'ops'] },
  keys.privateKey,
  { dnsNames: ['a.example'], ipAddresses: ['10.0.0.1', '2001:db8::1'] },
);
const terms = (changes: object = {}) => ({
  usages: ['client auth', 'digital signature'],
  notBeforeMs: start - hour / 12,
  notAfterMs: start + hour,
  ...changes,
});
const signed = (pem: string, changes: object = {}) => {
  const [certificate] = parseCertificates(issuer.sign('mine', pem, terms(changes)));
  assert.ok(certificate);
  return certificate;
};

test('what was asked for is signed, for as long as was decided', () => {
  const certificate = signed(request);
  const { x509 } = certificate;
  assert.equal(x509.subject, 'O=ops + O=devs\nCN=ann');
  assert.equal(
    x509.subjectAltName,
    'DNS:a.example, IP Address:10.0.0.1, IP Address:2001:DB8:0:0:0:0:0:1',
  );
  assert.deepEqual(certificate.extendedKeyUsages, [extendedKeyUsageOid.clientAuth]);
  assert.equal(certificate.keyUsage, 0x8000);
  assert.equal(certificate.basicConstraints?.ca ?? false, false);
  assert.equal(certificate.notBeforeMs, start - hour / 12);
  assert.equal(certificate.notAfterMs, start + hour);
  assert.ok(x509.verify(parseCertificates(authority.certificatePem)[0]!.x509.publicKey));
});

test('a signer without an authority signs nothing', () => {
  assert.ok(issuer.signsFor('mine'));
  assert.ok(!issuer.signsFor('other'));
  assert.throws(() => issuer.sign('other', request, terms()), /no authority signs for other/);
});

test('usages become bits and identifiers', () => {
  const rows: [usages: string[], bits: number | undefined, extended: string[] | undefined][] = [
    [['server auth', 'key encipherment'], 0x2000, [extendedKeyUsageOid.serverAuth]],
    [['signing', 'digital signature'], 0x8000, undefined],
    [['cert sign', 'crl sign'], 0x0600, undefined],
    [['decipher only'], 0x0080, undefined],
    [
      ['email protection', 's/mime', 'any'],
      undefined,
      [extendedKeyUsageOid.any, extendedKeyUsageOid.emailProtection],
    ],
  ];
  for (const [usages, bits, extended] of rows) {
    const certificate = signed(request, { usages });
    assert.equal(certificate.keyUsage, bits, usages.join());
    assert.deepEqual(certificate.extendedKeyUsages, extended, usages.join());
  }
  for (const usage of ['', 'Client Auth', 'constructor', '__proto__'])
    assert.throws(() => signed(request, { usages: [usage] }), /unrecognized usage values/);
});

test('a certificate never outlives its authority', () => {
  assert.equal(signed(request, { notAfterMs: start + 100 * hour }).notAfterMs, start + 48 * hour);
  clock.nowMs = start + 49 * hour;
  try {
    assert.throws(() => signed(request), /the certificate of the authority has expired/);
  } finally {
    clock.nowMs = start;
  }
  assert.equal(certificateExpiry(authority.certificatePem), start + 48 * hour);
  assert.throws(() => certificateExpiry('x'), /there is no certificate/);
});

/** A request with anything in it, signed by its own key. */
function requestOf(name: readonly Uint8Array[], extensions: readonly Uint8Array[]): string {
  const wanted = encode.sequence(
    encode.oid(extensionRequestOid),
    encode.set(encode.sequence(...extensions)),
  );
  const info = encode.sequence(
    encodeDer(tag.integer, Uint8Array.of(0)),
    encode.sequence(...name),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    encodeDer(tag.constructed(0), wanted),
  );
  const algorithm = encode.sequence(encode.oid(algorithmOid.ecdsaWithSha256));
  const signature = encode.bitString(sign('sha256', info, keys.privateKey));
  return writePem('CERTIFICATE REQUEST', encode.sequence(info, algorithm, signature));
}
const attribute = (oid: string, text: string) =>
  encode.set(encode.sequence(encode.oid(oid), encode.utf8(text)));

test('what signers do not look at is not signed', () => {
  const authorityBit = encode.sequence(encode.boolean(true));
  const directoryName = encodeDer(tag.constructed(4), encode.sequence());
  const names = encode.sequence(encodeDer(tag.context(2), Buffer.from('a.example')), directoryName);
  const pem = requestOf(
    [
      attribute(attributeOid.commonName, 'system:node:n1'),
      attribute(attributeOid.userUid, 'uid-of-somebody-else'),
      attribute('1.2.3.4', 'more'),
      attribute(attributeOid.organizationalUnit, 'unit'),
    ],
    [
      extension(extensionOid.basicConstraints, true, authorityBit),
      extension(extensionOid.subjectAltName, false, names),
      extension('1.2.3.4', true, Uint8Array.of(5, 0)),
    ],
  );
  const certificate = signed(pem);
  assert.deepEqual(
    certificate.subjectAttributes.map(({ oid }) => oid),
    [attributeOid.organizationalUnit, attributeOid.commonName],
  );
  assert.equal(certificate.x509.subjectAltName, 'DNS:a.example');
  assert.equal(certificate.x509.ca, false);
  assert.deepEqual(certificate.unknownCriticalExtensions, []);
});

test('without a subject the alternative names are critical', () => {
  const names = extension(extensionOid.subjectAltName, false, encodeAltNames(['a.example'], []));
  const { der } = signed(requestOf([], [names]));
  const critical = Buffer.concat([encode.oid(extensionOid.subjectAltName), encode.boolean(true)]);
  assert.ok(Buffer.from(der).includes(critical));
});

test('requests that are none, or that their key did not sign', () => {
  const [head = '', ...rest] = request.split('\n');
  const bytes = Buffer.from(rest.slice(0, -2).join(''), 'base64');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const broken = writePem('CERTIFICATE REQUEST', bytes);
  for (const pem of ['', head, authority.certificatePem, broken])
    assert.throws(() => issuer.sign('mine', pem, terms()));
});
