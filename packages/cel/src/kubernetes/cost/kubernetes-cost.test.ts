import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SizeEstimate } from '../../cost/cost.ts';
import { formatIssues } from '../../issue.ts';
import { isError } from '../../values/value.ts';
import { createEnvironmentSet } from '../environment-set.ts';
import { authorizerVariable, type CheckAuthorizer } from '../libraries/authorizer.ts';
import { jsonPatchLibrary } from '../libraries/json-patch.ts';
import { kubernetesTypes } from '../types.ts';

const environment = createEnvironmentSet({
  compatibilityVersion: { major: 1, minor: 35 },
  authorizerSelectors: true,
}).newExpressions.extend({
  // Folded constants would cost nothing.
  foldConstants: false,
  homogeneousLiterals: false,
  libraries: [jsonPatchLibrary],
  variables: { authorizer: kubernetesTypes.authorizer },
});

const allowing: CheckAuthorizer = {
  check: () => ({ isAllowed: true, reason: '' }),
  forServiceAccount: () => allowing,
};

const strings = `[${"'012345678901', ".repeat(5)}]`.replace(', ]', ']');
const url = "url('https:://kubernetes.io/')";
const ip6 = "ip('2001:db8:3333:4444:5555:6666:7777:8888')";
const selector = "'spec.nodeName=example-node-name.fully.qualified.domain.name.example.com'";
const letters = "['aa', 'bb', 'cc', 'd', 'e', 'f', 'g', 'h', 'i', 'j']";

/** Texts that are in no variable are taken to be short. */
const textSizes: Readonly<Record<string, SizeEstimate>> = {
  string: { min: 0, max: 12 },
  bytes: { min: 0, max: 12 },
};

type Row = readonly [expression: string, min: number, max: number, counted: number];

// What kube-apiserver estimates and counts for these.
const rows: Readonly<Record<string, readonly Row[]>> = {
  lists: [
    ['[1, 2, 3, 4, 5].sum()', 15, 15, 15],
    ['[uint(1), uint(2), uint(3), uint(4), uint(5)].max()', 20, 20, 20],
    ['[false, true].isSorted()', 12, 12, 12],
    [`${strings}.min()`, 15, 25, 15],
    [`${strings}.indexOf('x')`, 15, 25, 15],
    ["'01234567890123456789012345678901234567890123456789'.indexOf('123')", 5, 5, 5],
  ],
  URLs: [
    [`${url}.getPort()`, 4, 4, 4],
    [`${url} == ${url}`, 7, 9, 7],
    [`${url} == url('http://x.b')`, 5, 5, 5],
  ],
  networks: [
    ["ip('192.168.0.1')", 2, 2, 2],
    [ip6, 4, 4, 4],
    [`${ip6}.isLoopback()`, 5, 5, 5],
    [`${ip6} == ip('192.168.0.1')`, 7, 7, 7],
    ["ip.isCanonical('192.168.0.1')", 3, 3, 3],
    ["cidr('192.168.0.0/16').masked()", 3, 3, 3],
    ["cidr('192.168.0.0/16').containsCIDR(cidr('192.0.0.0/30'))", 7, 11, 7],
    ["cidr('192.168.0.0/16').containsCIDR('192.0.0.0/30')", 7, 11, 7],
    ["cidr('192.168.0.0/16').containsIP('192.169.0.1')", 5, 8, 5],
    ["cidr('192.168.0.0/16').containsIP(ip('192.0.0.1'))", 4, 7, 4],
  ],
  strings: [
    ["'ABCDEFGHIJ abcdefghij'.lowerAscii()", 3, 3, 3],
    ["'ABCDEFGHIJ abcdefghij'.lowerAscii() == 'abcdefghij ABCDEFGHIJ'.lowerAscii()", 7, 9, 9],
    ["'abc 123 def 123'.replace('123', '456')", 3, 3, 3],
    ["'abc 123 def 123'.split(' ', 1)", 3, 3, 3],
    ["'abc 123 def 123'.substring(5, 8)", 2, 2, 2],
    [`${letters}.join(' ')`, 11, 23, 15],
    [`${letters}.join()`, 10, 22, 13],
    ["'abc 123 def 123'.findAll('123', 1)", 2, 2, 2],
    ["jsonpatch.escapeKey('abc/def~ abc/def~')", 2, 2, 2],
  ],
  authorizer: [
    ["authorizer.path('/healthz')", 2, 2, 2],
    ["authorizer.group('a').resource('b').subresource('c').namespace('d').name('e')", 6, 6, 6],
    [`authorizer.group('').resource('pods').fieldSelector(${selector})`, 1821, 1821, 1821],
    ["authorizer.path('/healthz').check('get').allowed()", 350_003, 350_003, 350_003],
  ],
  quantities: [
    ['quantity("12Mi")', 1, 1, 1],
    ['quantity("200M") == quantity("0.2G") && quantity("0.2G") == quantity("200M")', 3, 6, 6],
    ['quantity("50k").add(20).sub(quantity("100k")).asInteger() > 0', 6, 6, 6],
    ['quantity("50.703k").asApproximateFloat() > 0.0', 3, 3, 3],
  ],
  formats: [
    ['format.named("dns1123subdomain")', 1, 1, 1],
    ['format.named("dns1123Subdomain").value().validate("my-name")', 34, 34, 17],
    ['format.named("dns1123Label").value().validate("my-name")', 34, 34, 10],
    ['format.named("uuid").value() == format.named("uuid").value()', 5, 11, 5],
  ],
  versions: [
    ['semver("1.0.0")', 1, 1, 1],
    ['semver("1234.56789012345.67890123456789")', 4, 4, 4],
    ['semver("1.0.0").isLessThan(semver("1.1.0"))', 3, 3, 3],
  ],
  sets: [
    ['sets.contains([], [])', 21, 21, 21],
    ['sets.contains([1, 2, 3, 4], [2, 3])', 29, 29, 29],
    ['sets.equivalent([1, 2, 3], [3, 2, 1])', 39, 39, 39],
    ['!sets.intersects([1], [2])', 23, 23, 23],
  ],
  'loops with two variables': [
    ["{'a': 1, 'b': 2}.all(k, v, v > 0)", 37, 41, 41],
    ["{'a': 1, 'b': 2}.exists(k, v, v > 0)", 39, 43, 40],
    ["{'a': 1, 'b': 2}.existsOne(k, v, v > 0)", 38, 40, 40],
    ["{'a': 1, 'b': 2}.transformMap(k, v, v + 1)", 71, 71, 71],
    ["{'a': 1, 'b': 2}.transformMapEntry(k, v, {k: v + 1})", 131, 131, 131],
    ['[1, 2].transformList(i, v, v + 1)', 49, 49, 49],
    ['[1, 2].transformList(i, v, v < 5, v + 1)', 27, 53, 53],
  ],
};

for (const [library, cases] of Object.entries(rows)) {
  describe(`costs of ${library}`, () => {
    for (const [expression, min, max, counted] of cases) {
      it(expression, () => {
        const { program, issues } = environment.compile(expression);
        assert.ok(program, issues && formatIssues(expression, issues));
        const { result, cost } = program.evaluate({ authorizer: authorizerVariable(allowing) });
        assert.ok(!isError(result), String(isError(result) && result.message));
        const estimate = program.estimateCost({
          estimateSize: ({ type }) => textSizes[type.kind],
        });
        assert.deepEqual([estimate.min, estimate.max, cost], [min, max, counted]);
      });
    }
  });
}
