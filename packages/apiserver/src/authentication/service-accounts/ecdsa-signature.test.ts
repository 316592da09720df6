import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { test } from 'node:test';
import { joinSignatureNumbers, numberBytes } from './ecdsa-signature.ts';

const curves = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const;
const text = Buffer.from('what is signed');

for (const [algorithm, namedCurve] of Object.entries(curves))
  test(`${algorithm}: what was signed in one spelling verifies in the other`, () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
    const bytes = numberBytes[algorithm as keyof typeof numberBytes];
    // Numbers that need fewer bytes, or one more, are about half of all.
    for (let i = 0; i < 300; i++) {
      const joined = joinSignatureNumbers(sign('sha256', text, privateKey), bytes);
      assert.equal(joined.length, 2 * bytes);
      const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
      assert.ok(verify('sha256', text, key, joined));
    }
  });

test('numbers are put where they belong', () => {
  const rows: [der: string, joined: string][] = [
    ['3006 0201 01 0201 02', '0001 0002'],
    ['3008 0202 7fff 0202 0100', '7fff 0100'],
    ['300a 0203 00ffff 0203 008000', 'ffff 8000'],
    ['3006 0201 00 0201 00', '0000 0000'],
  ];
  const hex = (digits: string) => Buffer.from(digits.replaceAll(' ', ''), 'hex');
  for (const [der, joined] of rows)
    assert.deepEqual(joinSignatureNumbers(hex(der), 2), hex(joined), der);
});

test('what is no signature', () => {
  const rows: [what: string, der: string][] = [
    ['nothing', ''],
    ['another value', '3106020101020102'],
    ['one number', '3003020101'],
    ['three numbers', '3009020101020102020103'],
    ['a text in place of a number', '30060201010c0102'],
    ['a number that is too large', '3009020300ffff020301ffff'],
    ['more than the signature', '300602010102010200'],
  ];
  for (const [what, der] of rows)
    assert.throws(
      () => joinSignatureNumbers(Buffer.from(der, 'hex'), 2),
      { name: 'DerError' },
      what,
    );
});
