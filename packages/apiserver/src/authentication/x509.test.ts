// Certificates that do not make a user, and those that do (spec/auth §2.2): chains, usages, times,
// constraints, and what a subject says.

import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { createDecisionTrace, noDecisionTrace } from '@keelson/apimachinery';
import { createFeatures } from '../features/create-features.ts';
import { extension, signatureOf } from './certificates/certificate-authority.ts';
import { encode, encodeDer, tag } from './certificates/der.ts';
import {
  attributeOid,
  extendedKeyUsageOid,
  extensionOid,
} from './certificates/object-identifiers.ts';
import { writePem } from './certificates/pem.ts';
import { createStoppedClock, createTestRequest } from './testing.ts';
import { createClientCertificateAuthenticator } from './x509.ts';

const nowMs = Date.UTC(2026, 0, 15);
const hour = 3_600_000;

type Attribute = readonly [oid: string, value: Uint8Array];
const { commonName, organization, userUid } = attributeOid;
const text = (oid: string, value: string): Attribute => [oid, encode.utf8(value)];
const subjectOf = (...attributes: readonly Attribute[]) =>
  encode.sequence(
    ...attributes.map(([oid, value]) => encode.set(encode.sequence(encode.oid(oid), value))),
  );

interface Identity {
  readonly subject: Uint8Array;
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  readonly der: Uint8Array;
}
interface Parts {
  readonly subject?: Uint8Array;
  readonly keys?: Identity['keys'];
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
  /** Object identifiers; absent: not restricted. */
  readonly usages?: readonly string[];
  readonly isAuthority?: boolean;
  readonly pathLengthMax?: number;
  /** Bits of the first byte. */
  readonly keyUsage?: number;
  readonly extensions?: readonly Uint8Array[];
}

const ecKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
let serial = 0;

/** A certificate by `issuer`, or by itself. */
function issue(parts: Parts = {}, issuer?: Identity): Identity {
  const { subject = subjectOf(text(commonName, 'jane')), keys = ecKeys(), usages } = parts;
  const { notBeforeMs = nowMs - hour, notAfterMs = nowMs + hour, isAuthority = false } = parts;
  const constraints = [
    ...(isAuthority ? [encode.boolean(true)] : []),
    ...(parts.pathLengthMax === undefined
      ? []
      : [encodeDer(tag.integer, Uint8Array.of(parts.pathLengthMax))]),
  ];
  const extensions = [
    extension(extensionOid.basicConstraints, true, encode.sequence(...constraints)),
    ...(parts.keyUsage === undefined
      ? []
      : [
          extension(
            extensionOid.keyUsage,
            true,
            encode.bitString(Uint8Array.of(parts.keyUsage), 0),
          ),
        ]),
    ...(usages === undefined
      ? []
      : [
          extension(
            extensionOid.extendedKeyUsage,
            false,
            encode.sequence(...usages.map(encode.oid)),
          ),
        ]),
    ...(parts.extensions ?? []),
  ];
  const key = issuer?.keys.privateKey ?? keys.privateKey;
  const { algorithm, hash } = signatureOf(key);
  const tbs = encode.sequence(
    encodeDer(tag.constructed(0), encodeDer(tag.integer, Uint8Array.of(2))),
    encode.unsigned(Uint8Array.of(1, ++serial)),
    algorithm,
    issuer?.subject ?? subject,
    encode.sequence(encode.time(notBeforeMs), encode.time(notAfterMs)),
    subject,
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    encodeDer(tag.constructed(3), encode.sequence(...extensions)),
  );
  const der = encode.sequence(tbs, algorithm, encode.bitString(sign(hash, tbs, key)));
  return { subject, keys, der };
}

const authority = (parts: Parts = {}, issuer?: Identity) =>
  issue(
    { subject: subjectOf(text(commonName, 'ca')), isAuthority: true, keyUsage: 0x04, ...parts },
    issuer,
  );
const client = [extendedKeyUsageOid.clientAuth];
const root = authority();

