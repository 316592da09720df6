import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderFieldError, type JsonObject } from '@keelson/apimachinery';
import { createEnvironmentSet } from '@keelson/cel/kubernetes';
import { schemaErrors } from '../customresourcedefinitions/schema-checks.ts';
import { createCostTally } from '../customresourcedefinitions/rule-checks.ts';
import type { JsonSchema, ValidationRule } from '../schema/json-schema.ts';
import { createSchemaRuleCompiler } from './rule-evaluation.ts';
import { createRuleInspector } from './rule-inspector.ts';

const environmentsOf = (minor: number) =>
  createEnvironmentSet({ compatibilityVersion: { major: 1, minor }, authorizerSelectors: true });
const environments = environmentsOf(35);
const compiler = createSchemaRuleCompiler(environments);

const text: JsonSchema = { type: 'string' };
const integer: JsonSchema = { type: 'integer' };

/** A schema with one rule, or several, on `spec`. */
function specWith(rules: readonly ValidationRule[], spec: JsonSchema = {}): JsonSchema {
  return {
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: { n: integer, s: text, l: { type: 'array', items: text } },
        ...spec,
        'x-kubernetes-validations': rules,
      },
    },
  };
}

interface Definition {
  readonly schema: JsonSchema;
  readonly minor?: number;
  readonly stored?: readonly string[];
}

function definitionErrors({ schema, minor = 35, stored = [] }: Definition): string[] {
  const tally = createCostTally();
  const errors = schemaErrors(schema, 'S', {
    options: {
      requireValidTypes: true,
      requireAtomicSets: true,
      requireMapKeys: true,
      ignoreRuleCost: false,
    },
    rules: {
      inspector: createRuleInspector(environmentsOf(minor)),
      tally,
      cardinality: 1n,
      stored: new Set(stored),
    },
  });
  return [...errors, ...tally.errors('S')].map(renderFieldError);
}

const at = 'S.properties[spec].x-kubernetes-validations[0]';
const printed = (rule: string, messageExpression = '') =>
  JSON.stringify({
    Rule: rule,
    Message: '',
    MessageExpression: messageExpression,
    Reason: null,
    FieldPath: '',
    OptionalOldSelf: null,
  });

