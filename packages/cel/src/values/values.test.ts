import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { describeResult } from '../../testing/expression-table.ts';
import { formatDuration, parseDuration } from './duration-text.ts';
import { isEqual } from './equality.ts';
import { fromJson } from './json.ts';
import { celList, concatLists, elementsOf, lazyList } from './list.ts';
import { celMap, entriesOf, lazyMap, withEntry } from './map.ts';
import { formatFixed, formatPlain, formatShortest, parseFloatText } from './number-text.ts';
import { celUint } from './scalars.ts';
import { calendarTime, formatTimestamp, parseTimestamp } from './timestamp-text.ts';
import { isList } from './value.ts';

describe('lists', () => {
  it('adapt each element once, when it is read', () => {
    const adapted: number[] = [];
    const list = lazyList([1, 2, 3], (element) => {
      adapted.push(element);
      return BigInt(element);
    });
    assert.equal(list.size, 3);
    assert.deepEqual(adapted, []);
    assert.deepEqual([list.get(1), list.get(1)], [2n, 2n]);
    assert.deepEqual(adapted, [2]);
    assert.throws(() => list.get(3), RangeError);
  });

  it('append without copying, and without recursion', () => {
    let list = celList([]);
    for (let index = 0; index < 50_000; index++) {
      const next = concatLists(list, celList([BigInt(index)]));
      assert.ok(isList(next));
      list = next;
    }
    assert.equal(list.size, 50_000);
    assert.equal(list.get(49_999), 49_999n);
    assert.deepEqual([...elementsOf(concatLists(celList([1n]), celList([])) as typeof list)], [1n]);
  });
});

describe('maps', () => {
  it('find equal numbers of any type', () => {
    const map = celMap([
      [1n, 'one'],
      ['1', 'text'],
      [true, 'yes'],
    ]);
    assert.equal(map.get(celUint(1n)), 'one');
    assert.equal(map.get(1), 'one');
    assert.equal(map.get(1.5), undefined);
    assert.equal(map.get('1'), 'text');
    assert.equal(map.get(true), 'yes');
    assert.equal(map.get(null), undefined);
  });

  it('see own properties only', () => {
    const map = lazyMap(JSON.parse('{"__proto__": 1, "a": null}'), fromJson);
    assert.equal(map.size, 2);
    assert.equal(map.get('__proto__'), 1n);
    assert.equal(map.get('a'), null);
    assert.equal(map.get('toString'), undefined);
    assert.equal(lazyMap({ a: undefined }, fromJson).size, 0);
  });

  it('stay as they were when an entry is added', () => {
    const first = withEntry(celMap([]), 'a', 1n);
    const second = withEntry(first, 'b', 2n);
    const other = withEntry(first, 'b', 3n);
    assert.deepEqual([...entriesOf(first)], [['a', 1n]]);
    assert.equal(first.get('b'), undefined);
    assert.equal(second.get('b'), 2n);
    assert.equal(other.get('b'), 3n);
    assert.equal(second.size, 2);
  });
});

describe('JSON', () => {
  it('keeps whole numbers as integers', () => {
    const value = fromJson({ a: [1, 1.5, 2 ** 60, 2 ** 63, 'x', null, true], b: {} });
    assert.equal(
      describeResult(value),
      '{"a": [1, 1.5, 1152921504606846976, 9223372036854776000.0, "x", null, true], "b": {}}',
    );
  });

  it('is equal to itself and not to something else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const text = JSON.parse(JSON.stringify(json));
        assert.ok(isEqual(fromJson(text), fromJson(structuredClone(text))));
        assert.ok(!isEqual(fromJson([text]), fromJson([text, 1])));
      }),
      { seed: 1 },
    );
  });
});

