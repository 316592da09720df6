import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseExpressionText } from './testing.ts';
import { bindingsLibrary, createEnvironment, celTypes, describeValue, fromJson } from '../index.ts';
import type { JsonLike } from '../index.ts';

const environment = createEnvironment({
  variables: { object: celTypes.dyn, limit: celTypes.int },
  libraries: [bindingsLibrary],
  optionalSyntax: true,
});
const object: JsonLike = {
  spec: {
    replicas: 11,
    hostNetwork: true,
    containers: [
      { name: 'web', image: 'registry.example/web:1' },
      { name: 'log', image: 'nginx:latest' },
    ],
    labels: { team: 'shop' },
  },
};
const bindings = { object: fromJson(object), limit: 10n };

const rows: [text: string, result: string, parts: string[]][] = [
  ['object.spec.replicas <= 10', 'false', ['object.spec.replicas = 11']],
  ['object.spec.replicas <= limit', 'false', ['object.spec.replicas = 11', 'limit = 10']],
  // Of a conjunction what is false, of a disjunction everything that was asked.
  [
    'object.spec.replicas > 1 && !object.spec.hostNetwork && limit > 1',
    'false',
    ['object.spec.hostNetwork = true'],
  ],
  [
    'object.spec.replicas < 5 || has(object.spec.paused)',
    'false',
    ['object.spec.replicas = 11', 'has(object.spec.paused) = false'],
  ],
  ['object.spec.replicas > 5 || object.spec.hostNetwork', 'true', ['object.spec.replicas = 11']],
  // The element that failed, and what of it.
  [
    'object.spec.containers.all(c, c.image.startsWith("registry.example/"))',
    'false',
    [
      'c = {"name": "log", "image": "nginx:latest"}',
      'c.image.startsWith("registry.example/") = false',
      'c.image = "nginx:latest"',
    ],
  ],
  [
    'object.spec.containers.exists(c, c.name == "proxy")',
    'false',
    [
      'object.spec.containers.exists(c, c.name == "proxy") = false',
      'object.spec.containers = [{"name": "web", "image": "registry.example/web:1"}, {"name": "log", "image": "nginx:latest"}]',
    ],
  ],
  [
    'object.spec.containers.filter(c, c.image.endsWith(":latest")).map(c, c.name).size() == 0',
    'false',
    [
      'object.spec.containers.filter(c, c.image.endsWith(":latest")).map(c, c.name).size() = 1',
      'object.spec.containers.filter(c, c.image.endsWith(":latest")).map(c, c.name) = ["log"]',
      'object.spec.containers.filter(c, c.image.endsWith(":latest")) = [{"name": "log", "image": "nginx:latest"}]',
    ],
  ],
  // The branch that was taken.
  [
    'has(object.spec.replicas) ? object.spec.replicas < 3 : true',
    'false',
    ['has(object.spec.replicas) = true', 'object.spec.replicas = 11'],
  ],
  [
    'object.spec.?max.orValue(5) > object.spec.replicas',
    'false',
    ['object.spec.?max.orValue(5) = 5', 'object.spec.?max = none', 'object.spec.replicas = 11'],
  ],
  ['"owner" in object.spec.labels', 'false', ['object.spec.labels = {"team": "shop"}']],
  ['cel.bind(n, object.spec.replicas, n < 3)', 'false', ['n = 11', 'object.spec.replicas = 11']],
  // An error names what failed.
  [
    'object.spec.missing == 1',
    'error: no such key: missing',
    ['object.spec.missing = error: no such key: missing'],
  ],
  ['true', 'true', []],
];

describe('an explanation', () => {
  for (const [text, result, parts] of rows) {
    it(text, () => {
      const { program, issues } = environment.compile(text);
      assert.ok(program, JSON.stringify(issues));
      const explained = program.explain(bindings);
      assert.equal(describeValue(explained.result), result);
      const shown = explained.parts.map((part) => `${part.text} = ${describeValue(part.value)}`);
      assert.deepEqual(shown, parts);
      // It is the evaluation, at its cost.
      const { result: plain, cost } = program.evaluate(bindings);
      assert.deepEqual([describeValue(plain), cost], [result, explained.cost]);
    });
  }

  it('says where a part stands', () => {
    const { program } = environment.compile('true &&\n  object.spec.replicas <= 10');
    const [part] = program?.explain(bindings).parts ?? [];
    assert.deepEqual([part?.line, part?.column], [2, 2]);
  });

  it('ends where an evaluation ends', () => {
    const { program } = environment.compile('object.spec.containers.all(c, c.name != "")');
    const { result, cost } = program?.explain(bindings, { costLimit: 3 }) ?? {};
    assert.equal(
      result && describeValue(result),
      'error: operation cancelled: actual cost limit exceeded',
    );
    assert.equal(cost, program?.evaluate(bindings, { costLimit: 3 }).cost);
  });

  it('has at most sixteen parts', () => {
    const text = Array.from({ length: 40 }, (_, i) => `has(object.spec.f${i})`).join(' || ');
    const { program } = environment.compile(text);
    assert.equal(program?.explain(bindings).parts.length, 16);
  });
});

describe('the text of a value', () => {
  it('is bounded', () => {
    const long = fromJson(Array.from({ length: 100_000 }, (_, i) => ({ name: `n${i}` })));
    assert.equal(describeValue(long, 50).length, 50);
    assert.equal(describeValue('x'.repeat(1000), 10), '"xxxxxxxx…');
    assert.equal(describeValue(fromJson({ a: [] })), '{"a": []}');
  });
});

describe('an expression as text', () => {
  const texts: string[] = [
    'a && (b || c)',
    '(a || b) && !(c && d)',
    'a - (b - c) == a - b - c',
    '-a * (b + 1)',
    'a ? b : c ? d : e',
    '(a ? b : c).d',
    'x.all(i, i > 0) || x.exists(i, i.name == "a" && has(i.b.c))',
    'x.map(i, i.name).filter(n, n != "").exists_one(n, n == "b")',
    'x.map(i, i > 1, i * 2)[0] in [1, ?b, 2.0, 3u]',
    '{"a": [1], ?"b": c}.a[?0].?d.orValue(null)',
    'cel.bind(n, size(a), n > 1 ? "x\\"y" : a.b.c())',
  ];
  for (const text of texts) it(text, () => assert.equal(parseExpressionText(text), text));
});
