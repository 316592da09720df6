// Validation rules of custom resources (KEP-2876) and ratcheting (KEP-4008) in a whole cluster.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  assertRefused,
  customResources,
  definition,
  definitions,
  startCluster,
} from './cluster.ts';

const shared = await startCluster();
after(() => shared.cluster.close());
const { send, create } = shared;

const integer = { type: 'integer' };
const text = { type: 'string' };

let kinds = 0;
/** A custom resource of its own whose `spec` has these fields and rules. */
async function define(properties: object, rules: readonly object[]) {
  const plural = `kinds${++kinds}`;
  const kind = `Kind${kinds}`;
  const spec = { type: 'object', properties };
  await create(definitions, definition({ plural, kind, spec, rules }));
  const path = customResources(plural);
  const object = (name: string, value: object) => ({
    apiVersion: 'example.com/v1',
    kind,
    metadata: { name },
    spec: value,
  });
  return {
    path,
    object,
    post: (name: string, value: object) => send('POST', path, object(name, value)),
    /** Replaces `spec`, whatever the version. */
    async put(name: string, value: object) {
      const { body } = await send('GET', `${path}/${name}`);
      return send('PUT', `${path}/${name}`, { ...(body as object), spec: value });
    },
    refused: (name: string, why: string) => `${kind}.example.com "${name}" is invalid: ${why}`,
  };
}

/** Why a definition with these fields and rules of `spec` is refused. */
const definingFails = async (properties: object, rules: readonly object[], why: RegExp) =>
  assertRefused(
    await send(
      'POST',
      definitions,
      definition({ plural: 'refused', kind: 'Refused', spec: { properties }, rules }),
    ),
    422,
    why,
  );

