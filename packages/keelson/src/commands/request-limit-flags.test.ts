import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import {
  addRequestLimitFlags,
  readRequestLimits,
  type RequestLimitFlags,
} from './request-limit-flags.ts';

function parse(...args: string[]): RequestLimitFlags {
  const command = addRequestLimitFlags(new Command())
    .exitOverride()
    .configureOutput({
      writeErr: () => {},
    });
  return command.parse(args, { from: 'user' }).opts<RequestLimitFlags>();
}

describe('flags that bound requests', () => {
  it('have the defaults of kube-apiserver', () => {
    const flags = parse();
    assert.equal(flags.enablePriorityAndFairness, true);
    const { readOnlyInFlightMax, mutatingInFlightMax, requestTimeoutMs, watchTimeoutMinMs } =
      readRequestLimits(flags).limits;
    assert.deepEqual(
      [readOnlyInFlightMax, mutatingInFlightMax, requestTimeoutMs, watchTimeoutMinMs],
      [400, 200, 60_000, 1_800_000],
    );
  });

  it('are read', () => {
    const flags = parse(
      '--max-requests-inflight=7',
      '--max-mutating-requests-inflight=0',
      '--enable-priority-and-fairness=false',
      '--request-timeout=1m30s',
      '--min-request-timeout=10',
    );
    assert.equal(flags.enablePriorityAndFairness, false);
    const { limits } = readRequestLimits(flags);
    assert.deepEqual(
      [limits.readOnlyInFlightMax, limits.mutatingInFlightMax, limits.requestTimeoutMs],
      [7, 0, 90_000],
    );
    assert.equal(limits.watchTimeoutMinMs, 10_000);
  });

  const refused: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'a negative number',
      ['--max-requests-inflight=-1'],
      /^--max-requests-inflight can not be negative value$/,
    ],
    [
      'a negative duration',
      ['--request-timeout=-1s'],
      /^--request-timeout can not be negative value$/,
    ],
    [
      'no seats to share',
      ['--max-requests-inflight=0', '--max-mutating-requests-inflight=0'],
      /MaxRequestsInFlight=0 and MaxMutatingRequestsInFlight=0; they must add up/,
    ],
    ['no number', ['--max-requests-inflight=many'], /whole number/],
    ['no boolean', ['--enable-priority-and-fairness=perhaps'], /true or false/],
    ['no duration', ['--request-timeout=10'], /duration/],
  ];
  for (const [name, args, message] of refused)
    it(`refuse ${name}`, () => {
      assert.throws(() => readRequestLimits(parse(...args)), { message });
    });
});
