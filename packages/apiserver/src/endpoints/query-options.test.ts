// The checks of option objects in query strings: what is taken, and what is refused with which
// code.

import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { isStatusError } from '@keelson/apimachinery';
import {
  parseDeleteQuery,
  parseGoDurationMs,
  parseListOptions,
  parsePatchOptions,
  parseWriteOptions,
} from './query-options.ts';

const query = (text: string) => new URLSearchParams(text);
const refusal = (code: number, message: RegExp) => (error: unknown) =>
  isStatusError(error) && error.status.code === code && message.test(error.status.message ?? '');

describe('list and watch options', () => {
  const refused: readonly [string, boolean, number, RegExp][] = [
    ['limit=x', false, 400, /ParseInt/],
    ['limit=99999999999999999999', false, 400, /out of range/],
    ['resourceVersionMatch=Exact', false, 422, /forbidden unless resourceVersion is provided/],
    [
      'resourceVersionMatch=Exact&resourceVersion=0',
      false,
      422,
      /forbidden for resourceVersion "0"/,
    ],
    ['resourceVersionMatch=x&resourceVersion=1', false, 422, /Unsupported value/],
    ['sendInitialEvents=true', false, 422, /forbidden for list/],
    ['sendInitialEvents=true', true, 422, /requires setting resourceVersionMatch to NotOlderThan/],
    ['resourceVersionMatch=NotOlderThan', true, 422, /forbidden for watch unless/],
    ['continue=x', true, 422, /forbidden when continue is provided/],
  ];
  for (const [text, isWatch, code, message] of refused)
    it(`${isWatch ? 'watch' : 'list'} ${text} is ${code}`, () => {
      assert.throws(() => parseListOptions(query(text), isWatch), refusal(code, message));
    });
  it('takes what is right', () => {
    const options = parseListOptions(query('limit=5&continue=x&labelSelector=a%3Db'), false);
    assert.deepEqual([options.limit, options.continue, options.labelSelector], [5, 'x', 'a=b']);
    assert.equal(
      parseListOptions(query('allowWatchBookmarks=false'), true).allowWatchBookmarks,
      false,
    );
    assert.equal(parseListOptions(query('allowWatchBookmarks'), true).allowWatchBookmarks, true);
  });
});

describe('write options', () => {
  const refused: readonly [string, RegExp][] = [
    ['dryRun=x', /dryRun/],
    ['dryRun=All&dryRun=x', /dryRun/],
    ['fieldValidation=x', /fieldValidation/],
    [`fieldManager=${'m'.repeat(129)}`, /fieldManager: Too long/],
    ['fieldManager=a%00', /invalid character U\+0000 \(at position 1\)/],
  ];
  for (const [text, message] of refused)
    it(`${text.slice(0, 40)} is 422`, () => {
      assert.throws(() => parseWriteOptions(query(text), 'CreateOptions'), refusal(422, message));
    });
  it('takes what is right', () => {
    const options = parseWriteOptions(
      query(`dryRun=All&fieldManager=${'m'.repeat(128)}`),
      'UpdateOptions',
    );
    assert.deepEqual(
      [options.dryRun, options.fieldManager.length, options.fieldValidation],
      [true, 128, 'Warn'],
    );
  });
  it('force is for apply, which needs a manager', () => {
    assert.throws(
      () => parsePatchOptions(query('force=true'), false),
      refusal(422, /may not be specified for non-apply patch/),
    );
    assert.throws(
      () => parsePatchOptions(query('force=true'), true),
      refusal(422, /is required for apply patch/),
    );
    assert.equal(parsePatchOptions(query('force=true&fieldManager=m'), true).force, true);
  });
});

describe('delete options', () => {
  const refused: readonly [string, number, RegExp][] = [
    ['propagationPolicy=x', 422, /propagationPolicy/],
    ['propagationPolicy=Orphan&orphanDependents=true', 422, /cannot be both set/],
    ['gracePeriodSeconds=x', 400, /ParseInt/],
    ['dryRun=x', 422, /dryRun/],
  ];
  for (const [text, code, message] of refused)
    it(`${text} is ${code}`, () => {
      assert.throws(() => parseDeleteQuery(query(text)), refusal(code, message));
    });
});

describe('durations', () => {
  const rows: readonly [string, number | undefined][] = [
    ['1s', 1000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['0', 0],
    ['-2ms', -2],
    ['1', undefined],
    ['', undefined],
    ['1x', undefined],
    ['s', undefined],
    ['1 s', undefined],
  ];
  for (const [text, ms] of rows)
    it(`${JSON.stringify(text)} is ${ms}`, () => assert.equal(parseGoDurationMs(text), ms));
});
