import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { renderFieldError } from '../status/field-error.ts';
import { SelectorError } from './label-requirement.ts';
import {
  compileLabelSelector,
  formatLabelSelector,
  labelMatcherFromSet,
  noLabelMatcher,
  parseLabelSelector,
  validateLabelSelector,
  type LabelSelector,
} from './label-selector.ts';

const labelValueRule =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

describe('parseLabelSelector', () => {
  const objects: Record<string, Record<string, string>> = {
    one: { g: 'set', n: '1', odd: '' },
    four: { g: 'set', n: '4' },
    bare: { g: '' },
    none: {},
  };
  const rows: [selector: string, canonical: string, matching: string][] = [
    ['', '', 'one four bare none'],
    ['g', 'g', 'one four bare'],
    ['!g', '!g', 'none'],
    ['g=', 'g=', 'bare'],
    ['g=set', 'g=set', 'one four'],
    ['g==set', 'g==set', 'one four'],
    ['g!=set', 'g!=set', 'bare none'],
    ['n=1,g=set', 'g=set,n=1', 'one'],
    ['n in (1, 4,)', 'n in (,1,4)', 'one four'],
    ['n in (4,1,4)', 'n in (1,4)', 'one four'],
    ['g in ()', 'g in ()', 'bare'],
    ['g in (,)', 'g in ()', 'bare'],
    ['n notin (1)', 'n notin (1)', 'four bare none'],
    ['n>1', 'n>1', 'four'],
    ['n > 1 , odd', 'n>1,odd', ''],
    ['in in (in,notin)', 'in in (in,notin)', ''],
    [' \t g \n', 'g', 'one four bare'],
  ];
  for (const [text, canonical, matching] of rows) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const selector = parseLabelSelector(text);
      assert.equal(selector.toString(), canonical);
      assert.equal(parseLabelSelector(canonical).toString(), canonical);
      const found = Object.keys(objects).filter((name) => selector.matches(objects[name]));
      assert.equal(found.join(' '), matching);
      assert.equal(selector.isEmpty, text === '');
    });
  }

  const long = 'y'.repeat(64);
  const bad: [selector: string, message: string][] = [
    [',', "found ',', expected: !, identifier, or 'end of string'"],
    ['=x', "found '=', expected: !, identifier, or 'end of string'"],
    ['a,', "found '', expected: identifier after ','"],
    ['a,=', "found '=', expected: identifier after ','"],
    ['!a=b', "found '=', expected: ',' or 'end of string'"],
    ['a=b c', "found 'c', expected: ',' or 'end of string'"],
    ['!', "unable to parse requirement: found '', expected: identifier"],
    ['!=a', "found '!=', expected: !, identifier, or 'end of string'"],
    [
      'bad key=x',
      "unable to parse requirement: found 'key', expected: in, notin, =, ==, !=, gt, lt",
    ],
    ['a=(', "unable to parse requirement: found '(', expected: identifier"],
    ['a in b', "unable to parse requirement: found 'b' expected: '('"],
    ['a in', "unable to parse requirement: found '' expected: '('"],
    ['n in (1', "unable to parse requirement: found '', expected: ',' or ')'"],
    ['n in (', "unable to parse requirement: found '', expected: ',', ')' or identifier"],
    ['n in (=', "unable to parse requirement: found '=', expected: ',', ')' or identifier"],
    ['n in (1,=', "unable to parse requirement: found '=', expected: ',', or identifier"],
    ['n in (1,,)', "unable to parse requirement: found ')', expected: ',', or identifier"],
    [
      'n>x',
      "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
    ],
    [
      'g=-bad',
      `unable to parse requirement: values[0][g]: Invalid value: "-bad": ${labelValueRule}`,
    ],
    [
      `g=${long}`,
      `unable to parse requirement: values[0][g]: Invalid value: "${long}": must be no more than 63 bytes`,
    ],
    [
      long,
      `unable to parse requirement: <nil>: Invalid value: "${long}": name part must be no more than 63 bytes`,
    ],
  ];
  for (const [text, message] of bad) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseLabelSelector(text), new SelectorError(message));
    });
  }

  it('throws nothing but SelectorError and prints what it reads', () => {
    const pieces = fc.array(
      fc.constantFrom('a', 'b1', 'in', 'notin', '(', ')', ',', '!', '=', '==', '>', '<', ' ', '\0'),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          const selector = parseLabelSelector(parts.join(''));
          const text = selector.toString();
          assert.equal(parseLabelSelector(text).toString(), text);
        } catch (e) {
          assert.ok(e instanceof SelectorError, String(e));
        }
      }),
    );
  });

  it('does not look at inherited properties', () => {
    assert.equal(parseLabelSelector('constructor').matches({}), false);
    assert.equal(parseLabelSelector('!toString').matches({}), true);
  });

  it('tells an index the exact value', () => {
    assert.equal(parseLabelSelector('a=b,c in (d)').exactValue('c'), 'd');
    assert.equal(parseLabelSelector('a=b').exactValue('c'), undefined);
    assert.equal(parseLabelSelector('a!=b').exactValue('a'), undefined);
    assert.equal(parseLabelSelector('a in (b,c)').exactValue('a'), undefined);
  });
});

