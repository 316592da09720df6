// The expression language as Kubernetes extends it: what a new expression may be, and what libraries
// say. Costs of rules in definitions are in `crd-rules.test.ts`.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { formatIssues } from '@keelson/cel';
import { createEnvironmentSet } from '@keelson/cel/kubernetes';
import {
  assertRefused,
  configMaps,
  customResources,
  definition,
  definitions,
  map,
  registration,
  ruleFor,
  startCluster,
} from './cluster.ts';

const environmentsOf = (minor: number) =>
  createEnvironmentSet({ compatibilityVersion: { major: 1, minor }, authorizerSelectors: true });
const { newExpressions } = environmentsOf(35);

function evaluate(text: string, environment = newExpressions): unknown {
  const { program, issues } = environment.compile(text);
  assert.ok(program, issues && formatIssues(text, issues));
  return program.evaluate({}).result;
}
function problemOf(text: string, environment = newExpressions): string {
  return (environment.compile(text).issues ?? []).map(({ message }) => message).join('; ');
}

const rows: readonly [title: string, expression: string, value: unknown][] = [
  ['admission §7 (3): binary and decimal', "quantity('1Gi').isGreaterThan(quantity('1G'))", true],
  ['admission §7 (3): equal', "quantity('1Gi').isGreaterThan(quantity('1024Mi'))", false],
  ['admission §7 (4): an octet too large', "isIP('127.0.0.256')", false],
  ['admission §7 (4): an address', "isIP('127.0.0.255')", true],
  ['admission §7 (10): within', "cidr('10.0.0.0/8').containsCIDR('10.1.0.0/16')", true],
  ['admission §7 (10): around', "cidr('10.1.0.0/16').containsCIDR('10.0.0.0/8')", false],
  ['admission §7 (11): normalized', "semver('v1.0', true) == semver('1.0.0')", true],
  ['admission §7 (11): as it is', "isSemver('v1.0')", false],
  ['admission §7 (12): absent', '{"metadata": {"replicas": 3}}.?spec.?replicas.orValue(1)', 1n],
  ['admission §7 (12): there', '{"spec": {"replicas": 3}}.?spec.?replicas.orValue(1)', 3n],
];

describe('expressions', () => {
  for (const [title, expression, value] of rows)
    it(`${title}, ${expression}`, () => assert.equal(evaluate(expression), value));

  it('admission §7 (1): the values of a literal have one type', () => {
    assert.match(problemOf("[1, 'a']"), /expected type 'int' but found 'string'/);
    assert.match(problemOf("{'a': 1, 'b': 'c'}"), /expected type 'int' but found 'string'/);
    assert.equal(problemOf('[1, 2]'), '');
  });

  it('admission §7 (2): numbers of different types are ordered, not equal', () => {
    assert.match(
      problemOf('1 == 1.0'),
      /no matching overload for '_==_' applied to '\(int, double\)'/,
    );
    assert.equal(evaluate('1 < 1.5'), true);
    const before = environmentsOf(27).newExpressions;
    assert.match(problemOf('1 < 1.5', before), /no matching overload for '_<_'/);
    assert.equal(evaluate('1 < 1.5', environmentsOf(28).newExpressions), true);
  });
});

describe('expressions in a cluster', async () => {
  const { cluster, send, create } = await startCluster();
  after(() => cluster.close());

  const policy = (name: string, expression: string) => ({
    metadata: { name },
    spec: {
      matchConstraints: {
        resourceRules: [ruleFor('configmaps')],
        objectSelector: { matchLabels: { about: name } },
      },
      validations: [{ expression }],
    },
  });
  const policies = `${registration}/validatingadmissionpolicies`;
  const bound = async (name: string, expression: string) => {
    await create(policies, policy(name, expression));
    await create(`${registration}/validatingadmissionpolicybindings`, {
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    });
  };

  it('admission §7 (5): a pattern that is none is no program', async () => {
    const refused = await send('POST', policies, policy('pattern', "'x'.find('[') == ''"));
    assertRefused(refused, 422, /missing closing \]/);
    await create(policies, policy('pattern', "'x'.find('[x]') == 'x'"));
  });

  it('admission §7 (6), (7): sets, and names that are no identifiers', async () => {
    const list = (kind: string) => ({
      type: 'array',
      maxItems: 5,
      items: { type: 'string', maxLength: 5 },
      'x-kubernetes-list-type': kind,
    });
    const string = { type: 'string', maxLength: 9 };
    const properties = {
      set: list('set'),
      atomic: list('atomic'),
      'foo-bar': string,
      namespace: string,
    };
    const rules = [
      { rule: "!has(self.set) || self.set == ['b', 'a']", message: 'set' },
      { rule: "!has(self.atomic) || self.atomic == ['b', 'a']", message: 'atomic' },
      { rule: "!has(self.foo__dash__bar) || self.foo__dash__bar == 'x'", message: 'dash' },
      { rule: "!has(self.__namespace__) || self.__namespace__ == 'x'", message: 'escaped' },
      { rule: "!has(self.namespace) || self.namespace == 'x'", message: 'plain' },
    ];
    const spec = { type: 'object', properties };
    await create(definitions, definition({ plural: 'named', kind: 'Named', spec, rules }));
    const failed = async (value: object) => {
      const { status, body } = await send('POST', `${customResources('named')}?dryRun=All`, {
        apiVersion: 'example.com/v1',
        kind: 'Named',
        metadata: { name: 'o' },
        spec: value,
      });
      if (status === 201) return [];
      const { details } = body as unknown as { details: { causes: { message: string }[] } };
      return details.causes.map(({ message }) => message.replace('Invalid value: ', ''));
    };
    assert.deepEqual(await failed({ set: ['a', 'b'] }), []);
    assert.deepEqual(await failed({ set: ['a', 'c'] }), ['set']);
    assert.deepEqual(await failed({ atomic: ['a', 'b'] }), ['atomic']);
    assert.deepEqual(await failed({ atomic: ['b', 'a'] }), []);
    assert.deepEqual(await failed({ 'foo-bar': 'x', namespace: 'x' }), []);
    assert.deepEqual(await failed({ 'foo-bar': 'y', namespace: 'y' }), [
      'dash',
      'escaped',
      'plain',
    ]);
  });

  it('admission §7 (9): at most two questions to the authorizer', async () => {
    const check = (verb: string) =>
      `authorizer.group('').resource('pods').check('${verb}').allowed()`;
    const [one, two, three] = ['get', 'list', 'watch'].map(check);
    await bound('two', `${one} && ${two}`);
    await create(configMaps, map('two', {}, { about: 'two' }));
    await bound('three', `${one} && ${two} && ${three}`);
    assertRefused(
      await send('POST', configMaps, map('three', {}, { about: 'three' })),
      422,
      /resulted in error: operation cancelled: actual cost limit exceeded$/,
    );
  });
});
