import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Environment } from '../environment.ts';
import { formatIssues } from '../issue.ts';
import { fromJson, type JsonLike } from '../values/json.ts';
import { isEqual } from '../values/equality.ts';
import { isError } from '../values/value.ts';
import { createEnvironmentSet } from './environment-set.ts';
import { instantiationProblem } from './instantiation.ts';
import { jsonPatchLibrary } from './libraries/json-patch.ts';
import {
  authorizerVariable,
  requestResourceVariable,
  type AuthorizationCheck,
  type CheckAuthorizer,
} from './libraries/authorizer.ts';
import { kubernetesTypes } from './types.ts';

const { newExpressions } = createEnvironmentSet({
  compatibilityVersion: { major: 1, minor: 35 },
  authorizerSelectors: true,
});
const environment = newExpressions.extend({
  libraries: [jsonPatchLibrary],
  variables: {
    authorizer: kubernetesTypes.authorizer,
    'authorizer.requestResource': kubernetesTypes.resourceCheck,
  },
});

function evaluate(text: string, bindings = {}) {
  const { program, issues } = environment.compile(text);
  assert.ok(program, issues && formatIssues(text, issues));
  return program.evaluate(bindings);
}

function compileError(environmentOf: Environment, text: string): string | undefined {
  const { issues } = environmentOf.compile(text);
  return issues?.map(({ message }) => message).join('; ');
}

const values: readonly [text: string, expected: JsonLike][] = [
  ['[1, 3, 2].isSorted()', false],
  ['["a", "b"].isSorted()', true],
  ['[].isSorted()', true],
  ['[1, 2].sum()', 3],
  ['[duration("1s"), duration("2s")].sum() == duration("3s")', true],
  ['[3, 1, 2].min()', 1],
  ['["b", "a"].max()', 'b'],
  ['[1, 2, 1].indexOf(1)', 0],
  ['[1, 2, 1].lastIndexOf(1)', 2],
  ['[1].indexOf(5)', -1],
  ['"abc123".find("[0-9]+")', '123'],
  ['"abc".find("[0-9]+")', ''],
  ['"a1b2c3".findAll("[0-9]", 2)', ['1', '2']],
  ['"aaa".findAll("a", -1)', ['a', 'a', 'a']],
  ['"aaa".findAll("a", 0)', []],
  ['url("https://h:8443/a?x=1").getPort()', '8443'],
  ['url("https://h/?x=1&x=2").getQuery()', { x: ['1', '2'] }],
  ['isURL("a.b")', false],
  ['url("https://h/a") == url("https://h/a")', true],
  ['ip("::1").family()', 6],
  ['ip.isCanonical("2001:DB8::1")', false],
  ['string(ip("2001:0db8::0001"))', '2001:db8::1'],
  ['ip("1.2.3.4") == ip("1.2.3.4")', true],
  ['type(ip("1.2.3.4")) == net.IP', true],
  ['cidr("10.0.0.0/8").containsIP("10.1.2.3")', true],
  ['cidr("10.0.0.0/8").containsCIDR("10.2.0.0/16")', true],
  ['cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8")', true],
  ['cidr("10.1.2.3/8").ip() == ip("10.1.2.3")', true],
  ['cidr("10.1.2.3/8").prefixLength()', 8],
  ['quantity("1Gi").isGreaterThan(quantity("1G"))', true],
  ['quantity("1").add(quantity("500m")) == quantity("1500m")', true],
  ['quantity("1").sub(1).asInteger()', 0],
  ['sign(quantity("-3"))', -1],
  ['isQuantity("10Zi")', false],
  ['semver("1.2.3-rc.1").isLessThan(semver("1.2.3"))', true],
  ['semver("v1.0", true) == semver("1.0.0")', true],
  ['dyn("1") == dyn(quantity("1"))', false],
  ['dyn(quantity("1")) != dyn("1")', true],
  ['isSemver("v1.0")', false],
  ['semver("1.2.3").minor()', 2],
  ['format.dns1123Label().validate("Bad").hasValue()', true],
  ['format.dns1123Label().validate("good").hasValue()', false],
  ['format.named("uuid").value().validate("x").value()', ['does not match the UUID format']],
  ['format.named("nope").hasValue()', false],
  ['jsonpatch.escapeKey("a/b~c")', 'a~1b~0c'],
];