describe('compileLabelSelector', () => {
  it('takes an absent selector as nothing and an empty one as everything', () => {
    assert.equal(compileLabelSelector(undefined), noLabelMatcher);
    assert.equal(compileLabelSelector(null).matches({ a: 'b' }), false);
    assert.equal(compileLabelSelector({}).matches(undefined), true);
  });
  const rows: [LabelSelector, string][] = [
    [{}, '<none>'],
    [{ matchLabels: { b: '2', a: '1' } }, 'a=1,b=2'],
    [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['y', 'x'] }] }, 'a in (x,y)'],
    [{ matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['x'] }] }, 'a notin (x)'],
    [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }, 'a'],
    [{ matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] }, '!a'],
    [{ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1'] }] }, '<error>'],
    [{ matchExpressions: [{ key: 'a', operator: 'In' }] }, '<error>'],
    [{ matchLabels: { a: '-' } }, '<error>'],
  ];
  for (const [selector, text] of rows) {
    it(`prints ${text}`, () => assert.equal(formatLabelSelector(selector), text));
  }
  it('names an unknown operator', () => {
    assert.throws(
      () => compileLabelSelector({ matchExpressions: [{ key: 'a', operator: 'Gt' }] }),
      new SelectorError('"Gt" is not a valid label selector operator'),
    );
  });
  it('selects by a map of labels', () => {
    assert.equal(labelMatcherFromSet({ b: '2', a: '1' }).toString(), 'a=1,b=2');
    assert.equal(labelMatcherFromSet(undefined).isEmpty, true);
  });
});

describe('validateLabelSelector', () => {
  const expression = (e: object): LabelSelector => ({ matchExpressions: [e] });
  const rows: [LabelSelector, string[]][] = [
    [{}, []],
    [{ matchLabels: { a: 'b' } }, []],
    [expression({ key: 'a', operator: 'In', values: ['b'] }), []],
    [{ matchLabels: { a: '-b' } }, [`s.matchLabels: Invalid value: "-b": ${labelValueRule}`]],
    [
      expression({ key: 'a', operator: 'In' }),
      [
        "s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
      ],
    ],
    [
      expression({ key: 'a', operator: 'Exists', values: ['b'] }),
      [
        "s.matchExpressions[0].values: Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      ],
    ],
    [
      expression({ key: 'a', operator: 'Gt', values: ['1'] }),
      ['s.matchExpressions[0].operator: Invalid value: "Gt": not a valid selector operator'],
    ],
    [
      expression({ key: 'a', operator: 'In', values: ['-'] }),
      [`s.matchExpressions[0].values[0]: Invalid value: "-": ${labelValueRule}`],
    ],
  ];
  for (const [selector, messages] of rows) {
    it(`finds ${messages.length} in ${JSON.stringify(selector)}`, () => {
      assert.deepEqual(validateLabelSelector(selector, 's').map(renderFieldError), messages);
    });
  }
  it('finds both faults of an empty key', () => {
    const found = validateLabelSelector(expression({ operator: 'Exists' }), 's');
    assert.deepEqual(
      found.map((e) => [e.path, e.detail.slice(0, 26)]),
      [
        ['s.matchExpressions[0].key', 'name part must be non-empt'],
        ['s.matchExpressions[0].key', 'name part must consist of '],
      ],
    );
  });
  it('can leave values alone, for objects stored before they were checked', () => {
    const selector = expression({ key: 'a', operator: 'In', values: ['-'] });
    assert.deepEqual(validateLabelSelector(selector, 's', { allowInvalidValues: true }), []);
  });
});