async function ask(chain: readonly Identity[], release = '1.36', roots = [root]) {
  const authenticator = createClientCertificateAuthenticator({
    clientCa: roots.map(({ der }) => writePem('CERTIFICATE', der)).join(''),
    clock: createStoppedClock(nowMs),
    features: createFeatures({ emulatedVersion: release }),
  });
  const request = createTestRequest({ certificates: chain.map(({ der }) => der) });
  return authenticator.authenticate(request, noDecisionTrace);
}
async function outcome(chain: readonly Identity[], release?: string, roots?: Identity[]) {
  const result = await ask(chain, release, roots);
  if (result.outcome === 'no-credential') return `nobody: ${result.reason}`;
  if (result.outcome === 'rejected') return result.reason.replace(/^verifying .* failed: /, '');
  const { name, uid, groups } = result.user;
  return `${name} [${groups.join(' ')}]${uid === '' ? '' : ` ${uid}`}`;
}

const unknown = 'x509: certificate signed by unknown authority';
const notAuthority =
  'x509: invalid signature: parent certificate cannot sign this kind of certificate';
const expired = 'x509: certificate has expired or is not yet valid: current time ';
const wrongUsage = 'x509: certificate specifies an incompatible key usage';
const constrained = 'x509: issuer has name constraints, which are not evaluated here';

const subtree = (base: Uint8Array) =>
  extension(
    extensionOid.nameConstraints,
    true,
    encode.sequence(encodeDer(tag.constructed(0), encode.sequence(base))),
  );
const dnsName = (name: string) => encodeDer(tag.context(2), Buffer.from(name));
const alternativeName = extension(
  extensionOid.subjectAltName,
  false,
  encode.sequence(dnsName('a.test')),
);

