/**
 * Random expressions: most are valid, some have operands of wrong types, some are damaged texts.
 * A generator is a row that its seed decides.
 */

/** Kinds of values that generated expressions ask for. */
type Kind = 'bool' | 'int' | 'double' | 'string' | 'list' | 'map' | 'dyn' | 'optional';

const kinds: readonly Kind[] = [
  'bool',
  'int',
  'double',
  'string',
  'list',
  'map',
  'dyn',
  'optional',
];

/** The variables of generated expressions, and what they hold; all are declared as dyn. */
export const generatedVariables = {
  object: {
    spec: { replicas: 3, ratio: 0.5, paused: false, none: null },
    names: ['a', 'b', 'ab'],
    containers: [
      { name: 'app', image: 'example.com/app:1', ports: [80, 443], privileged: false },
      { name: 'log', image: 'log', limits: { cpu: '1' } },
    ],
    labels: { app: 'x', 'a-b': 'y' },
  },
  n: 7,
  s: 'text é 𝄞',
} as const;

/** Gives one expression after the other. */
export function createExpressionGenerator(seed: number): () => string {
  const random = createRandom(seed);
  const below = (count: number) => Math.floor(random() * count);
  const pick = <T>(values: readonly T[]): T => values[below(values.length)] as T;

  const leaves: Readonly<Record<Kind, readonly string[]>> = {
    bool: ['true', 'false', 'object.spec.paused', 'has(object.labels.app)', 'has(object.x)'],
    int: ['0', '1', '-7', 'n', 'object.spec.replicas', '9223372036854775807', 'size(s)', '2u'],
    double: ['0.5', '-1.0', '1e300', 'object.spec.ratio', '0.0'],
    string: ['""', '"a"', "'b'", 's', 'object.containers[0].image', 'r"a.c"', '"1h"', '"é𝄞"'],
    list: ['[]', '[1, 2]', 'object.names', 'object.containers', '[1, "a", null]', 'lists.range(3)'],
    map: ['{}', '{"a": 1}', 'object.labels', 'object.spec', '{1: 2, true: "b"}'],
    dyn: ['object', 'null', 'object.spec.none', 'object.missing', 'b"ab"', 'int', 'x', 'y', 'k'],
    optional: [
      'optional.none()',
      'object.?spec',
      'object.names[?0]',
      'optional.of(1)',
      'object.?x.y',
    ],
  };

  const templates: Readonly<Record<Kind, readonly string[]>> = {
    bool: [
      'int < int',
      'int <= int',
      'int == int',
      'double > double',
      'string < string',
      'string == string',
      'bool && bool',
      'bool || bool',
      '!bool',
      'bool ? bool : bool',
      'string in list',
      'string in map',
      'list.all(x, bool)',
      'list.exists(x, x == dyn)',
      'list.exists_one(x, bool)',
      'map.all(k, bool)',
      'list.all(x, y, bool)',
      'map.exists(k, v, bool)',
      'list == list',
      'map != map',
      'dyn == dyn',
      'string.startsWith(string)',
      'string.contains(string)',
      'string.matches(string)',
      'sets.contains(list, list)',
      'optional.hasValue()',
      'dyn.spec.replicas <= 3',
      'dyn.n > 2',
    ],
    int: [
      'int + int',
      'int - int',
      'int * int',
      'int / int',
      'int % int',
      '-(int)',
      'size(list)',
      'size(string)',
      'int(double)',
      'int(string)',
      'bool ? int : int',
      'list.size()',
      'dyn.indexOf("a")',
      'cel.bind(x, int, x + x)',
      'math.greatest(int, int)',
      'math.abs(int)',
      'optional.orValue(int)',
    ],
    double: [
      'double + double',
      'double * double',
      'double(int)',
      'double / double',
      'math.ceil(double)',
    ],
    string: [
      'string + string',
      'string(int)',
      'string(double)',
      'string.replace(string, string)',
      'string.upperAscii()',
      'string.substring(int)',
      'list.join(string)',
      '"%s %d".format([string, int])',
      'cel.bind(y, string, y + y)',
      'string(bool)',
      'string.trim()',
      'string.charAt(int)',
    ],
    list: [
      '[int, int]',
      '[string]',
      '[?optional]',
      'list + list',
      'list.map(x, int)',
      'list.map(x, x)',
      'list.map(x, bool, x)',
      'list.filter(x, bool)',
      'list.map(x, list.map(y, [x, y]))',
      'map.map(k, k)',
      'list.transformList(x, y, x)',
      'list.flatten()',
      'list.distinct()',
      'list.slice(0, 1)',
      'list.filter(x, x == dyn)',
      'string.split(string)',
      'list.reverse()',
      'map.filter(k, k == string)',
    ],
    map: [
      '{string: int}',
      '{"a": dyn, ?"b": optional}',
      'list.transformMap(x, y, y)',
      'bool ? map : map',
      'map.transformMap(k, v, v)',
      '{int: list}',
    ],
    dyn: [
      'list[int]',
      'map[string]',
      'dyn.a',
      'dyn.spec',
      'list[0]',
      'dyn(int)',
      'dyn([string])',
      'type(dyn)',
      'optional.value()',
      'bool ? dyn : dyn',
      'duration("1h")',
      'timestamp("2024-01-01T00:00:00Z")',
      'cel.bind(x, dyn, [x, x])',
      'object.containers[int]',
      'object.containers.map(c, c.name)',
    ],
    optional: [
      'optional.of(dyn)',
      'optional.optMap(x, x)',
      'dyn.?a',
      'dyn[?string]',
      'optional.or(optional)',
      'list.first()',
      'optional.ofNonZeroValue(int)',
    ],
  };
  const placeholder =
    /\b(?:bool|int|double|string|list|map|dyn|optional)\b(?![(.]\w*)|\b(?:optional|list|map|string|dyn)(?=\.(?!of|none|ofNonZeroValue))/g;

  const write = (kind: Kind, depth: number): string => {
    if (depth <= 0 || random() < 0.15) return pick(leaves[kind]);
    return pick(templates[kind]).replace(placeholder, (name) => {
      // A few operands are of any other type.
      const wanted = random() < 0.04 ? pick(kinds) : (name as Kind);
      const operand = write(wanted, depth - 1);
      return random() < 0.1 ? `dyn(${operand})` : `(${operand})`;
    });
  };

  const damage = (text: string): string => {
    const at = below(text.length + 1);
    switch (below(4)) {
      case 0:
        return text.slice(0, at) + text.slice(at + 1 + below(4));
      case 1:
        return (
          text.slice(0, at) + pick([...'()[]{}.,?:!-+*/%=<>&|"\'`@#\\\u0000é𝄞 1']) + text.slice(at)
        );
      case 2:
        return text.slice(at) + text.slice(0, at);
      default:
        return text.slice(0, at);
    }
  };

  return () => {
    const text = write(pick(kinds), 1 + below(4));
    return random() < 0.2 ? damage(text) : text;
  };
}

/** Numbers from 0 to 1 (mulberry32): small, quick, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
