import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertResults, evaluateText } from '../testing/expression-table.ts';
import {
  bindingsLibrary,
  celError,
  celList,
  celTypes,
  createEnvironment,
  declareFunction,
  fatalError,
  fromJson,
  globalOverload,
  listsLibrary,
  memberOverload,
  objectType,
  regexLibrary,
  setsLibrary,
  stringsLibrary,
  twoVariableComprehensionsLibrary,
} from './index.ts';
import type { CelList, CelObject, TypeProvider } from './index.ts';

const environment = createEnvironment({
  variables: { data: celTypes.dyn, x: celTypes.int, missing: celTypes.int },
  optionalSyntax: true,
  crossTypeNumericComparisons: true,
  libraries: [
    bindingsLibrary,
    listsLibrary(),
    setsLibrary,
    stringsLibrary(2),
    twoVariableComprehensionsLibrary,
  ],
});

const bindings = {
  data: fromJson({ a: { b: [1, 2.5, 'x', null] }, n: 3, __proto: 1, 'k-1': true }),
  x: 7n,
};

describe('arithmetic', () => {
  it('computes exactly, and does not wrap', () => {
    assertResults(environment, [
      ['-7 / 2', '-3'],
      ['-7 % 2', '-1'],
      ['7.0 / 2.0', '3.5'],
      ['1.0 / 0.0', 'Infinity'],
      ['9223372036854775807 + 1', 'error: integer overflow'],
      ['-9223372036854775808 - 1', 'error: integer overflow'],
      ['-(-9223372036854775808)', 'error: integer overflow'],
      ['-9223372036854775808 / -1', 'error: integer overflow'],
      ['-9223372036854775808 % -1', 'error: integer overflow'],
      ['9223372036854775807 * 2', 'error: integer overflow'],
      ['1u - 2u', 'error: unsigned integer overflow'],
      ['18446744073709551615u + 1u', 'error: unsigned integer overflow'],
      ['1 / 0', 'error: division by zero'],
      ['1u % 0u', 'error: modulus by zero'],
      ['"a" + "b"', '"ab"'],
      ['b"a" + b"b"', 'b"ab"'],
      ['[1] + [2]', '[1, 2]'],
      ['--1', '1'],
      ['!!true', 'true'],
    ]);
  });

  it('knows times', () => {
    assertResults(environment, [
      ['string(timestamp("2024-01-01T00:00:00Z") + duration("1h"))', '"2024-01-01T01:00:00Z"'],
      ['string(timestamp("2024-01-01T00:00:00+02:00"))', '"2023-12-31T22:00:00Z"'],
      ['timestamp("9999-12-31T23:59:59Z") + duration("1s")', 'error: timestamp overflow'],
      ['timestamp("0001-01-01T00:00:00Z") - duration("1ns")', 'error: timestamp overflow'],
      ['string(duration("1h30m1.5s"))', '"5401.5s"'],
      [
        'duration("1x")',
        "error: type conversion error from 'string' to 'google.protobuf.Duration'",
      ],
      [
        'timestamp("2024-02-30T00:00:00Z")',
        "error: type conversion error from 'string' to 'google.protobuf.Timestamp'",
      ],
      ['timestamp("2024-01-02T03:04:05Z").getHours("Asia/Tokyo")', '12'],
      ['timestamp("2024-01-02T03:04:05Z").getHours("-01:00")', '2'],
      ['timestamp("2024-01-02T03:04:05Z").getHours("Nowhere")', 'error: unknown time zone Nowhere'],
      ['timestamp("2024-12-31T00:00:00Z").getDayOfYear()', '365'],
      ['duration("90m").getMinutes()', '90'],
      ['timestamp(0) < timestamp(1)', 'true'],
      ['int(timestamp("1969-12-31T23:59:59.5Z"))', '-1'],
    ]);
  });
});

describe('comparison', () => {
  it('takes any two values for equality, and numbers by their worth', () => {
    assertResults(environment, [
      ['1 == 1.0', "found no matching overload for '_==_' applied to '(int, double)'"],
      ['dyn(1) == 1.0', 'true'],
      ['dyn(1) == 1u', 'true'],
      ['dyn(1) == "1"', 'false'],
      ['dyn([1, "a"]) == [1, "b"]', 'false'],
      ['{"a": 1} == {"a": 1}', 'true'],
      ['{1: 2}[1u]', "found no matching overload for '_[_]' applied to '(map(int, int), uint)'"],
      ['{1: 2}[dyn(1.0)]', '2'],
      ['1 < 1.5', 'true'],
      ['1u > -1', 'true'],
      ['0.0 / 0.0 < 1.0', 'error: NaN values cannot be ordered'],
      ['0.0 / 0.0 == 0.0 / 0.0', 'false'],
      ['"\\U0001F600" > "\\uffff"', 'true'],
      ['null == null', 'true'],
      ['type(1) == int && type(type(1)) == type', 'true'],
    ]);
  });
});

