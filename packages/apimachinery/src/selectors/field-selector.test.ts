import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { mapFields, parseFieldSelector } from './field-selector.ts';
import { SelectorError } from './label-requirement.ts';

const fields = new Map([
  ['metadata.name', 'b'],
  ['spec.x', 'a,b=c\\'],
]);
const read = (field: string) => fields.get(field) ?? '';

describe('parseFieldSelector', () => {
  const rows: [selector: string, canonical: string, matches: boolean][] = [
    ['', '', true],
    [',', '', true],
    ['metadata.name=b', 'metadata.name=b', true],
    ['metadata.name==b', 'metadata.name=b', true],
    ['metadata.name!=b', 'metadata.name!=b', false],
    ['metadata.name=', 'metadata.name=', false],
    ['no.such=', 'no.such=', true],
    ['z=1,metadata.name=b', 'metadata.name=b,z=1', false],
    ['spec.x=a\\,b\\=c\\\\', 'spec.x=a\\,b\\=c\\\\', true],
    ['metadata.name=a,metadata.name=b', 'metadata.name=a,metadata.name=b', false],
  ];
  for (const [text, canonical, matches] of rows) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const selector = parseFieldSelector(text);
      assert.equal(selector.toString(), canonical);
      assert.equal(selector.matches(read), matches);
    });
  }
  const bad: [selector: string, message: string][] = [
    ['metadata.name', "invalid selector: 'metadata.name'; can't understand 'metadata.name'"],
    ['b=1,a', "invalid selector: 'b=1,a'; can't understand 'a'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
    ['a in (b)', "invalid selector: 'a in (b)'; can't understand 'a in (b)'"],
  ];
  for (const [text, message] of bad) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(() => parseFieldSelector(text), new SelectorError(message));
    });
  }
});

describe('mapFields', () => {
  it('renames, drops and refuses', () => {
    const selector = parseFieldSelector('name=b,ns!=x,all=1');
    const mapped = mapFields(selector, (field, value) =>
      field === 'all' ? undefined : { field: `metadata.${field}`, value },
    );
    assert.equal(mapped.toString(), 'metadata.name=b,metadata.ns!=x');
    assert.equal(mapped.exactValue('metadata.name'), 'b');
    assert.equal(mapped.exactValue('metadata.ns'), undefined);
    assert.equal(mapFields(selector, () => undefined).isEmpty, true);
    assert.throws(() =>
      mapFields(selector, () => {
        throw new SelectorError('field label not supported: name');
      }),
    );
  });
});
