import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { intersectRules } from './rule-intersection.ts';
import { ruleAllows, type PolicyRule } from './rules.ts';

const some = (...values: string[]) => fc.subarray(values, { maxLength: 2 });
const rule = fc.record<PolicyRule>({
  verbs: some('get', 'list', '*'),
  apiGroups: some('', 'apps', '*'),
  resources: some('pods', 'pods/log', '*/log', '*', 'deployments'),
  resourceNames: some('x', 'y'),
  nonResourceURLs: some('/a', '/a/*', '/a/b*', '*', '/c'),
});
const question = fc.oneof(
  fc.record({
    verb: fc.constantFrom('get', 'list', 'create'),
    group: fc.constantFrom('', 'apps', 'batch'),
    resource: fc.constantFrom('pods', 'pods/log', 'deployments', 'jobs/log'),
    namespace: fc.constantFrom('', 'shop'),
    name: fc.constantFrom('', 'x', 'z'),
  }),
  fc.record({
    verb: fc.constantFrom('get', 'post'),
    url: fc.constantFrom('/a', '/a/b', '/a/bc', '/c', '/d'),
  }),
);

test('allowed is what both rules allow, and nothing else', () => {
  let allowed = 0;
  fc.assert(
    fc.property(rule, rule, question, (a, b, asked) => {
      const both = intersectRules(a, b);
      const isAllowed = both !== undefined && ruleAllows(both, asked);
      if (isAllowed) allowed++;
      assert.equal(isAllowed, ruleAllows(a, asked) && ruleAllows(b, asked));
    }),
    { numRuns: 20_000, seed: 20_261_121 },
  );
  assert.ok(allowed > 100, `${allowed} questions were allowed`);
});

test('rules with nothing in common', () => {
  const pods: PolicyRule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  const rows: [a: PolicyRule, b: PolicyRule][] = [
    [pods, { ...pods, verbs: ['list'] }],
    [pods, { ...pods, apiGroups: ['apps'] }],
    [pods, { ...pods, resources: ['pods/log', '*/log'] }],
    [
      { ...pods, resourceNames: ['x'] },
      { ...pods, resourceNames: ['y'] },
    ],
    [pods, { verbs: ['get'], nonResourceURLs: ['*'] }],
    [pods, {}],
  ];
  for (const [a, b] of rows) assert.equal(intersectRules(a, b), undefined, JSON.stringify(b));
});