describe('conversions', () => {
  it('read and print as Go does', () => {
    assertResults(environment, [
      ['int("42")', '42'],
      ['int("+5") + int("-05")', '0'],
      ['int("4.2")', "error: type conversion error from 'string' to 'int'"],
      ['int("9223372036854775808")', "error: type conversion error from 'string' to 'int'"],
      ['int(1e19)', 'error: integer overflow'],
      ['uint(-1)', 'error: unsigned integer overflow'],
      ['double("1e3") + double("-.5")', '999.5'],
      ['double("0x")', "error: type conversion error from 'string' to 'double'"],
      ['bool("yes")', "error: type conversion error from 'string' to 'bool'"],
      ['bool("T")', 'true'],
      ['string(1.0)', '"1"'],
      ['string(1234567.5)', '"1.2345675e+06"'],
      ['string(0.00001)', '"1e-05"'],
      ['string(b"\\xff")', 'error: invalid UTF-8 in bytes, cannot convert to string'],
      ['string(bytes("é"))', '"é"'],
      ['size("héllo") + "\\U0001F600".size()', '6'],
    ]);
  });
});

describe('selection', () => {
  it('finds fields, keys and elements, or says what is missing', () => {
    assertResults(
      environment,
      [
        ['data.a.b[0]', '1'],
        ['data.a.b[1]', '2.5'],
        ['data["k-1"]', 'true'],
        ['data.nope', 'error: no such key: nope'],
        ['data.a.b[9]', 'error: index out of bounds: 9'],
        ['data.a.b["x"]', "error: unsupported index type 'string' in list"],
        ['data.n.x', 'error: no such key: x'],
        ['data.constructor', 'error: no such key: constructor'],
        ['data.__proto__', 'error: no such key: __proto__'],
        ['has(data.a.b) && !has(data.a.c)', 'true'],
        ['has(data.toString)', 'false'],
        ['data.?a.c.d', 'none'],
        ['data.?a.b', 'optional([1, 2.5, "x", null])'],
        ['data[?"q"].orValue(5)', '5'],
        ['[1, 2][?5].hasValue()', 'false'],
        ['[?optional.none(), ?optional.of(2)]', '[2]'],
        ['{?"a": optional.none(), "b": 1}', '{"b": 1}'],
        ['[?1]', "expected type 'optional_type(int)' but found 'int'"],
        ['optional.none().value()', 'error: optional.none() dereference'],
        ['optional.of(3).optMap(y, y + 1)', 'optional(4)'],
        ['optional.of([1]).optFlatMap(l, l[?0])', 'optional(1)'],
        ['optional.unwrap([optional.of(1), optional.none()])', '[1]'],
        ['{"a": 1, "a": 2}', 'error: Failed with repeated key'],
        ['{dyn(1.5): 1}', 'error: unsupported key type'],
        ['missing', 'error: no such attribute(s): missing'],
        ['missing == 1 || true', 'true'],
      ],
      bindings,
    );
  });
});

describe('logic and loops', () => {
  it('absorb errors where the answer does not need them', () => {
    assertResults(
      environment,
      [
        ['1 / 0 > 1 || true', 'true'],
        ['false && 1 / 0 > 1', 'false'],
        ['1 / 0 > 1 || false', 'error: division by zero'],
        ['[0, 1].all(y, 1 / y > 0)', 'error: division by zero'],
        ['[0, 1].exists(y, 1 / y > 0)', 'true'],
        ['[1, 2, 2].exists_one(y, y == 2)', 'false'],
        ['[1, 2, 3].map(y, y > 1, y * x)', '[14, 21]'],
        ['{"a": 1}.map(k, k)', '["a"]'],
        ['[[1, 2], [3]].map(l, l.map(y, y * l.size()))', '[[2, 4], [3]]'],
        ['[1, 2].transformList(i, v, i + v)', '[1, 3]'],
        ['{"a": 1, "b": 2}.transformMap(k, v, v > 1, v * 2)', '{"b": 4}'],
        [
          '["x", "x"].transformMapEntry(i, v, {v: i})',
          'error: insert failed: key x already exists',
        ],
        ['[5, 6].exists(i, v, i == 1 && v == 6)', 'true'],
        ['cel.bind(a, [1, 2], a.map(y, y + a.size()))', '[3, 4]'],
        ['cel.bind(a, [1].map(y, y), [2, 3].map(z, a[0] + z))', '[3, 4]'],
        ['cel.bind(a, 1 / 0, true)', 'true'],
        ['dyn(1).map(y, y)', "error: got '1', expected iterable type"],
        ['dyn(1) ? 1 : 2', 'error: no such overload'],
        ['dyn("a") && true', 'error: no such overload'],
      ],
      bindings,
    );
  });
});