describe('validation rules', () => {
  it('admission §8 (1): a rule that fails is the message', async () => {
    const rule = 'self.replicas <= self.max';
    const { post, refused } = await define({ replicas: integer, max: integer }, [{ rule }]);
    assert.equal((await post('good', { replicas: 1, max: 1 })).status, 201);
    assertRefused(
      await post('bad', { replicas: 2, max: 1 }),
      422,
      refused('bad', `spec: Invalid value: failed rule: ${rule}`),
    );
  });

  it('admission §8 (2): fieldPath says which field is at fault', async () => {
    const rule = { rule: 'self.replicas <= 3', fieldPath: '.replicas', message: 'too many' };
    const { post, refused } = await define({ replicas: integer }, [rule]);
    const decision = await post('bad', { replicas: 4 });
    assertRefused(decision, 422, refused('bad', 'spec.replicas: Invalid value: too many'));
    const { details } = decision.body as unknown as { details: { causes: { field: string }[] } };
    assert.deepEqual(
      details.causes.map(({ field }) => field),
      ['spec.replicas'],
    );
  });

  it('admission §8 (3): the reason is that of the cause', async () => {
    for (const [reason, why] of [
      ['FieldValueForbidden', 'spec: Forbidden: no'],
      ['FieldValueRequired', 'spec: Required value: no'],
      ['FieldValueInvalid', 'spec: Invalid value: no'],
      ['FieldValueDuplicate', 'spec: Duplicate value'],
    ] as const) {
      const { post, refused } = await define({ n: integer }, [
        { rule: 'self.n > 0', reason, message: 'no' },
      ]);
      assertRefused(await post('bad', { n: 0 }), 422, refused('bad', why));
    }
  });

  it('admission §8 (4): what does not change once it is there', async () => {
    const fixed = { ...text, 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] };
    const { post, put, refused } = await define({ fixed, free: text }, []);
    assert.equal((await post('o', { fixed: 'a', free: 'x' })).status, 201);
    assert.equal((await put('o', { fixed: 'a', free: 'y' })).status, 200);
    assertRefused(
      await put('o', { fixed: 'b', free: 'y' }),
      422,
      refused('o', 'spec.fixed: Invalid value: "b": failed rule: self == oldSelf'),
    );
  });

  it('admission §8 (5): a rule about an old value that may be absent', async () => {
    const rule = 'oldSelf.hasValue() ? self >= oldSelf.value() : self < 10';
    const n = { ...integer, 'x-kubernetes-validations': [{ rule, optionalOldSelf: true }] };
    const { post, put, refused } = await define({ n }, []);
    const why = (value: number) => `spec.n: Invalid value: ${value}: failed rule: ${rule}`;
    assertRefused(await post('o', { n: 10 }), 422, refused('o', why(10)));
    assert.equal((await post('o', { n: 9 })).status, 201);
    assert.equal((await put('o', { n: 10 })).status, 200);
    assertRefused(await put('o', { n: 9 }), 422, refused('o', why(9)));
  });

  it('admission §8 (6): no old value of what has no identity', async () => {
    const items = { type: 'integer', 'x-kubernetes-validations': [{ rule: 'self >= oldSelf' }] };
    await definingFails(
      { list: { type: 'array', 'x-kubernetes-list-type': 'atomic', items } },
      [],
      /rule: Invalid value: "self >= oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within spec\.validation\.openAPIV3Schema\.properties\[spec\]\.properties\[list\]/,
    );
  });

  it('admission §8 (7), §7 (8): loops over lists without bounds cost too much', async () => {
    const lists = {
      type: 'array',
      items: { type: 'array', items: { type: 'array', items: text } },
    };
    const loop = 'self.lists.all(a, a.all(b, b.all(c, c.startsWith("x"))))';
    await definingFails(
      { lists },
      [{ rule: loop }],
      /rule: Forbidden: estimated rule cost exceeds budget by factor of more than 100x \(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared\)/,
    );
    const bounded = (items: object) => ({ type: 'array', maxItems: 5, items });
    await define({ lists: bounded(bounded(bounded({ ...text, maxLength: 9 }))) }, [{ rule: loop }]);
  });

  it('admission §8 (8): a message that is computed', async () => {
    const list = { type: 'array', items: { ...text, maxLength: 9 }, maxItems: 9 };
    const messageExpression = '"not like " + self.list[0]';
    const rule = { rule: 'self.n <= 3', message: 'too many', messageExpression };
    const { post, refused } = await define({ n: integer, list }, [rule]);
    const why = (message: string) => refused('o', `spec: Invalid value: ${message}`);
    assertRefused(await post('o', { n: 4, list: ['this'] }), 422, why('not like this'));
    assertRefused(await post('o', { n: 4, list: [] }), 422, why('too many'));
  });

  it('admission §8 (9): what was stored before the rule is only warned of', async () => {
    const old = await define({ n: integer, other: text }, []);
    assert.equal((await old.post('o', { n: 5, other: 'a' })).status, 201);
    const name = `kinds${kinds}.example.com`;
    const { body } = await send('GET', `${definitions}/${name}`);
    const strict = { ...integer, 'x-kubernetes-validations': [{ rule: 'self < 5' }] };
    const changed = definition({
      plural: `kinds${kinds}`,
      kind: `Kind${kinds}`,
      spec: { type: 'object', properties: { n: strict, other: text } },
    });
    const { spec } = changed;
    const updated = await send('PUT', `${definitions}/${name}`, { ...(body as object), spec });
    assert.equal(updated.status, 200);
    const decision = await old.put('o', { n: 5, other: 'b' });
    assert.equal(decision.status, 200);
    assert.deepEqual(decision.warnings, ['spec.n: Invalid value: 5: failed rule: self < 5']);
    assertRefused(
      await old.put('o', { n: 6, other: 'b' }),
      422,
      old.refused('o', 'spec.n: Invalid value: 6: failed rule: self < 5'),
    );
  });

  it('admission §8 (10): an evaluation ends when its budget is spent', async () => {
    const list = { type: 'array', maxItems: 600, items: integer };
    const numbers = (length: number) => ({ list: Array.from({ length }, (_, i) => i) });
    const pairs = (least: number) => ({
      rule: `self.list.all(a, self.list.all(b, a + b >= ${-least}))`,
    });
    const one = await define({ list }, [pairs(0)]);
    assert.equal((await one.post('few', numbers(300))).status, 201);
    const { rule } = pairs(0);
    assertRefused(
      await one.post('many', numbers(600)),
      422,
      one.refused(
        'many',
        `spec: Invalid value: "object": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: ${rule}`,
      ),
    );
    const rules = Array.from({ length: 30 }, (_, i) => pairs(i));
    const all = await define({ list }, rules);
    assert.equal((await all.post('few', numbers(100))).status, 201);
    assertRefused(
      await all.post('many', numbers(300)),
      422,
      all.refused(
        'many',
        'spec: Invalid value: "object": validation failed due to running out of cost budget, no further validation rules will be run',
      ),
    );
  });

  it('admission §8 (11): a number or a text, told apart by its type', async () => {
    const port = { 'x-kubernetes-int-or-string': true };
    const rule = 'type(self.port) == int ? self.port > 0 : self.port.endsWith("%")';
    const { post } = await define({ port }, [{ rule }]);
    assert.equal((await post('number', { port: 1 })).status, 201);
    assert.equal((await post('text', { port: '5%' })).status, 201);
    for (const bad of [0, 'x'])
      assertRefused(await post('bad', { port: bad }), 422, /failed rule: type\(self\.port\)/);
  });

  it('admission §8 (12): of the metadata, only the names', async () => {
    const rooted = (rule: string) => {
      const given = definition({ plural: 'roots', kind: 'Root' });
      const [version] = given.spec.versions;
      const schema = {
        openAPIV3Schema: {
          ...version?.schema.openAPIV3Schema,
          'x-kubernetes-validations': [{ rule }],
        },
      };
      return { ...given, spec: { ...given.spec, versions: [{ ...version, schema }] } };
    };
    assertRefused(
      await send('POST', definitions, rooted('"a" in self.metadata.labels')),
      422,
      /compilation failed: ERROR: <input>:1:\d+: undefined field 'labels'/,
    );
    await create(definitions, rooted('self.metadata.name != "x"'));
  });
});
