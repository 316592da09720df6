// AlwaysAdmit and AlwaysDeny.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit, createTestAttributes } from '../testing.ts';
import { createAlwaysAdmit } from './always-admit.ts';
import { createAlwaysDeny } from './always-deny.ts';

const operations = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const;

test('AlwaysAdmit admits, AlwaysDeny denies, whatever the operation', async () => {
  for (const operation of operations) {
    const attributes = createTestAttributes({ operation, name: 'web' });
    assert.equal(await admit(createAlwaysAdmit(), attributes), undefined);
    assert.equal(
      await admit(createAlwaysDeny(), attributes),
      'pods "web" is forbidden: admission control is denying all modifications',
    );
  }
});

test('a refusal names the object as well as it can', async () => {
  const rows: [metadata: object, shown: string][] = [
    [{ name: 'web' }, 'web'],
    [{ generateName: 'web-' }, 'web-'],
    [{}, 'Unknown'],
  ];
  for (const [metadata, shown] of rows) {
    const refusal = await admit(createAlwaysDeny(), createTestAttributes({ object: { metadata } }));
    assert.match(refusal ?? '', new RegExp(`^pods "${shown}" is forbidden`));
  }
});