describe('extension libraries', () => {
  it('treat strings by code point', () => {
    assertResults(environment, [
      ['"héé".charAt(1)', '"é"'],
      ['"hello".charAt(9)', 'error: index out of range: 9'],
      ['"a\\U0001F600b".indexOf("b")', '2'],
      ['"hello".lastIndexOf("l", 2)', '2'],
      ['"hello".substring(3, 1)', 'error: invalid substring range. start: 3, end: 1'],
      ['"hello".substring(9)', 'error: index out of range: 9'],
      ['"a,b,c".split(",", 2)', '["a", "b,c"]'],
      ['"ab".split("")', '["a", "b"]'],
      ['"aaa".replace("a", "$&", 2)', '"$&$&a"'],
      ['"ab".replace("", "-")', '"-a-b-"'],
      ['" x\\u0085 ".trim()', '"x"'],
      ['"ÀB".lowerAscii()', '"Àb"'],
      ['["a", "b"].join("-")', '"a-b"'],
      ['strings.quote("a\\"\\n")', '"\\"a\\\\\\"\\\\n\\""'],
    ]);
  });

  it('format in both styles', () => {
    const plain = createEnvironment({ libraries: [stringsLibrary(4)] });
    const rows = [
      [
        '"%s %s".format([[1, "a"], {"a": 1.5}])',
        '"[1, \\"a\\"] {\\"a\\":1.500000}"',
        '"[1, a] {a: 1.5}"',
      ],
      [
        '"%.1f %e".format([12345.25, 1052.0])',
        '"12,345.2 1.052000\u202f×\u202f10⁰³"',
        '"12345.2 1.052000e+03"',
      ],
      ['"%x %X %o %b".format([255, "a", 8, true])', '"ff 61 10 1"', '"ff 61 10 1"'],
      ['"%d%%".format([5])', '"5%"', '"5%"'],
    ] as const;
    assertResults(
      environment,
      rows.map(([text, older]) => [text, older]),
    );
    assertResults(
      plain,
      rows.map(([text, , newer]) => [text, newer]),
    );
  });

  it('treat lists', () => {
    assertResults(environment, [
      ['[3, 1, 2].sort()', '[1, 2, 3]'],
      ['[{"n": 2}, {"n": 1}].sortBy(e, e.n)', '[{"n": 1}, {"n": 2}]'],
      ['[1, 1, 2, 1.0].distinct()', '[1, 2]'],
      ['[[1], [[2]]].flatten()', '[1, [2]]'],
      ['[1, [2, [3]]].flatten(2)', '[1, 2, 3]'],
      ['[1, 2, 3].slice(0, 9)', 'error: cannot slice(0, 9), list is length 3'],
      ['[1, 2, 3].slice(1, 3).reverse()', '[3, 2]'],
      ['lists.range(4)', '[0, 1, 2, 3]'],
      [
        'lists.range(1000001).size() > 0',
        'error: lists.range: size 1000001 exceeds maximum allowed (1000000)',
      ],
      ['sets.equivalent([1, 2], [2, 1, 1]) && !sets.contains(["a"], ["a", "b"])', 'true'],
      ['[].first().hasValue()', 'false'],
    ]);
  });
});

