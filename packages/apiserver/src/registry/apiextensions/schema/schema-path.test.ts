import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSchema } from './json-schema.ts';
import { resolveSchemaPath } from './schema-path.ts';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        color: { type: 'string' },
        'odd.name': { type: 'string' },
        map: { type: 'object', additionalProperties: { type: 'integer' } },
        list: { type: 'array', items: { type: 'string' } },
      },
    },
  },
};

const found: readonly (readonly [string, string, readonly string[]])[] = [
  ['.spec.color', 'string', ['spec', 'color']],
  ["['spec']['odd.name']", 'string', ['spec', 'odd.name']],
  ['.spec.map.key', 'integer', ['spec', 'map', 'key']],
];

for (const [path, type, segments] of found) {
  test(`path ${path}`, () => {
    const result = resolveSchemaPath(path, schema);
    assert.ok(result.ok, result.ok ? '' : result.why);
    assert.equal(result.resolved.schema.type, type);
    assert.deepEqual(result.resolved.segments, segments);
  });
}

for (const path of ['.spec.size', 'spec.color', '.spec.list[0]', '.spec.', "['spec'"]) {
  test(`path that leads nowhere: ${path}`, () => {
    assert.equal(resolveSchemaPath(path, schema).ok, false);
  });
}

test('brackets only where they are allowed', () => {
  assert.equal(resolveSchemaPath("['spec'].color", schema, { brackets: false }).ok, false);
});
