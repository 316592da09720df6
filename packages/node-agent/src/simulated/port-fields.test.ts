import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@keelson/apimachinery';
import { BehaviourError } from './behaviour-error.ts';
import { portAnswers } from './port-fields.ts';

const everyPath = (body: string) => [{ path: '*', status: 200, headers: {}, body }];

test('ports are a list, or lines', () => {
  const rows: readonly (readonly [JsonValue, unknown])[] = [
    [[], []],
    ['', []],
    [[{ port: 7, tcp: 'hi\r\n' }], [{ port: 7, text: 'hi\r\n' }]],
    [[{ port: 80, http: 'hello' }], [{ port: 80, http: everyPath('hello') }]],
    [
      [{ port: 80, http: [{ path: '/a', status: 404, headers: { 'X-A': 'b' } }, {}] }],
      [
        {
          port: 80,
          http: [{ path: '/a', status: 404, headers: { 'x-a': 'b' }, body: '' }, ...everyPath('')],
        },
      ],
    ],
    [
      '8080 http hello, world\n\n7 tcp\n 9 tcp  x\n',
      [
        { port: 8080, http: everyPath('hello, world') },
        { port: 7, text: '' },
        { port: 9, text: ' x' },
      ],
    ],
  ];
  for (const [value, expected] of rows) assert.deepEqual(portAnswers(value), expected);
});

test('what is no port says why', () => {
  const rows: readonly (readonly [JsonValue, RegExp])[] = [
    [80, /a list of at most 100 ports/],
    [Array.from({ length: 101 }, () => ({ port: 1, tcp: '' })), /a list of at most 100 ports/],
    [[null], /a port is an object/],
    [[{ port: 0, tcp: '' }], /from 1 to 65535/],
    [[{ port: 65_536, tcp: '' }], /from 1 to 65535/],
    [[{ port: '80', tcp: '' }], /from 1 to 65535/],
    [[{ port: 80 }], /needs tcp or http/],
    [[{ port: 80, tcp: '', http: '' }], /needs tcp or http/],
    [[{ port: 80, udp: '' }], /unknown field "udp" of a port/],
    [[{ port: 80, tcp: 1 }], /tcp: a text is expected/],
    [[{ port: 80, http: 1 }], /http: a text or at most 1000 answers/],
    [[{ port: 80, http: [{ status: 101 }] }], /from 200 to 599/],
    [[{ port: 80, http: [{ code: 200 }] }], /unknown field "code" of an answer/],
    [[{ port: 80, http: [{ headers: [] }] }], /headers are an object/],
    [[{ port: 80, http: [{ headers: { 'a b': 'c' } }] }], /"a b" is no header/],
    [[{ port: 80, http: [{ headers: { a: 'b\r\nc: d' } }] }], /"a" is no header, or/],
    [[{ port: 80, http: [{ headers: { 'Content-Length': '1' } }] }], /follows from the body/],
    ['http 80', /8080 http hello/],
    ['80 udp x', /8080 http hello/],
    ['80 httphello', /8080 http hello/],
  ];
  for (const [value, message] of rows)
    assert.throws(
      () => portAnswers(value),
      (error) => error instanceof BehaviourError && message.test(error.message),
      JSON.stringify(value).slice(0, 80),
    );
});