describe('regular expressions', () => {
  it('replace and extract', () => {
    const withRegex = createEnvironment({ libraries: [regexLibrary], optionalSyntax: true });
    assertResults(withRegex, [
      ['regex.replace("banana", "a(.)", "<\\\\1>")', '"b<n><n>a"'],
      ['regex.replace("banana", "a", "x", 2)', '"bxnxna"'],
      ['regex.replace("banana", "a", "x", 0)', '"banana"'],
      [
        'regex.replace("a", "a", "\\\\1")',
        'error: replacement string references group 1 but regex has only 0 group(s)',
      ],
      ['regex.extract("id=42", "id=([0-9]+)")', 'optional("42")'],
      ['regex.extract("none", "[0-9]+")', 'none'],
      ['regex.extractAll("a1b22", "[0-9]+")', '["1", "22"]'],
      [
        'regex.extract("a", "(a)(b)")',
        'error: regular expression has more than one capturing group: "(a)(b)"',
      ],
    ]);
  });
});

describe('embedding', () => {
  const point: TypeProvider = {
    findType: (name) => (name === 'test.Point' ? objectType(name) : undefined),
    findField: (name, field) =>
      name === 'test.Point' && (field === 'x' || field === 'y')
        ? { type: celTypes.int }
        : undefined,
    construct: (name, fields): CelObject => ({
      kind: 'object',
      type: objectType(name),
      get: (field) => fields.get(field) ?? 0n,
      has: (field) => fields.has(field),
      fields: () => fields.keys(),
    }),
  };

  it('takes object types', () => {
    const withPoint = createEnvironment({ types: [point], container: 'test' });
    assertResults(withPoint, [
      ['Point{x: 1}.x + Point{}.y', '1'],
      ['has(Point{x: 1}.x) && !has(Point{x: 1}.y)', 'true'],
      ['Point{x: 1} == test.Point{x: 1}', 'true'],
      ['Point{x: 1} == Point{y: 1}', 'false'],
      ['Point{z: 1}', "undefined field 'z'"],
      ['Point{x: "a"}', "expected type of field 'x' is 'int' but provided type is 'string'"],
      ['Point{}.z', "undefined field 'z'"],
      ['Pint{}', "undeclared reference to 'Pint' (in container 'test')"],
      ['int{}', "'int' is not a message type"],
    ]);
  });

  it('calls functions only with values that they declare', () => {
    const calls: unknown[] = [];
    const withFunction = createEnvironment({
      variables: { any: celTypes.dyn },
      libraries: [
        {
          name: 'test',
          functions: [
            declareFunction(
              'double',
              memberOverload('int_double', [[celTypes.int], celTypes.int], (value: bigint) => {
                calls.push(value);
                return value * 2n;
              }),
            ),
            declareFunction(
              'fail',
              globalOverload('fail', [[], celTypes.bool], () => celError('failed')),
              globalOverload('fail_hard', [[celTypes.int], celTypes.bool], () =>
                fatalError('over'),
              ),
            ),
          ],
        },
      ],
    });
    assertResults(
      withFunction,
      [
        ['21.double()', '42'],
        ['any.double()', 'error: no such overload'],
        ['fail() || true', 'true'],
        ['fail(1) || true', 'error: over'],
      ],
      { any: 'text' },
    );
    assert.deepEqual(calls, [21n]);
  });

  it('lets lists have their own equality and concatenation', () => {
    const set = (...values: readonly bigint[]): CelList => ({
      ...plainList(values),
      equals: (other) => other.size === values.length,
      concat: (other) => celList([...values, BigInt(other.size)]),
    });
    const withSets = createEnvironment({ variables: { a: celTypes.dyn, b: celTypes.dyn } });
    assertResults(
      withSets,
      [
        ['a == b', 'true'],
        ['a + b', '[1, 2, 2]'],
      ],
      { a: set(1n, 2n), b: set(2n, 1n) },
    );
  });

  it('replaces variables when an environment is extended', () => {
    const base = createEnvironment({ variables: { v: celTypes.int } });
    const extended = base.extend({ variables: { v: celTypes.string, w: celTypes.int } });
    assert.equal(evaluateText(base, 'v + 1', { v: 1n }), '2');
    assert.equal(evaluateText(extended, 'v + string(w)', { v: 'a', w: 1n }), '"a1"');
    assert.deepEqual([...(extended.compile('v').program?.variables ?? [])], ['v']);
  });

  it('refuses two overloads with one id', () => {
    const declared = declareFunction(
      'f',
      globalOverload('same', [[], celTypes.int], () => 1n),
    );
    const libraries = [
      { name: 'a', functions: [declared] },
      { name: 'b', functions: [declared] },
    ];
    assert.throws(() => createEnvironment({ libraries }), /two overloads have the id same/);
  });
});

function plainList(values: readonly bigint[]): CelList {
  const list = celList(values);
  return { kind: 'list', size: list.size, get: (index) => list.get(index) };
}
