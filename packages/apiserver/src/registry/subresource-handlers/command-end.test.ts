import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusErrors } from '@keelson/apimachinery';
import { endOfCommand, failureOf } from './command-end.ts';

const exitStatus = (message: unknown) => ({
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: {
    causes: [
      { reason: 'Other', message: '1' },
      { reason: 'ExitCode', message },
    ],
  },
});

test('what a kubelet says of the end of a command', () => {
  const internal = (message: string) => `500 Internal error occurred: ${message}`;
  const rows: readonly (readonly [protocol: string, said: string | object, expected: string])[] = [
    ['v4.channel.k8s.io', '', '200 Success'],
    ['v4.channel.k8s.io', { metadata: {}, status: 'Success' }, '200 Success'],
    ['v5.channel.k8s.io', { status: 'Success' }, '200 Success'],
    ['v2.channel.k8s.io', '', '200 Success'],
    ['channel.k8s.io', 'broken', internal('error executing remote command: broken')],
    [
      'v2.channel.k8s.io',
      { status: 'Success' },
      internal('error executing remote command: {"status":"Success"}'),
    ],
    [
      'v4.channel.k8s.io',
      exitStatus('7'),
      '200 command terminated with non-zero exit code: command terminated with exit code 7',
    ],
    [
      'v4.channel.k8s.io',
      exitStatus('256'),
      internal('error stream protocol error: no ExitCode cause given'),
    ],
    [
      'v4.channel.k8s.io',
      exitStatus(7),
      internal('error stream protocol error: no ExitCode cause given'),
    ],
    [
      'v4.channel.k8s.io',
      { status: 'Failure', reason: 'NonZeroExitCode' },
      internal('error stream protocol error: no ExitCode cause given'),
    ],
    [
      'v4.channel.k8s.io',
      {
        status: 'Failure',
        reason: 'InternalError',
        message: 'error executing command in container: x',
      },
      internal('error executing command in container: x'),
    ],
    [
      'v4.channel.k8s.io',
      { status: 'Odd' },
      internal('error stream protocol error: unknown error'),
    ],
    ['v4.channel.k8s.io', '{', internal('error stream protocol error: invalid JSON in "{"')],
    ['v4.channel.k8s.io', '[]', internal('error stream protocol error: invalid JSON in "[]"')],
  ];
  for (const [protocol, said, expected] of rows) {
    const text = typeof said === 'string' ? said : JSON.stringify(said);
    const { code, status } = endOfCommand(protocol, text);
    const { message = 'Success' } = status as { message?: string };
    assert.equal(`${code} ${message}`, expected, text);
  }
});

test('an exit code is told as kubelets tell it', () => {
  assert.deepEqual(endOfCommand('v5.channel.k8s.io', JSON.stringify(exitStatus('137'))).status, {
    metadata: {},
    status: 'Failure',
    message: 'command terminated with non-zero exit code: command terminated with exit code 137',
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: '137' }] },
  });
});

test('what else fails is an internal error, unless it has a status of its own', () => {
  assert.deepEqual(failureOf(new Error('no route')), {
    code: 500,
    status: {
      metadata: {},
      status: 'Failure',
      message: 'Internal error occurred: no route',
      reason: 'InternalError',
      details: { causes: [{ message: 'no route' }] },
      code: 500,
    },
  });
  const { code, status } = failureOf(statusErrors.badRequest('odd'));
  assert.equal(code, 400);
  assert.equal((status as { message: string }).message, 'odd');
});
