// Continue tokens come back from clients, so they are checked as any input.

import { describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { isStatusError } from '@keelson/apimachinery';
import { decodeContinueToken, encodeContinueToken } from './continue-token.ts';

const prefix = 'invalid continue token: continue key is not valid: ';
const encode = (text: string) => Buffer.from(text).toString('base64url');

describe('continue tokens', () => {
  for (const token of [
    { revision: 7, start: 'default/a' },
    { revision: -1, start: 'ns/é' },
  ])
    it(`${JSON.stringify(token)} comes back`, () => {
      assert.deepEqual(decodeContinueToken(encodeContinueToken(token)), token);
    });

  const refused: readonly [string, string, RegExp][] = [
    ['no base64', '!!!', /unexpected end of JSON input/],
    ['no JSON', encode('x'), /invalid character 'x' looking for beginning of value/],
    ['cut JSON', encode('{"v":'), /unexpected end of JSON input/],
    ['null', encode('null'), /does not recognize this encoded version /],
    ['a list', encode('[]'), /cannot unmarshal array/],
    ['a number', encode('1'), /cannot unmarshal number/],
    ['another version', encode('{"v":"v2"}'), /does not recognize this encoded version v2/],
    ['no revision', encode('{"v":"meta.k8s.io/v1","start":"a"}'), /incorrect encoded start/],
    ['revision 0', encode('{"v":"meta.k8s.io/v1","rv":0,"start":"a"}'), /incorrect encoded start/],
    ['no key', encode('{"v":"meta.k8s.io/v1","rv":1}'), /empty encoded start key/],
    [
      'a key of another place',
      encode('{"v":"meta.k8s.io/v1","rv":1,"start":"../secrets/a"}'),
      /\.\./,
    ],
  ];
  for (const [what, text, message] of refused)
    it(`${what} is refused with 400`, () => {
      assert.throws(
        () => decodeContinueToken(text),
        (error) =>
          isStatusError(error) &&
          error.status.code === 400 &&
          (error.status.message ?? '').startsWith(prefix) &&
          message.test(error.status.message ?? ''),
      );
    });
});