test('chains of client certificates', async () => {
  const intermediate = (parts: Parts = {}) =>
    authority({ subject: subjectOf(text(commonName, 'sub-ca')), ...parts }, root);
  const through = (parts: Parts) => {
    const by = intermediate(parts);
    return [issue({ usages: client }, by), by];
  };
  const foreign = authority();
  const self = issue({ usages: client });
  const byClient = issue({ usages: client }, root);
  const rows: [what: string, chain: readonly Identity[], expected: string][] = [
    ['none', [], 'nobody: the client presented no certificate'],
    ['one of the authority', [issue({ usages: client }, root)], 'jane []'],
    ['without extended usages', [issue({}, root)], 'jane []'],
    ['any usage', [issue({ usages: [extendedKeyUsageOid.any] }, root)], 'jane []'],
    ['through another authority', through({}), 'jane []'],
    ['for servers only', [issue({ usages: [extendedKeyUsageOid.serverAuth] }, root)], wrongUsage],
    ['for signing code', [issue({ usages: ['1.3.6.1.5.5.7.3.3'] }, root)], wrongUsage],
    [
      'an authority between for servers only',
      through({ usages: [extendedKeyUsageOid.serverAuth] }),
      wrongUsage,
    ],
    [
      'expired',
      [issue({ usages: client, notAfterMs: nowMs - 1000 }, root)],
      `${expired}2026-01-15T00:00:00Z is after 2026-01-14T23:59:59Z`,
    ],
    [
      'not yet valid',
      [issue({ usages: client, notBeforeMs: nowMs + 1000 }, root)],
      `${expired}2026-01-15T00:00:00Z is before 2026-01-15T00:00:01Z`,
    ],
    [
      'an authority between that has expired',
      through({ notAfterMs: nowMs - 1000 }),
      `${expired}2026-01-15T00:00:00Z is after 2026-01-14T23:59:59Z`,
    ],
    ['by itself', [self], unknown],
    ['by itself, with the authority along', [self, root], unknown],
    ['by another authority of the same name', [issue({ usages: client }, foreign)], unknown],
    ['with that authority along', [issue({ usages: client }, foreign), foreign], unknown],
    ['without the authority between', through({}).slice(0, 1), unknown],
    ['by a client', [issue({ usages: client }, byClient), byClient], notAuthority],
    ['by an authority that may not sign', through({ keyUsage: 0x80 }), notAuthority],
    ['by one that is no authority', through({ isAuthority: false }), notAuthority],
    [
      'deeper than allowed',
      (() => {
        const short = intermediate({ pathLengthMax: 0 });
        const deep = authority({ subject: subjectOf(text(commonName, 'deep')) }, short);
        return [issue({ usages: client }, deep), deep, short];
      })(),
      'x509: too many intermediates for path length constraint',
    ],
    [
      'a critical extension that nobody knows',
      [issue({ usages: client, extensions: [extension('1.2.3.4', true, encode.null())] }, root)],
      'x509: unhandled critical extension',
    ],
    [
      'a weak key',
      (() => {
        const by = intermediate({ keys: generateKeyPairSync('rsa', { modulusLength: 1024 }) });
        return [issue({ usages: client }, by), by];
      })(),
      'x509: cannot verify signature: insecure key of the issuer',
    ],
    [
      'constraints on DNS names, and none of them',
      through({ extensions: [subtree(dnsName('a.test'))] }),
      'jane []',
    ],
    [
      'constraints on DNS names, and one of them',
      (() => {
        const by = intermediate({ extensions: [subtree(dnsName('b.test'))] });
        return [issue({ usages: client, extensions: [alternativeName] }, by), by];
      })(),
      constrained,
    ],
    [
      'constraints on subjects',
      through({
        extensions: [subtree(encodeDer(tag.constructed(4), subjectOf(text(organization, 'dev'))))],
      }),
      constrained,
    ],
    [
      'a changed subject under the same signature',
      [
        (() => {
          const good = issue({ usages: client }, root);
          const bytes = Buffer.from(good.der);
          bytes.write('root', bytes.lastIndexOf('jane'));
          return { ...good, der: bytes };
        })(),
      ],
      unknown,
    ],
    [
      'no certificate at all',
      [{ ...self, der: Uint8Array.of(0x30, 1, 2) }],
      'x509: malformed client certificate',
    ],
  ];
  for (const [what, chain, expected] of rows) assert.equal(await outcome(chain), expected, what);
});

test('auth §2.9 (6): who the subject is', async () => {
  const of = (...attributes: readonly Attribute[]) => [
    issue({ subject: subjectOf(...attributes), usages: client }, root),
  ];
  const cn = (name: string) => text(commonName, name);
  const o = (name: string) => text(organization, name);
  const rows: [what: string, chain: readonly Identity[], expected: string][] = [
    ['a name and a group', of(o('dev'), cn('jane')), 'jane [dev]'],
    ['groups in their order', of(o('b'), o('a'), cn('jane'), o('c')), 'jane [b a c]'],
    ['the last of two names', of(cn('root'), cn('jane')), 'jane []'],
    ['no name', of(o('system:masters')), 'nobody: the certificate has no common name'],
    ['an empty name', of(cn(''), o('a')), 'nobody: the certificate has no common name'],
    [
      'a name that is no text',
      of([commonName, encode.bitString(Uint8Array.of(1))]),
      'nobody: the certificate has no common name',
    ],
    ['a name in another script', of(cn('аdmin')), 'аdmin []'],
    ['a composed letter', of(cn('caf\u00e9')), 'caf\u00e9 []'],
    ['the same, decomposed', of(cn('cafe\u0301')), 'cafe\u0301 []'],
    ['upper case', of(cn('JANE'), o('System:Masters')), 'JANE [System:Masters]'],
    ['a group with a comma', of(cn('jane'), o('a,system:masters')), 'jane [a,system:masters]'],
    ['a name with a zero', of(cn('root\u0000.evil')), 'root\u0000.evil []'],
  ];
  for (const [what, chain, expected] of rows) assert.equal(await outcome(chain), expected, what);
  const [leaf] = of(o('dev'), cn('jane'));
  assert.ok(leaf !== undefined);
  const result = await ask([leaf]);
  assert.ok(result.outcome === 'authenticated');
  const fingerprint = createHash('sha256').update(leaf.der).digest('hex');
  assert.deepEqual(result.user.extra, {
    'authentication.kubernetes.io/credential-id': [`X509SHA256=${fingerprint}`],
  });
});

