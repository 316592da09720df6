import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSeededRandom, systemClock } from '@keelson/apimachinery';
import { createCertificateAuthority } from '../../authentication/certificates/certificate-authority.ts';
import { runCreate, runUpdate } from '../testing/run-strategy.ts';
import { createCertificatesStrategies } from './strategies.ts';

const { clustertrustbundles: strategy = {} } = createCertificatesStrategies(async () => false);
const authority = createCertificateAuthority(
  { clock: systemClock, random: createSeededRandom(5) },
  { commonName: 'ca' },
);
const anchor = authority.certificatePem;
const leaf = authority.issueClient({ name: 'p', groups: [], validForMs: 1000 }).certificatePem;
const block = (label: string) => `-----BEGIN ${label}-----\neA==\n-----END ${label}-----\n`;

const bundle = (name: string, spec: object) => ({
  apiVersion: 'certificates.k8s.io/v1beta1',
  kind: 'ClusterTrustBundle',
  metadata: { name },
  spec: { trustBundle: anchor, ...spec },
});
const signerName = 'example.com/signer';
const rows: readonly [name: string, object: object, errors: RegExp[]][] = [
  ['of nobody', bundle('b', {}), []],
  ['of a signer', bundle('example.com:signer:b', { signerName }), []],
  [
    'a signer’s name without the signer',
    bundle('example.com:signer:b', {}),
    [/must not have ":" in its name$/],
  ],
  [
    'a signer without its name',
    bundle('b', { signerName }),
    [/must be named with prefix example.com:signer:$/],
  ],
  [
    'a bad rest of the name',
    bundle('example.com:signer:B', { signerName }),
    [/^metadata.name: .*RFC 1123/],
  ],
  [
    'a signer of no domain',
    bundle('signer:b', { signerName: 'signer' }),
    [/fully qualified domain and path/],
  ],
  ['text around the anchors', bundle('b', { trustBundle: `our roots\n${anchor}\nthe end` }), []],
  ['nothing', bundle('b', { trustBundle: '' }), [/at least one trust anchor must be provided$/]],
  [
    'an anchor twice',
    bundle('b', { trustBundle: anchor + anchor }),
    [/duplicate trust anchor \(indices \[0 1\]\)$/],
  ],
  [
    'a leaf',
    bundle('b', { trustBundle: anchor + leaf }),
    [/entry 1 does not have the CA bit set$/],
  ],
  [
    'a key',
    bundle('b', { trustBundle: block('PRIVATE KEY') }),
    [/entry 0 has bad block type: PRIVATE KEY$/],
  ],
  [
    'no certificate',
    bundle('b', { trustBundle: block('CERTIFICATE') }),
    [/entry 0 does not parse as X.509$/],
  ],
  [
    'headers',
    bundle('b', { trustBundle: anchor.replace('-----\n', '-----\nA: b\n\n') }),
    [/has PEM block headers$/],
  ],
  [
    'a megabyte and more',
    bundle('b', { trustBundle: 'x'.repeat(1024 * 1024 + 1) }),
    [/^spec.trustBundle: Too long/],
  ],
];

describe('trust bundles', () => {
  for (const [name, object, expected] of rows)
    it(name, () => {
      const { errors } = runCreate(strategy, object);
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
      for (const error of errors) assert.doesNotMatch(error, /BEGIN/);
    });

  it('keep their signer; what is stored is not read again', () => {
    const stored = bundle('example.com:signer:b', { signerName, trustBundle: 'old' });
    assert.deepEqual(runUpdate(strategy, [stored, stored]).errors, []);
    const moved = bundle('example.com:other:b', {
      signerName: 'example.com/other',
      trustBundle: 'old',
    });
    assert.deepEqual(runUpdate(strategy, [moved, stored]).errors, [
      'spec.signerName: Invalid value: "example.com/other": field is immutable',
    ]);
  });
});
