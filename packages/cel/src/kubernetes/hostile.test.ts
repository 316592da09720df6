// Long texts before everything that reads a text: an answer, an error or the end of the budget, and
// never an exception.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { celTypes, isError } from '../index.ts';
import { createEnvironmentSet } from './environment-set.ts';

const { newExpressions } = createEnvironmentSet({
  compatibilityVersion: { major: 1, minor: 36 },
  authorizerSelectors: true,
});
const environment = newExpressions.extend({ variables: { s: celTypes.string } });
const costLimit = 1_000_000;

const length = 300_000;
const texts: Readonly<Record<string, string>> = {
  digits: '1'.repeat(length),
  'versions without end': '1.'.repeat(length / 2),
  groups: '1:'.repeat(length / 2),
  slashes: '/'.repeat(length),
  escapes: `http://a/${'%41'.repeat(length / 3)}`,
  quotes: '"\\'.repeat(length / 2),
  hours: '1h'.repeat(length / 2),
  'a fine fraction': `2024-01-01T00:00:00.${'0'.repeat(length)}Z`,
  'a large exponent': `1e${'9'.repeat(length)}`,
  'no characters': '\ud800'.repeat(length),
};

const expressions: readonly string[] = [
  'isQuantity(s) || quantity(s).isInteger()',
  'isSemver(s) || semver(s).major() > 0',
  'isIP(s) || ip(s).family() == 4',
  'isCIDR(s) || cidr(s).prefixLength() > 0',
  'isURL(s) && url(s).getQuery().size() > 0',
  'ip.isCanonical(s)',
  'duration(s) > duration("1s")',
  'timestamp(s) > timestamp("2020-01-01T00:00:00Z")',
  'int(s) > 1 || uint(s) > 1u || double(s) > 1.0',
  'bytes(s).size() > 1 && string(bytes(s)) == s',
  ...['dns1123Label', 'qualifiedName', 'labelValue', 'uri', 'uuid', 'byte', 'date', 'datetime'].map(
    (name) => `format.${name}().validate(s).hasValue()`,
  ),
  's.find("[0-9]+$") == s.findAll("(a|1)*$")[0]',
  's.matches("^((1+)+)+$")',
  's.split("1").join("22").size() > 0',
  's.replace("1", "22").lastIndexOf("222") > 0',
  '"%s %s".format([s, s.lowerAscii()]).trim().size() > 1',
];

describe('long texts', () => {
  for (const expression of expressions) {
    it(`end ${expression}`, { timeout: 30_000 }, () => {
      const { program } = environment.compile(expression);
      assert.ok(program, expression);
      for (const [name, s] of Object.entries(texts)) {
        const { result, cost } = program.evaluate({ s }, { costLimit });
        const isEnded = typeof result === 'boolean' || isError(result);
        assert.ok(isEnded, `${name}: ${typeof result}`);
        if (cost > costLimit) assert.ok(isError(result), name);
      }
    });
  }

  it('cost an evaluation what their length does', () => {
    const { program } = environment.compile('isIP(s)');
    assert.equal(program?.evaluate({ s: texts['digits'] ?? '' }).cost, length / 10 + 1);
  });
});
