import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createFeatures } from '../../features/create-features.ts';
import type {
  ExpressionProblem,
  ExpressionScope,
  ExpressionUse,
} from '../validation/expression-checker.ts';
import { expressionsOf } from './expressions.ts';

const { checker } = expressionsOf(createFeatures({}));

function problems(
  use: ExpressionUse,
  expression: string,
  scope: Partial<ExpressionScope> = {},
): string[] {
  const session = checker.begin({ hasParams: false, ...scope });
  return shown(session.check({ use, expression, stored: false }));
}

function shown(found: readonly ExpressionProblem[]): string[] {
  return found.map(({ kind, detail }) => `${kind}: ${detail.split('\n')[0]}`);
}

describe('expressions', () => {
  const rows: readonly [use: ExpressionUse, expression: string, ...problems: string[]][] = [
    [
      'device-selector',
      '',
      "invalid: compilation failed: ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    ],
    ['validation', 'object.spec.replicas <= 5'],
    ['validation', 'request.userInfo.groups.exists(g, g == "a") && request.dryRun'],
    ['validation', 'namespaceObject.metadata.labels["a"] == "b"'],
    ['validation', 'authorizer.requestResource.check("create").allowed()'],
    ['validation', '"x"', 'invalid: must evaluate to bool but got string'],
    ['validation', 'object.x', 'invalid: must evaluate to bool but got dyn'],
    ['validation', 'type(1)', 'invalid: must evaluate to bool but got type(int)'],
    [
      'validation',
      'duration("1s")',
      'invalid: must evaluate to bool but got google.protobuf.Duration',
    ],
    [
      'validation',
      'params.x == 1',
      "invalid: compilation failed: ERROR: <input>:1:1: undeclared reference to 'params' (in container '')",
    ],
    [
      'validation',
      'request.dryRun == "x"',
      "invalid: compilation failed: ERROR: <input>:1:16: found no matching overload for '_==_' applied to '(bool, string)'",
    ],
    [
      'validation',
      'request.nope',
      "invalid: compilation failed: ERROR: <input>:1:8: undefined field 'nope'",
    ],
    [
      'validation',
      'bool("yes")',
      "internal: program instantiation failed: type conversion error from 'string' to 'bool'",
    ],
    [
      'validation',
      'variables.x == 1',
      "invalid: compilation failed: ERROR: <input>:1:1: undeclared reference to 'variables' (in container '')",
    ],
    [
      'validation',
      'Object{} == object',
      "invalid: compilation failed: ERROR: <input>:1:7: undeclared reference to 'Object' (in container '')",
    ],
    ['message', '"a" + object.x'],
    ['message', 'true', 'invalid: must evaluate to string but got bool'],
    [
      'message',
      'authorizer.path("/a").check("get").reason()',
      "invalid: compilation failed: ERROR: <input>:1:1: undeclared reference to 'authorizer' (in container '')",
    ],
    [
      'audit-annotation',
      'object.x == "a" ? "b" : null',
      "invalid: compilation failed: ERROR: <input>:1:17: found no matching overload for '_?_:_' applied to '(bool, string, null)'",
    ],
    ['audit-annotation', 'null'],
    ['audit-annotation', '1', 'invalid: must evaluate to one of [string null_type] but got int'],
    ['apply-configuration', 'Object{spec: Object.spec{replicas: 3}}'],
    [
      'apply-configuration',
      '{"spec": 1}',
      'invalid: must evaluate to Object but got map(string, int)',
    ],
    [
      'json-patch',
      '[JSONPatch{op: "add", path: "/a/" + jsonpatch.escapeKey("b/c"), value: {"x": 1}}]',
    ],
    ['json-patch', '[]', 'invalid: must evaluate to list(JSONPatch) but got list(dyn)'],
    [
      'json-patch',
      '[JSONPatch{op: 1}]',
      "invalid: compilation failed: ERROR: <input>:1:14: expected type of field 'op' is 'string' but provided type is 'int'",
    ],
    ['device-selector', 'device.driver == "a" && device.attributes["a"].model == "b"'],
    ['device-selector', 'cel.bind(a, device.attributes["a"], a.x && a.y)'],
    ['device-selector', 'device.capacity["a"].memory.isGreaterThan(quantity("1Gi"))'],
    ['device-selector', 'device.attributes["a"].flag'],
    ['device-selector', '"x"', 'invalid: must evaluate to bool or the unknown type, not string'],
    [
      'device-selector',
      'object.x',
      "invalid: compilation failed: ERROR: <input>:1:1: undeclared reference to 'object' (in container '')",
    ],
    [
      'device-selector',
      'device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a != b && c != d))))',
      'forbidden: too complex, exceeds cost limit',
    ],
  ];
  for (const [use, expression, ...expected] of rows) {
    it(`${use}: ${expression}`, () => assert.deepEqual(problems(use, expression), expected));
  }

  it('know parameters where there are some', () => {
    assert.deepEqual(problems('match-condition', 'params.x == 1', { hasParams: true }), []);
  });

  it('know the variables before them, with their types', () => {
    const session = checker.begin({ hasParams: false, hasVariables: true });
    const declare = (name: string, expression: string) =>
      shown(session.declareVariable(name, { use: 'variable', expression, stored: false }));
    const check = (use: ExpressionUse, expression: string) =>
      shown(session.check({ use, expression, stored: false }));
    const undefinedField = (column: number, name: string) =>
      `invalid: compilation failed: ERROR: <input>:1:${column}: undefined field '${name}'`;
    assert.deepEqual(declare('a', 'variables.b'), [undefinedField(10, 'b')]);
    assert.deepEqual(declare('b', '["x"]'), []);
    assert.deepEqual(declare('c', 'quantity("1")'), []);
    assert.deepEqual(check('validation', 'variables.a == 1 && variables.b[0] == "x"'), []);
    assert.deepEqual(check('validation', 'variables.c == 1'), []);
    assert.deepEqual(check('validation', 'variables.d == 1'), [undefinedField(10, 'd')]);
    assert.match(check('validation', 'variables.b == 1')[0] ?? '', /no matching overload/);
    assert.match(check('match-condition', 'variables.b == 1')[0] ?? '', /undeclared reference/);
  });
});