const failures: readonly [text: string, message: string][] = [
  ['[1].filter(x, x > 1).min()', 'min called on empty list'],
  ['dyn([9223372036854775807, 1]).sum()', 'integer overflow'],
  ['"x".find("[" + "")', 'Illegal regex: error parsing regexp: missing closing ]: `[`'],
  [
    'url("not a url")',
    'URL parse error during conversion from string: parse "not a url": invalid URI for request',
  ],
  ['ip("::ffff:1.2.3.4")', 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed'],
  ['quantity("1.5").asInteger()', 'cannot convert value to integer'],
  ['dyn(quantity("1")) == dyn("1")', 'no such overload'],
  ['semver("1.2")', 'No Major.Minor.Patch elements found'],
  ['authorizer.path(" ")', 'path must not be empty'],
  ['authorizer.group("").resource("")', 'resource must not be empty'],
  ['authorizer.serviceAccount("a", "B!")', 'Invalid service account name'],
  ['authorizer.serviceAccount("A", "b")', 'Invalid service account namespace'],
];

describe('the libraries of Kubernetes', () => {
  for (const [text, expected] of values) {
    it(text, () => {
      const { result } = evaluate(text);
      assert.ok(!isError(result), text);
      assert.ok(isEqual(result, fromJson(expected)), String(result));
    });
  }

  for (const [text, message] of failures) {
    it(`${text} fails`, () => {
      const { result } = evaluate(text, { authorizer: authorizerVariable(recorder()) });
      assert.deepEqual(isError(result) && result.message, message);
    });
  }

  const refused: readonly [text: string, message: string][] = [
    ['[[1]].sum()', "found no matching overload for 'sum' applied to 'list(list(int)).()'"],
    [
      'quantity("-3").sign()',
      "found no matching overload for 'sign' applied to 'kubernetes.Quantity.()'",
    ],
    [
      'string(quantity("1"))',
      "found no matching overload for 'string' applied to '(kubernetes.Quantity)'",
    ],
    ['[1, "a"].isSorted()', "expected type 'int' but found 'string'"],
  ];
  for (const [text, message] of refused) {
    it(`${text} does not compile`, () => assert.equal(compileError(environment, text), message));
  }
});

function recorder(seen: (AuthorizationCheck | string)[] = []): CheckAuthorizer {
  return {
    check(check) {
      seen.push(check);
      const isAllowed = check.verb === 'get';
      return isAllowed ? { isAllowed, reason: 'may' } : { isAllowed, reason: '', error: 'no' };
    },
    forServiceAccount(namespace, name) {
      seen.push(`${namespace}/${name}`);
      return recorder(seen);
    },
  };
}

describe('authorizer', () => {
  it('asks what was built', () => {
    const seen: (AuthorizationCheck | string)[] = [];
    const text =
      'authorizer.serviceAccount("ns", "sa").group("apps").resource("deployments")' +
      '.subresource("scale").namespace("a").name("b").fieldSelector("x=y").labelSelector("l")' +
      '.check("get").allowed()';
    const { result, cost } = evaluate(text, { authorizer: authorizerVariable(recorder(seen)) });
    assert.equal(result, true);
    assert.ok(cost > 350_000);
    assert.deepEqual(seen, [
      'ns/sa',
      {
        group: 'apps',
        resource: 'deployments',
        subresource: 'scale',
        namespace: 'a',
        name: 'b',
        fieldSelector: 'x=y',
        labelSelector: 'l',
        verb: 'get',
      },
    ]);
  });

  it('has paths, errors and the resource of the request', () => {
    const by = recorder();
    const bindings = {
      authorizer: authorizerVariable(by),
      'authorizer.requestResource': requestResourceVariable(by, {
        group: '',
        resource: 'pods',
        subresource: '',
        namespace: 'a',
        name: 'b',
      }),
    };
    for (const [text, expected] of [
      ['authorizer.path("/healthz").check("get").reason()', 'may'],
      ['authorizer.path("/healthz").check("post").error()', 'no'],
      ['authorizer.path("/healthz").check("post").errored()', true],
      ['authorizer.requestResource.check("get").allowed()', true],
    ] as const) {
      assert.equal(evaluate(text, bindings).result, expected, text);
    }
  });
});

describe('releases', () => {
  const at = (minor: number) =>
    createEnvironmentSet({ compatibilityVersion: { major: 1, minor }, authorizerSelectors: true });
  const introduced: readonly [text: string, minor: number][] = [
    ['isURL("a")', 25],
    ['optional.of(1).hasValue()', 28],
    ['isQuantity("1")', 28],
    ['1 < 1.5', 28],
    ['sets.contains([1], [1])', 29],
    ['isIP("a")', 30],
    ['format.uuid().validate("a").hasValue()', 31],
    ['[1].all(i, v, v > i)', 32],
    ['isSemver("1.2.3")', 33],
    ['[3, 1].sort() == [1, 3]', 34],
  ];
  for (const [text, minor] of introduced) {
    it(`know ${text} from 1.${minor} on`, () => {
      const before = at(minor - 1);
      assert.notEqual(minor > 25 && compileError(before.newExpressions, text), undefined);
      assert.equal(compileError(before.storedExpressions, text), undefined);
      assert.equal(compileError(at(minor).newExpressions, text), undefined);
    });
  }
});

describe('programs', () => {
  const rows: readonly [text: string, problem: string | undefined][] = [
    ['bool("yes")', "type conversion error from 'string' to 'bool'"],
    ['[1].all(x, int("a") == x)', "type conversion error from 'string' to 'int'"],
    ['"a".find("[") == ""', 'error parsing regexp: missing closing ]: `[`'],
    ['bool("true")', undefined],
    ['int(string(5)) == 5', undefined],
  ];
  for (const [text, problem] of rows) {
    it(`are made of ${text} or not`, () => {
      const { program } = environment.compile(text);
      assert.ok(program);
      assert.equal(instantiationProblem(program), problem);
    });
  }
});
