import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  createQuantity,
  formatQuantity,
  parseQuantity,
  QuantityError,
  quantityMilliValue,
  quantityToNumber,
  quantityValue,
  roundUpQuantity,
  subtractQuantities,
} from './quantity.ts';

const formatWrong = /^QuantityError: quantities must match the regular expression '\^\(\[/;
const suffixWrong = /^QuantityError: unable to parse quantity's suffix$/;

describe('canonicalQuantity', () => {
  const rows: [string | number, string][] = [
    ['0', '0'],
    ['0Ki', '0'],
    ['-0', '0'],
    ['0.0', '0'],
    ['1', '1'],
    [1, '1'],
    [0.5, '500m'],
    [1.5, '1500m'],
    [2000, '2k'],
    [1e21, '1e+21'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1025Mi', '1025Mi'],
    ['0.5Ki', '512'],
    ['512Mi', '512Mi'],
    ['1000Ki', '1000Ki'],
    ['1000Mi', '1000Mi'],
    ['1000k', '1M'],
    ['1000E', '1e21'],
    ['1e3', '1e3'],
    ['1E3', '1E3'],
    ['1000e3', '1e6'],
    ['10e3', '10e3'],
    ['1e4', '10e3'],
    ['1e-3', '1e-3'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['1.0000000001', '1000000001n'],
    ['9223372036854775807', '9223372036854775807'],
    ['9223372036854775808', '9223372036854775808'],
    ['8Ei', '9223372036854775807'],
    ['100Ei', '9223372036854775807'],
    ['-100Ei', '-9223372036854775807'],
    ['0.001Ki', '1024m'],
    ['0.0001Ki', '102400u'],
    [' 5Gi ', '5Gi'],
    // The parser takes these for canonical, so Kubernetes writes them back.
    ['1.500', '1.500'],
    ['+1', '+1'],
    ['01', '01'],
    ['1.', '1.'],
    ['1e+3', '1e+3'],
    ['1.0', '1'],
    ['.', '0'],
    ['+', '0'],
    ['E5', '0'],
  ];
  for (const [given, want] of rows) {
    it(`${JSON.stringify(given)} → ${want}`, () => assert.equal(canonicalQuantity(given), want));
  }

  for (const bad of ['', 'x', '1 000', '1.2.3', '1,5', 'Infinity', 'NaN', '1Gi ·', '0x10']) {
    it(`refuses ${JSON.stringify(bad)}`, () => {
      assert.throws(() => canonicalQuantity(bad), formatWrong);
    });
  }
  for (const bad of ['1e', '1ki', '1Kii', '--1', '1mm', '1e-', '1E99999999999999999999']) {
    it(`refuses the suffix of ${bad}`, () => {
      assert.throws(() => canonicalQuantity(bad), suffixWrong);
    });
  }
  it('refuses texts beyond the bound in linear time', () => {
    assert.throws(() => canonicalQuantity(`${'0'.repeat(1_000_000)}!`), QuantityError);
    assert.throws(() => canonicalQuantity('9'.repeat(1_000_000)), QuantityError);
  });

  it('is idempotent', () => {
    const texts = fc.tuple(
      fc.integer({ min: -(10 ** 9), max: 10 ** 9 }),
      fc.constantFrom(
        '',
        'n',
        'u',
        'm',
        'k',
        'M',
        'G',
        'T',
        'P',
        'E',
        'Ki',
        'Mi',
        'Gi',
        'Ei',
        'e3',
      ),
    );
    fc.assert(
      fc.property(texts, ([n, suffix]) => {
        const once = canonicalQuantity(`${n}${suffix}`);
        assert.equal(canonicalQuantity(once), once);
        const exact = formatQuantity({ ...parseQuantity(once), text: undefined });
        assert.equal(compareQuantities(parseQuantity(exact), parseQuantity(once)), 0);
      }),
    );
  });
});

describe('quantity arithmetic', () => {
  const q = parseQuantity;
  it('compares across notations', () => {
    assert.equal(compareQuantities(q('1'), q('1000m')), 0);
    assert.equal(compareQuantities(q('1Ki'), q('1k')), 1);
    assert.equal(compareQuantities(q('-1'), q('1')), -1);
    assert.equal(compareQuantities(q('-2'), q('-1')), -1);
    assert.equal(compareQuantities(q('0'), q('-1n')), 1);
    assert.equal(compareQuantities(q('1e2000000000'), q('1E')), 1);
    assert.equal(compareQuantities(q('-1e2000000000'), q('1E')), -1);
    assert.equal(compareQuantities(q('999m'), q('1')), -1);
  });
  it('adds and subtracts exactly', () => {
    assert.equal(formatQuantity(addQuantities(q('1Gi'), q('512Mi'))), '1536Mi');
    assert.equal(formatQuantity(addQuantities(q('0'), q('1Gi'))), '1Gi');
    assert.equal(formatQuantity(addQuantities(q('900m'), q('100m'))), '1');
    assert.equal(formatQuantity(subtractQuantities(q('1'), q('1n'))), '999999999n');
    assert.equal(formatQuantity(subtractQuantities(q('1'), q('1'))), '0');
    assert.equal(formatQuantity(addQuantities(q('1Mi'), q('500m'))), '1048576500m');
  });
  it('bounds the work for absurd exponents', () => {
    assert.equal(formatQuantity(addQuantities(q('1e2000000000'), q('1'))), '100e1999999998');
    assert.equal(formatQuantity(q('1e-2000000000')), '1e-9');
  });
  it('scales, rounding away from zero', () => {
    assert.equal(quantityValue(q('1001m')), 2n);
    assert.equal(quantityValue(q('-1001m')), -2n);
    assert.equal(quantityMilliValue(q('1.5')), 1500n);
    assert.equal(quantityMilliValue(q('1n')), 1n);
    assert.equal(quantityValue(q('2Gi')), 2147483648n);
    assert.equal(quantityToNumber(q('2.5k')), 2500);
    assert.equal(formatQuantity(roundUpQuantity(q('0.0001'), -3)), '1m');
    assert.equal(formatQuantity(roundUpQuantity(q('1.500'), -3)), '1.500');
    assert.equal(formatQuantity(createQuantity(2048, 'BinarySI')), '2Ki');
    assert.equal(formatQuantity(createQuantity(1000, 'BinarySI')), '1k');
  });
});