test('auth §2.9 (7): the uid in a subject', async () => {
  const of = (...uids: readonly Uint8Array[]) => [
    issue(
      {
        subject: subjectOf(
          text(commonName, 'jane'),
          ...uids.map((value): Attribute => [userUid, value]),
        ),
        usages: client,
      },
      root,
    ),
  ];
  const rows: [what: string, chain: readonly Identity[], release: string, expected: string][] = [
    ['one', of(encode.utf8('u-1')), '1.36', 'jane [] u-1'],
    ['one, before the gate', of(encode.utf8('u-1')), '1.32', 'jane []'],
    [
      'two',
      of(encode.utf8('u-1'), encode.utf8('u-2')),
      '1.36',
      'expected 1 UID, but found multiple: [u-1 u-2]',
    ],
    ['two, before the gate', of(encode.utf8('u-1'), encode.utf8('u-2')), '1.32', 'jane []'],
    ['an empty one', of(encode.utf8('')), '1.36', 'UID cannot be an empty string'],
    [
      'no text',
      of(encode.bitString(Uint8Array.of(1))),
      '1.36',
      'unable to parse UID into a string',
    ],
  ];
  for (const [what, chain, release, expected] of rows)
    assert.equal(await outcome(chain, release), expected, what);
});

test('authorities may change while the server runs', async () => {
  const other = authority();
  let bundle = writePem('CERTIFICATE', root.der);
  const authenticator = createClientCertificateAuthenticator({
    clientCa: { current: () => bundle },
    clock: createStoppedClock(nowMs),
    features: createFeatures({}),
  });
  const whoIs = async (by: Identity) => {
    const leaf = issue({ usages: client }, by);
    const request = createTestRequest({ certificates: [leaf.der] });
    return (await authenticator.authenticate(request, noDecisionTrace)).outcome;
  };
  assert.deepEqual([await whoIs(root), await whoIs(other)], ['authenticated', 'rejected']);
  bundle = writePem('CERTIFICATE', other.der);
  assert.deepEqual([await whoIs(root), await whoIs(other)], ['rejected', 'authenticated']);
  for (const bad of [
    '',
    'nothing',
    '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
  ]) {
    bundle = bad;
    assert.deepEqual([await whoIs(root), await whoIs(other)], ['rejected', 'authenticated']);
  }
});

test('the trace names the certificate and the check, and lifetimes are measured', async () => {
  const seen: number[] = [];
  const authenticator = createClientCertificateAuthenticator({
    clientCa: writePem('CERTIFICATE', root.der),
    clock: createStoppedClock(nowMs),
    features: createFeatures({}),
    observeExpiration: (seconds) => seen.push(seconds),
  });
  const steps = async (leaf: Identity | undefined) => {
    const trace = createDecisionTrace();
    const certificates = leaf === undefined ? [] : [leaf.der];
    await authenticator.authenticate(createTestRequest({ certificates }), trace);
    return trace.steps().map(({ outcome: result, reason, detail }) => [result, reason, detail]);
  };
  const [[, reason, detail] = []] = await steps(
    issue({ usages: client, notAfterMs: nowMs - 60_000 }, root),
  );
  assert.match(
    String(reason),
    /^verifying certificate SN=\d+ failed: x509: certificate has expired/,
  );
  assert.deepEqual(detail, { check: 'chain' });
  assert.deepEqual(await steps(undefined), [
    ['no-opinion', 'the client presented no certificate', undefined],
  ]);
  await steps(issue({ usages: client }, root));
  assert.deepEqual(seen, [-60, 3600]);
});
