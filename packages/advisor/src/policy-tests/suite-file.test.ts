import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readKyvernoFile } from './kyverno-file.ts';
import { readSuiteFile } from './suite-file.ts';
import type { SourceFiles } from '../sources/object-files.ts';
import { findSuiteFiles } from './suite-files.ts';
import type { Suite } from './suite.ts';

function filesOf(texts: Readonly<Record<string, string>>): SourceFiles {
  return {
    read: (path) => texts[path],
    list(path) {
      const inside = Object.keys(texts).filter((file) => file.startsWith(`${path}/`));
      if (inside.length === 0) return undefined;
      const names = inside.map((file) => file.slice(path.length + 1));
      return [...new Set(names.map((name) => name.replace(/\/.*$/, '/')))];
    },
  };
}

const pods = `
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Pod, metadata: {name: other}}
- {apiVersion: v1, kind: Service, metadata: {name: web}}
`;
const head = 'apiVersion: keelson/v1\nkind: PolicyTest\nresources: [pods.yaml]\n';

function read(text: string): Suite {
  return readSuiteFile(
    filesOf({ 't/keelson-test.yaml': text, 't/pods.yaml': pods }),
    't/keelson-test.yaml',
  );
}

describe('a suite file', () => {
  it('is found at any depth, hidden directories aside', () => {
    const files = filesOf({
      'd/b/keelson-test.yaml': '',
      'd/a/deep/kyverno-test.yaml': '',
      'd/.git/keelson-test.yaml': '',
      'd/node_modules/keelson-test.yaml': '',
      'd/policy.yaml': '',
    });
    assert.deepEqual(findSuiteFiles(files, 'd'), [
      'd/a/deep/kyverno-test.yaml',
      'd/b/keelson-test.yaml',
    ]);
    assert.deepEqual(findSuiteFiles(files, 'd/policy.yaml'), ['d/policy.yaml']);
    assert.deepEqual(findSuiteFiles(files, 'none'), []);
  });

  it('names objects by kind, namespace, version, or file', () => {
    const cases = ['Pod/web', 'Pod/shop/web', 'v1/Pod/web', 'v1/Pod/shop/web'].map(
      (name) => `- {object: ${name}, expect: allowed}\n`,
    );
    const suite = read(`${head}cases:\n${cases.join('')}- {objects: pods.yaml, expect: refused}\n`);
    assert.deepEqual(
      suite.cases.map(({ name, expect, source }) => [name, expect.allowed, source.line]),
      [
        ['CREATE Pod shop/web', true, 5],
        ['CREATE Pod shop/web', true, 6],
        ['CREATE Pod shop/web', true, 7],
        ['CREATE Pod shop/web', true, 8],
        ['CREATE Pod shop/web', false, 2],
        ['CREATE Pod other', false, 6],
        ['CREATE Service web', false, 6],
      ],
    );
  });

  it('takes the operation from what there is', () => {
    const object = '{apiVersion: v1, kind: Pod, metadata: {name: a}}';
    const rows: [text: string, operation: string][] = [
      [`object: Pod/web`, 'CREATE'],
      [`object: ${object}, oldObject: Pod/web`, 'UPDATE'],
      [`patch: {}, oldObject: Pod/web`, 'UPDATE'],
      [`object: ${object}, oldObject: Pod/web, subresource: binding`, 'CREATE'],
      [`operation: DELETE, oldObject: Pod/web`, 'DELETE'],
      [`operation: CONNECT, oldObject: Pod/web, subresource: exec`, 'CONNECT'],
    ];
    for (const [text, operation] of rows) {
      const [one] = read(`${head}cases: [{${text}, expect: allowed}]\n`).cases;
      assert.equal(one?.operation, operation, text);
    }
  });

  const wrong: [what: string, text: string, message: string][] = [
    ['nothing', '', 't/keelson-test.yaml:1: there is no suite in this file'],
    ['no YAML', 'a: [', "t/keelson-test.yaml:1: yaml: line 1: did not find expected ',' or ']'"],
    [
      'a key twice',
      'kind: a\nkind: b\n',
      't/keelson-test.yaml:2: yaml: unmarshal errors:   line 2: key "kind" already set in map',
    ],
    [
      'another version',
      'apiVersion: v2\nkind: PolicyTest\n',
      't/keelson-test.yaml:1: apiVersion must be keelson/v1',
    ],
    [
      'an unknown key',
      `${head}case: []\n`,
      't/keelson-test.yaml:4: the document has no "case"; it has apiVersion, kind, metadata, releases, featureGates, runtimeConfig, admissionPlugins, policies, objects, resources, user, namespace, cases',
    ],
    ['no cases', head, 't/keelson-test.yaml:1: cases is missing'],
    [
      'a file that is not there',
      `${head}policies: [none.yaml]\ncases: []\n`,
      't/keelson-test.yaml:4: there is no t/none.yaml',
    ],
    [
      'an object that is not there',
      `${head}cases:\n- object: Pod/none\n  expect: allowed\n`,
      't/keelson-test.yaml:5: no resource of this suite is "Pod/none"',
    ],
    [
      'no expectation',
      `${head}cases:\n- object: Pod/web\n`,
      't/keelson-test.yaml:5: cases[0].expect is missing',
    ],
    [
      'an unknown expectation',
      `${head}cases:\n- object: Pod/web\n  expect:\n    allowed: true\n    colour: red\n`,
      't/keelson-test.yaml:8: cases[0].expect has no "colour"; it has allowed, policy, policies, binding, notAsked, found, plugin, status, reason, message, messageContains, messageMatches, warnings, auditAnnotations, object',
    ],
    [
      'an expectation of another type',
      `${head}cases:\n- object: Pod/web\n  expect: {allowed: "yes"}\n`,
      't/keelson-test.yaml:6: cases[0].expect.allowed must be true or false',
    ],
    [
      'two messages',
      `${head}cases:\n- object: Pod/web\n  expect:\n    message: a\n    messageContains: b\n`,
      't/keelson-test.yaml:8: a message is expected in one way only',
    ],
    [
      'a bad pattern',
      `${head}cases:\n- object: Pod/web\n  expect: {messageMatches: "("}\n`,
      't/keelson-test.yaml:6: is no regular expression: Invalid regular expression: /(/su: Unterminated group',
    ],
    [
      'nothing to create',
      `${head}cases:\n- expect: allowed\n`,
      't/keelson-test.yaml:5: a creation needs `object`',
    ],
    [
      'nothing to delete',
      `${head}cases:\n- operation: DELETE\n  expect: allowed\n`,
      't/keelson-test.yaml:5: DELETE needs `oldObject`, what is there before',
    ],
    [
      'an unknown operation',
      `${head}cases:\n- operation: READ\n  object: Pod/web\n  expect: allowed\n`,
      't/keelson-test.yaml:5: cases[0].operation is "READ"; it must be one of CREATE, UPDATE, DELETE, CONNECT',
    ],
    [
      'no subresource',
      `${head}cases:\n- operation: CONNECT\n  oldObject: Pod/web\n  expect: allowed\n`,
      't/keelson-test.yaml:5: CONNECT needs `subresource`, such as exec',
    ],
    [
      'a release that is none',
      `${head}releases: [1.30]\ncases: []\n`,
      't/keelson-test.yaml:4: releases[0] must be a text',
    ],
    [
      'an object without kind',
      `${head}cases:\n- object: {apiVersion: v1}\n  expect: allowed\n`,
      't/keelson-test.yaml:5: cases[0].object.kind is missing',
    ],
  ];
  for (const [what, text, message] of wrong)
    it(`is refused by line: ${what}`, () =>
      assert.throws(() => read(text), { name: 'SourceError', message }));
});

