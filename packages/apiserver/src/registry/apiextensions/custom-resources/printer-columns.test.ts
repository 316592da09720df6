import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonPath } from './json-path.ts';
import { createPrinterTable } from './printer-columns.ts';

const nowMs = Date.parse('2024-01-02T00:00:00Z');
const object = {
  apiVersion: 'example.com/v1',
  kind: 'Thing',
  metadata: { name: 'o', creationTimestamp: '2024-01-01T00:00:00Z' },
  spec: {
    n: 2,
    f: 1.5,
    yes: true,
    text: 'x',
    list: [
      { type: 'A', v: 'a' },
      { type: 'B', v: 'b' },
    ],
    map: { z: 1 },
    at: '2024-01-01T23:00:00Z',
  },
};

const cells: readonly (readonly [string, string, unknown])[] = [
  ['.spec.text', 'string', 'x'],
  ['.spec.n', 'integer', 2],
  ['.spec.f', 'number', 1.5],
  ['.spec.yes', 'boolean', true],
  ['.spec.n', 'string', '2'],
  ['.spec.map', 'string', '{"z":1}'],
  ['.spec.at', 'date', '60m'],
  ['.spec.list[?(@.type=="B")].v', 'string', 'b'],
  ['.spec.list[1].v', 'string', 'b'],
  ['.spec.none', 'string', null],
  ['.spec.text', 'integer', null],
  ['.spec.text', 'boolean', null],
];

for (const [jsonPath, type, expected] of cells) {
  test(`column ${jsonPath} as ${type}`, () => {
    const table = createPrinterTable([{ name: 'C', type, jsonPath }]);
    assert.deepEqual(table.cells(object, nowMs), ['o', expected]);
  });
}

test('without columns there is the age', () => {
  const table = createPrinterTable(undefined);
  assert.deepEqual(
    table.columns.map(({ name }) => name),
    ['Name', 'Age'],
  );
  assert.deepEqual(table.cells(object, nowMs), ['o', '24h']);
});

for (const path of ['.spec[', '.a[?(@.x)', 'spec}']) {
  test(`a path that cannot be read: ${path}`, () => {
    assert.throws(() => parseJsonPath(path));
  });
}
