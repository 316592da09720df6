import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalBase64 } from './base64.ts';
import { encodeJson, encodeJsonText } from './encode-json.ts';
import { canonicalMicroTime, canonicalTime } from './go-time.ts';

const layout = '2006-01-02T15:04:05Z07:00';
const microLayout = '2006-01-02T15:04:05.000000Z07:00';

const times: readonly (readonly [text: string, canonical: string])[] = [
  ['2024-02-29T23:59:59Z', '2024-02-29T23:59:59Z'],
  ['2024-02-29T4:05:06Z', '2024-02-29T04:05:06Z'],
  ['2024-02-29T04:05:06.999999999Z', '2024-02-29T04:05:06Z'],
  ['2024-02-29T04:05:06,5Z', '2024-02-29T04:05:06Z'],
  ['2024-12-31T23:30:00-01:30', '2025-01-01T01:00:00Z'],
  ['0099-01-01T00:00:00Z', '0099-01-01T00:00:00Z'],
  ['2024-01-01T00:00:00+24:00', '2023-12-31T00:00:00Z'],
];
const wrongTimes: readonly (readonly [text: string, rest: string])[] = [
  ['', ` as "${layout}": cannot parse "" as "2006"`],
  ['20', ` as "${layout}": cannot parse "20" as "2006"`],
  ['2024', ` as "${layout}": cannot parse "" as "-"`],
  ['2024-1-01T00:00:00Z', ` as "${layout}": cannot parse "1-01T00:00:00Z" as "01"`],
  ['2024-13-01T00:00:00Z', ': month out of range'],
  ['2024-02-30T00:00:00Z', ': day out of range'],
  ['2024-02-00T00:00:00Z', ': day out of range'],
  ['2024-02-03 00:00:00Z', ` as "${layout}": cannot parse " 00:00:00Z" as "T"`],
  ['2024-02-03T24:00:00Z', ': hour out of range'],
  ['2024-02-03T00:60:00Z', ': minute out of range'],
  ['2024-02-03T00:00:60Z', ': second out of range'],
  ['2024-02-03T00:00:00', ` as "${layout}": cannot parse "" as "Z07:00"`],
  ['2024-02-03T00:00:00+0100', ` as "${layout}": cannot parse "+0100" as "Z07:00"`],
  ['2024-02-03T00:00:00+25:00', ': time zone offset hour out of range'],
  ['2024-02-03T00:00:00Zx', ': extra text: "x"'],
];

test('times are read with the leniences and the messages of Go', () => {
  for (const [text, canonical] of times) assert.equal(canonicalTime(text), canonical);
  assert.equal(canonicalTime('0001-01-01T00:00:00Z'), undefined);
  for (const [text, rest] of wrongTimes) {
    assert.throws(() => canonicalTime(text), { message: `parsing time "${text}"${rest}` });
  }
});

test('micro times have exactly six digits', () => {
  const text = '2024-02-03T04:05:06.000007Z';
  assert.equal(canonicalMicroTime(text), text);
  assert.equal(canonicalMicroTime('0001-01-01T00:00:00.000000Z'), undefined);
  const wrong = (value: string, rest: string): void => {
    const message = `parsing time "${value}" as "${microLayout}": cannot parse "${rest}`;
    assert.throws(() => canonicalMicroTime(value), { message });
  };
  wrong('2024-02-03T04:05:06Z', 'Z" as ".000000"');
  wrong('2024-02-03T04:05:06.1Z', '.1Z" as ".000000"');
  wrong('2024-02-03T04:05:06.0000001Z', '1Z" as "Z07:00"');
});

test('base64 is canonical, or refused with the position of Go', () => {
  for (const [text, canonical] of [
    ['', ''],
    ['YQ==', 'YQ=='],
    ['YR==', 'YQ=='],
    ['YW\r\nI=\n', 'YWI='],
  ] as const) {
    assert.equal(canonicalBase64(text), canonical);
  }
  for (const [text, position] of [
    ['YWJ', 0],
    ['YWJjZ', 4],
    ['Y W=', 1],
    ['=', 0],
    ['Y=', 1],
    ['YW=', 3],
    ['YW=x', 2],
    ['YWI=YQ==', 4],
    ['YQ==\nx', 5],
    ['é', 0],
    ['YW_j', 2],
  ] as const) {
    assert.throws(() => canonicalBase64(text), {
      message: `illegal base64 data at input byte ${position}`,
    });
  }
});

test('JSON is written with the escapes of Go', () => {
  assert.equal(
    encodeJsonText({ a: '<b>&\u2028\u2029', u: undefined, n: [12345678901234567890n] }),
    '{"a":"\\u003cb\\u003e\\u0026\\u2028\\u2029","n":[12345678901234567890]}',
  );
  assert.deepEqual(Buffer.from(encodeJson(['é'])), Buffer.from('["é"]'));
});