describe('a Kyverno test file', () => {
  const policy = (apiVersion: string) => `
apiVersion: ${apiVersion}
kind: ValidatingAdmissionPolicy
metadata: {name: p}
spec: {}
`;
  const test = `
apiVersion: cli.kyverno.io/v1alpha1
kind: Test
metadata: {name: mine}
policies: [policy.yaml]
resources: [pods.yaml]
results:
- {policy: p, kind: Pod, resources: [shop/web], result: pass}
- {policy: p, kind: Pod, result: fail}
- {policy: p, resource: web, kind: Service, result: skip}
`;
  const readKyverno = (text: string, apiVersion = 'admissionregistration.k8s.io/v1') =>
    readKyvernoFile(
      filesOf({
        'k/kyverno-test.yaml': text,
        'k/policy.yaml': policy(apiVersion),
        'k/pods.yaml': pods,
      }),
      'k/kyverno-test.yaml',
    );

  it('becomes cases, with a binding for policies that have none', () => {
    const suite = readKyverno(test);
    assert.deepEqual(
      suite.policies.map(({ object }) => object['kind']),
      ['ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'],
    );
    assert.deepEqual(
      suite.cases.map(({ name, expect }) => [name, expect.policies, expect.found, expect.notAsked]),
      [
        ['p: Pod shop/web', ['p'], [], []],
        ['p: Pod shop/web', [], ['p'], []],
        ['p: Pod other', [], ['p'], []],
        ['p: Service web', [], [], ['p']],
      ],
    );
  });

  it("is refused when a policy is in Kyverno's own language", () =>
    assert.throws(() => readKyverno(test, 'kyverno.io/v1'), {
      message: /^k\/policy\.yaml:2: ValidatingAdmissionPolicy p is a policy in Kyverno's language/,
    }));

  it('is refused when a resource is not there', () =>
    assert.throws(() => readKyverno(test.replace('shop/web', 'bank/web')), {
      message: 'k/kyverno-test.yaml:8: no resource is bank/web',
    }));
});
