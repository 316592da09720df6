import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  canonicalGoDuration,
  DurationError,
  formatHumanDuration,
  formatShortHumanDuration,
  parseGoDuration,
} from './go-duration.ts';

describe('Go durations', () => {
  const rows: [string, string][] = [
    ['0', '0s'],
    ['-0', '0s'],
    ['5s', '5s'],
    ['+5s', '5s'],
    ['1h', '1h0m0s'],
    ['90m', '1h30m0s'],
    ['1h15m30.918ms', '1h15m0.030918s'],
    ['1.5ms', '1.5ms'],
    ['100us', '100µs'],
    ['100µs', '100µs'],
    ['1ns', '1ns'],
    ['.5s', '500ms'],
    ['1.s', '1s'],
    ['-1.5h', '-1h30m0s'],
    ['-9223372036854775808ns', '-2562047h47m16.854775808s'],
  ];
  for (const [given, want] of rows) {
    it(`${given} → ${want}`, () => assert.equal(canonicalGoDuration(given), want));
  }
  const bad: [string, string][] = [
    ['', 'time: invalid duration ""'],
    ['-', 'time: invalid duration "-"'],
    ['3', 'time: missing unit in duration "3"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1s 2s', 'time: unknown unit "s " in duration "1s 2s"'],
    ['s', 'time: invalid duration "s"'],
    ['.s', 'time: invalid duration ".s"'],
    ['é', 'time: invalid duration "\\xc3\\xa9"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
  ];
  for (const [given, message] of bad) {
    it(`refuses ${JSON.stringify(given)}`, () => {
      assert.throws(() => parseGoDuration(given), new DurationError(message));
    });
  }
});

describe('human durations', () => {
  const s = 1000;
  const m = 60 * s;
  const h = 60 * m;
  const d = 24 * h;
  const rows: [number, string, string][] = [
    [-2 * s, '<invalid>', '<invalid>'],
    [-1.5 * s, '0s', '0s'],
    [0, '0s', '0s'],
    [119 * s, '119s', '1m'],
    [2 * m, '2m', '2m'],
    [5 * m + 3 * s, '5m3s', '5m'],
    [10 * m + 3 * s, '10m', '10m'],
    [179 * m, '179m', '2h'],
    [3 * h, '3h', '3h'],
    [7 * h + 15 * m, '7h15m', '7h'],
    [47 * h, '47h', '1d'],
    [2 * d + 3 * h, '2d3h', '2d'],
    [2 * d, '2d', '2d'],
    [8 * d + 3 * h, '8d', '8d'],
    [400 * d, '400d', '1y'],
    [2 * 365 * d + 30 * d, '2y30d', '2y'],
    [3 * 365 * d, '3y', '3y'],
    [9 * 365 * d + 30 * d, '9y', '9y'],
  ];
  for (const [ms, long, short] of rows) {
    it(`${ms} ms`, () => {
      assert.equal(formatHumanDuration(ms), long);
      assert.equal(formatShortHumanDuration(ms), short);
    });
  }
});