describe('durations as text', () => {
  const rows: readonly (readonly [text: string, nanoseconds: bigint | undefined])[] = [
    ['0', 0n],
    ['1h30m', 5_400_000_000_000n],
    ['-1.5s', -1_500_000_000n],
    ['+1ms', 1_000_000n],
    ['.5us', 500n],
    ['1µs', 1000n],
    ['1.0000000000000000000000001s', 1_000_000_000n],
    ['2562047h47m16.854775807s', 2n ** 63n - 1n],
    ['2562047h47m16.854775808s', undefined],
    ['-2562047h47m16.854775808s', -(2n ** 63n)],
    ['', undefined],
    ['1', undefined],
    ['s', undefined],
    ['.s', undefined],
    ['1x', undefined],
    ['1 s', undefined],
    ['--1s', undefined],
  ];
  for (const [text, expected] of rows) {
    it(`reads ${JSON.stringify(text)}`, () => assert.equal(parseDuration(text), expected));
  }

  it('prints seconds', () => {
    assert.equal(formatDuration(5_401_500_000_000n), '5401.5s');
    assert.equal(formatDuration(-1n), '-0.000000001s');
    assert.equal(formatDuration(0n), '0s');
  });
});

describe('timestamps as text', () => {
  const rows: readonly (readonly [text: string, printed: string | undefined])[] = [
    ['2024-02-29T12:00:00Z', '2024-02-29T12:00:00Z'],
    ['2024-02-29T12:00:00.120+02:00', '2024-02-29T10:00:00.12Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z'],
    ['0001-01-01T00:00:00+01:00', undefined],
    ['2023-02-29T00:00:00Z', undefined],
    ['2024-13-01T00:00:00Z', undefined],
    ['2024-01-01T24:00:00Z', undefined],
    ['2024-01-01', undefined],
    ['2024-01-01T00:00:00', undefined],
    ['nope', undefined],
  ];
  for (const [text, printed] of rows) {
    it(`reads ${text}`, () => {
      const nanoseconds = parseTimestamp(text);
      assert.equal(nanoseconds === undefined ? undefined : formatTimestamp(nanoseconds), printed);
    });
  }

  it('have parts in a zone', () => {
    const noon = parseTimestamp('2024-07-01T12:00:00.250Z') ?? 0n;
    assert.equal(calendarTime(noon, 'America/New_York')?.hours, 8);
    assert.equal(calendarTime(noon, '+05:30')?.minutes, 30);
    assert.equal(calendarTime(noon, '-02:00')?.hours, 10);
    assert.equal(calendarTime(noon, '')?.milliseconds, 250);
    assert.equal(calendarTime(noon, 'Nowhere/Land'), undefined);
    assert.equal(calendarTime(noon, '+1:00:00'), undefined);
    assert.equal(calendarTime(-1n, 'UTC')?.year, 1969);
  });
});

describe('doubles as text', () => {
  it('print as Go prints them', () => {
    const rows = [
      [1.5, '1.5', '1.5'],
      [100000, '100000', '100000'],
      [1e6, '1e+06', '1000000'],
      [1.25e-5, '1.25e-05', '0.0000125'],
      [0.0001, '0.0001', '0.0001'],
      [-0, '-0', '-0'],
      [Infinity, '+Inf', '+Inf'],
      [NaN, 'NaN', 'NaN'],
    ] as const;
    for (const [value, shortest, plain] of rows) {
      assert.equal(formatShortest(value), shortest);
      assert.equal(formatPlain(value), plain);
    }
  });

  it('round by the exact value, halves to even', () => {
    assert.equal(formatFixed(2.5, 0), '2');
    assert.equal(formatFixed(3.5, 0), '4');
    assert.equal(formatFixed(1.005, 2), '1.00');
    assert.equal(formatFixed(-0.05, 1), '-0.1');
    assert.equal(formatFixed(1e22, 1), '10000000000000000000000.0');
  });

  it('read what Go reads', () => {
    const rows: readonly (readonly [string, number | undefined])[] = [
      ['1e3', 1000],
      ['.5', 0.5],
      ['-Inf', -Infinity],
      ['nan', NaN],
      ['0x1p-2', 0.25],
      ['1e999', undefined],
      ['0x1', undefined],
      ['1_000', undefined],
      [' 1', undefined],
      ['', undefined],
    ];
    for (const [text, expected] of rows) assert.equal(parseFloatText(text), expected, text);
  });

  it('read back what is printed', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (value) => {
        assert.equal(parseFloatText(formatShortest(value)), value);
      }),
      { seed: 1 },
    );
  });
});
