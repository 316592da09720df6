import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  negotiateProtocol,
  remoteCommandProtocols,
  tunnelledProtocols,
  tunnelProtocolOf,
} from './stream-protocols.ts';

const header = 'x-stream-protocol-version';

test('the first protocol of the client that the server knows is chosen', () => {
  const known = ['a', 'b'];
  const rows: readonly (readonly [string | string[], string])[] = [
    ['b', 'b'],
    ['b,a', 'b'],
    ['x, a', 'a'],
    [['x', 'b', 'a'], 'b'],
  ];
  for (const [offered, chosen] of rows)
    assert.equal(negotiateProtocol({ [header]: offered }, known), chosen);
});

test('node §12.1: without a common protocol the answer says what there is', () => {
  const rows: readonly (readonly [Record<string, string>, number, string])[] = [
    [
      { host: 'n1', accept: '*/*', upgrade: 'SPDY/3.1' },
      400,
      'unable to upgrade: header X-Stream-Protocol-Version does not exist in request with 2 headers',
    ],
    [{ [header]: '' }, 400, 'unable to upgrade: header X-Stream-Protocol-Version is empty'],
    [{ [header]: ' , ' }, 400, 'unable to upgrade: header X-Stream-Protocol-Version is empty'],
    [
      { [header]: 'v9.channel.k8s.io, x' },
      403,
      'unable to upgrade: unable to negotiate protocol: client supports [v9.channel.k8s.io x], server accepts [v5.channel.k8s.io v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]',
    ],
  ];
  for (const [headers, status, text] of rows) {
    const problem = negotiateProtocol(headers, remoteCommandProtocols);
    assert.ok(typeof problem !== 'string');
    assert.deepEqual([problem.status, problem.text], [status, text]);
    const accepted = problem.headers['X-Accepted-Stream-Protocol-Versions'];
    assert.equal(accepted, status === 403 ? remoteCommandProtocols.join(', ') : undefined);
  }
});

test('a tunnelled protocol is Kubernetes’ own behind the prefix', () => {
  const offered = ['SPDY/3.1+portforward.k8s.io', 'SPDY/3.1+other', 'portforward.k8s.io', 'v5'];
  assert.deepEqual(tunnelledProtocols(offered), ['portforward.k8s.io']);
  assert.equal(tunnelProtocolOf('portforward.k8s.io'), 'SPDY/3.1+portforward.k8s.io');
});