describe('rules of definitions', () => {
  const rows: readonly [name: string, definition: Definition, ...errors: string[]][] = [
    ['that are right', { schema: specWith([{ rule: 'self.n >= 0 && has(self.s)' }]) }],
    [
      'of resources',
      {
        schema: {
          type: 'object',
          'x-kubernetes-validations': [{ rule: 'self.metadata.name != ""' }],
        },
      },
    ],
    [
      'about unknown fields',
      { schema: specWith([{ rule: 'self.x == 1' }]) },
      `${at}.rule: Invalid value: ${printed('self.x == 1')}: compilation failed: ERROR: <input>:1:5: undefined field 'x'\n | self.x == 1\n | ....^`,
    ],
    [
      'about the labels of a resource',
      {
        schema: {
          type: 'object',
          'x-kubernetes-validations': [{ rule: 'size(self.metadata.labels) == 0' }],
        },
      },
      `S.x-kubernetes-validations[0].rule: Invalid value: ${printed('size(self.metadata.labels) == 0')}: compilation failed: ERROR: <input>:1:19: undefined field 'labels'\n | size(self.metadata.labels) == 0\n | ..................^`,
    ],
    [
      'that are no questions',
      { schema: specWith([{ rule: 'self.n' }]) },
      `${at}.rule: Invalid value: ${printed('self.n')}: cel expression must evaluate to a bool`,
    ],
    [
      'whose messages are no texts',
      { schema: specWith([{ rule: 'true', messageExpression: 'self.n' }]) },
      `${at}.messageExpression: Invalid value: ${printed('true', 'self.n')}: messageExpression must evaluate to a string`,
    ],
    [
      'with constants that cannot be',
      { schema: specWith([{ rule: 'bool("x")' }]) },
      `${at}.rule: Invalid value: ${printed('bool("x")').replaceAll('\\"', '\\"')}: program instantiation failed: type conversion error from 'string' to 'bool'`,
    ],
    [
      'that ask for an old value in an atomic list',
      {
        schema: specWith([], {
          properties: {
            l: {
              type: 'array',
              maxItems: 2,
              items: {
                ...text,
                maxLength: 4,
                'x-kubernetes-validations': [{ rule: 'self == oldSelf' }],
              },
            },
          },
        }),
      },
      'S.properties[spec].properties[l].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within S.properties[spec].properties[l]',
    ],
    [
      'that need no old value',
      { schema: specWith([{ rule: 'true', optionalOldSelf: true }]) },
      `${at}.optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule`,
    ],
    [
      'on values without type',
      {
        schema: {
          type: 'object',
          properties: {
            p: {
              'x-kubernetes-preserve-unknown-fields': true,
              'x-kubernetes-validations': [{ rule: 'true' }],
            },
          },
        },
      },
      'S.properties[p].x-kubernetes-validations: Internal error: internal error: failed to retrieve type information for x-kubernetes-validations',
    ],
    [
      'that use what the release before did not know',
      { schema: specWith([{ rule: 'isIP(self.s)' }]), minor: 29 },
      `${at}.rule: Invalid value: ${printed('isIP(self.s)')}: compilation failed: ERROR: <input>:1:5: undeclared reference to 'isIP' (in container '')\n | isIP(self.s)\n | ....^`,
    ],
    [
      'that were stored and use what is new',
      { schema: specWith([{ rule: 'isIP(self.s)' }]), minor: 29, stored: ['isIP(self.s)'] },
    ],
  ];
  for (const [name, definition, ...errors] of rows) {
    it(name, () => assert.deepEqual(definitionErrors(definition), errors));
  }

  it('must not be too expensive, one by one and together', () => {
    const quadratic = 'self.l.all(x, self.l.all(y, x != y))';
    const bounded: JsonSchema = {
      properties: { l: { type: 'array', maxItems: 100, items: { ...text, maxLength: 64 } } },
    };
    assert.deepEqual(definitionErrors({ schema: specWith([{ rule: quadratic }], bounded) }), []);
    const cubic = 'self.l.all(x, self.l.all(y, self.l.all(z, x != y && y != z)))';
    const advice =
      '(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)';
    assert.deepEqual(definitionErrors({ schema: specWith([{ rule: cubic }], bounded) }), [
      `${at}.rule: Forbidden: estimated rule cost exceeds budget by factor of 5.9x ${advice}`,
    ]);
    assert.deepEqual(definitionErrors({ schema: specWith([{ rule: quadratic }]) }), [
      `${at}.rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${advice}`,
      `${at}.rule: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
      `S: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${advice}`,
    ]);
  });
});

interface Evaluated {
  readonly schema: JsonSchema;
  readonly spec: JsonObject;
  readonly old?: JsonObject;
  readonly ratchet?: boolean;
}

function evaluate({ schema, spec, old, ratchet = true }: Evaluated) {
  const before = old === undefined ? undefined : { spec: old };
  const { errors, warnings } = compiler.compile(schema).evaluate({ spec }, before, { ratchet });
  return { errors: errors.map(renderFieldError), warnings };
}

describe('rules of objects', () => {
  const positive = { rule: 'self.n > 3' };
  const rows: readonly [name: string, evaluated: Evaluated, ...errors: string[]][] = [
    ['that hold', { schema: specWith([positive]), spec: { n: 4 } }],
    [
      'that do not',
      { schema: specWith([positive]), spec: { n: 1 } },
      'spec: Invalid value: failed rule: self.n > 3',
    ],
    [
      'with messages',
      { schema: specWith([{ ...positive, message: ' too small ' }]), spec: { n: 1 } },
      'spec: Invalid value: too small',
    ],
    [
      'with computed messages',
      {
        schema: specWith([
          { ...positive, message: 'm', messageExpression: '"n was " + string(self.n)' },
        ]),
        spec: { n: 1 },
      },
      'spec: Invalid value: n was 1',
    ],
    [
      'with messages that cannot be shown',
      {
        schema: specWith([{ ...positive, message: 'm', messageExpression: '"a\\nb"' }]),
        spec: { n: 1 },
      },
      'spec: Invalid value: m',
    ],
    [
      'with messages that fail',
      { schema: specWith([{ ...positive, messageExpression: 'self.s' }]), spec: { n: 1 } },
      'spec: Invalid value: failed rule: self.n > 3',
    ],
    [
      'with a path and a reason',
      {
        schema: specWith([
          { ...positive, fieldPath: '.n', reason: 'FieldValueForbidden', message: 'm' },
        ]),
        spec: { n: 1 },
      },
      'spec.n: Forbidden: m',
    ],
    [
      'about what is not there',
      { schema: specWith([positive]), spec: { s: 'x' } },
      'spec: Invalid value: "object": no such key: n evaluating rule: self.n > 3',
    ],
    [
      'that meet other types than they think',
      {
        schema: specWith([], {
          properties: {
            io: {
              'x-kubernetes-int-or-string': true,
              'x-kubernetes-validations': [{ rule: 'self < 5' }],
            },
          },
        }),
        spec: { io: 'x' },
      },
      `spec.io: Invalid value: "": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: self < 5`,
    ],
    [
      'about changes, on create',
      { schema: specWith([{ rule: 'self.n >= oldSelf.n' }]), spec: { n: 1 } },
    ],
    [
      'about changes, on update',
      {
        schema: specWith([{ rule: 'self.n >= oldSelf.n', message: 'only up' }]),
        spec: { n: 1 },
        old: { n: 2 },
      },
      'spec: Invalid value: only up',
    ],
    [
      'that ask whether there was a value',
      {
        schema: specWith([
          {
            rule: 'oldSelf.hasValue() || self.n == 0',
            optionalOldSelf: true,
            message: 'start at 0',
          },
        ]),
        spec: { n: 1 },
      },
      'spec: Invalid value: start at 0',
    ],
    [
      'one after the other',
      {
        schema: specWith([
          { rule: 'self.n > 3', message: 'one' },
          { rule: 'self.s == "q"', message: 'two' },
        ]),
        spec: { n: 1, s: 'z' },
      },
      'spec: Invalid value: one',
      'spec: Invalid value: two',
    ],
  ];
  for (const [name, evaluated, ...errors] of rows) {
    it(name, () => assert.deepEqual(evaluate(evaluated).errors, errors));
  }

  it('are told apart by key in lists', () => {
    const schema = specWith([], {
      properties: {
        l: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: {
            type: 'object',
            properties: { k: text, v: integer },
            'x-kubernetes-validations': [{ rule: 'self.v >= oldSelf.v', message: 'grow' }],
          },
        },
      },
    });
    const old = {
      l: [
        { k: 'a', v: 3 },
        { k: 'b', v: 1 },
      ],
    };
    const spec = {
      l: [
        { k: 'b', v: 0 },
        { k: 'a', v: 3 },
        { k: 'c', v: 0 },
      ],
    };
    assert.deepEqual(evaluate({ schema, spec, old }).errors, ['spec.l[0]: Invalid value: grow']);
  });

  it('only warn of what is as it was', () => {
    const schema = specWith([], {
      properties: {
        s: { ...text, 'x-kubernetes-validations': [{ rule: 'size(self) < 3', message: 'short' }] },
        n: integer,
      },
    });
    const old = { s: 'long', n: 1 };
    const warning = 'spec.s: Invalid value: "long": short';
    assert.deepEqual(evaluate({ schema, spec: { s: 'long', n: 2 }, old }), {
      errors: [],
      warnings: [warning],
    });
    assert.deepEqual(evaluate({ schema, spec: { s: 'other', n: 1 }, old }).errors, [
      'spec.s: Invalid value: "other": short',
    ]);
    assert.deepEqual(evaluate({ schema, spec: { s: 'long' }, old, ratchet: false }).errors, [
      warning,
    ]);
  });

  it('end when one is too expensive', () => {
    const loop = 'self.l.all(a, self.l.all(b, self.l.all(c, a != "" && b != "" && c != "")))';
    const schema = specWith([
      { rule: loop, message: 'm' },
      { rule: 'false', message: 'second' },
    ]);
    const l = Array.from({ length: 100 }, (_, i) => `item${i}`);
    assert.deepEqual(evaluate({ schema, spec: { l } }).errors, [
      `spec: Invalid value: "object": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: m`,
    ]);
  });

  it('end when all together are', () => {
    const rule = { rule: 'self.l.all(a, self.l.all(b, a != "" && b != ""))', message: 'm' };
    const schema = specWith(Array.from({ length: 30 }, () => rule));
    const l = Array.from({ length: 290 }, (_, i) => `item${i}`);
    assert.deepEqual(evaluate({ schema, spec: { l } }).errors, [
      'spec: Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run',
    ]);
  });
});
