import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Command } from 'commander';
import { addTestCommand } from './test.ts';

const policy = `
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few-replicas}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  validations:
  - expression: object.spec.replicas <= 10
    messageExpression: "'too many: ' + string(object.spec.replicas)"
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: everywhere}
spec: {policyName: few-replicas, validationActions: [ACTION]}
`;
const deployment = (name: string, replicas: number) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: shop}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: a}}
  template:
    metadata: {labels: {app: a}}
    spec: {containers: [{name: c, image: x}]}
`;
const objects = [deployment('ten', 10), deployment('eleven', 11)].join('---');
const suite = (cases: string, more = '') => `apiVersion: keelson/v1
kind: PolicyTest
metadata: {name: replicas}
policies: [policy.yaml]
resources: [objects.yaml]
${more}cases:
${cases}`;

interface Given {
  readonly cases?: string;
  readonly more?: string;
  readonly action?: string;
  readonly files?: Readonly<Record<string, string>>;
}

/** Runs the command on a directory, and gives the exit code and what was printed. */
async function run(t: TestContext, given: Given, ...flags: string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const files: Record<string, string> = {
    'policy.yaml': policy.replace('ACTION', given.action ?? 'Deny'),
    'objects.yaml': objects,
    ...(given.cases !== undefined && { 'keelson-test.yaml': suite(given.cases, given.more) }),
    ...given.files,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  let [code, out, errors] = [-1, '', ''];
  const program = new Command('keelson').exitOverride();
  addTestCommand(program, {
    print: (text) => void (out += text),
    printError: (text) => void (errors += text),
    exit: (exitCode) => void (code = exitCode),
  });
  await program.parseAsync(['test', directory, ...flags], { from: 'user' });
  return { code, out: out.replaceAll(`${directory}/`, ''), errors, directory };
}

test('what is as expected ends with 0', async (t) => {
  const cases = `
- {object: Deployment/ten, expect: {allowed: true, policy: few-replicas}}
- object: Deployment/eleven
  expect:
    allowed: false
    policy: few-replicas
    binding: everywhere
    plugin: ValidatingAdmissionPolicy
    status: 422
    reason: Invalid
    messageContains: "too many: 11"
- name: an update
  oldObject: Deployment/ten
  patch: {spec: {replicas: 12}}
  expect: {allowed: false, messageMatches: "too many: 1[0-9]$"}
- {operation: DELETE, oldObject: Deployment/eleven, expect: {allowed: true, notAsked: few-replicas}}
`;
  const { code, out } = await run(t, { cases }, '--verbose');
  assert.equal(code, 0, out);
  assert.match(out, /^✓ replicas {2}4 of 4$/m);
  assert.match(out, /^ {4}✓ CREATE Deployment shop\/eleven$/m);
  assert.match(out, /^1 suite, 4 of 4 cases passed in /m);
});

test('a broken expectation names policy, binding, object, expression and value', async (t) => {
  const cases = '- {object: Deployment/eleven, expect: allowed}\n';
  const { code, out } = await run(t, { cases });
  assert.equal(code, 1);
  const lines = [
    '✗ replicas  0 of 1',
    '    ✗ CREATE Deployment shop/eleven  keelson-test.yaml:7',
    '        expected allowed',
    "        was      refused by ValidatingAdmissionPolicy (422): deployments.apps \"eleven\" is forbidden: ValidatingAdmissionPolicy 'few-replicas' with binding 'everywhere' denied request: too many: 11",
    '        policy few-replicas, binding everywhere: refused',
    '          object Deployment shop/eleven',
    '          message too many: 11',
    '          expression spec.validations[0]: object.spec.replicas <= 10 = false',
    '            object.spec.replicas = 11  (1:1)',
  ];
  assert.deepEqual(out.split('\n').slice(0, lines.length), lines);
});

test('the other way round too: why something was allowed', async (t) => {
  const cases = '- {object: Deployment/ten, expect: {allowed: false, policy: few-replicas}}\n';
  const { code, out } = await run(t, { cases });
  assert.equal(code, 1);
  assert.match(out, /policy few-replicas, binding everywhere: allowed\n/);
  assert.match(out, /object\.spec\.replicas <= 10 = true\n +object\.spec\.replicas = 10 /);
});

test('warnings, annotations and changed objects are expected by part', async (t) => {
  const key = 'validation.policy.admission.k8s.io/validation_failure';
  const cases = `
- object: Deployment/eleven
  expect: {allowed: true, found: few-replicas, warnings: ["too many: 11"], object: {spec: {replicas: 11, paused: null}}}
- {object: Deployment/ten, expect: {allowed: true, warnings: []}}
- {object: Deployment/eleven, expect: {warnings: [], object: {spec: {replicas: 12}}, auditAnnotations: {${key}: x}}}
- {object: Deployment/ten, expect: {found: few-replicas, notAsked: few-replicas}}
`;
  const { code, out } = await run(t, { cases, action: 'Warn' });
  assert.equal(code, 1);
  assert.match(out, /^✗ replicas {2}2 of 4$/m);
  assert.match(out, /expected no warnings\n/);
  assert.match(out, /expected object\.spec\.replicas: 12\n +was {6}11\n/);
  assert.match(out, new RegExp(`expected audit annotation ${key} with "x"\n +was {6}none`));
  assert.match(out, /expected policy few-replicas finds something\n +was {6}it finds nothing\n/);
  assert.match(
    out,
    /expected policy few-replicas not asked\n +was {6}allowed \(binding everywhere\)/,
  );
});

test('a policy that was not asked is said to be so', async (t) => {
  const service =
    '{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {ports: [{port: 1}]}}';
  const cases = `- {object: ${service}, expect: {allowed: false, policy: few-replicas}}\n`;
  const { code, out } = await run(t, { cases });
  assert.equal(code, 1);
  assert.match(
    out,
    /policy few-replicas was not asked: it has no binding that is about this request/,
  );
});

test('the whole pipeline decides: users, quota, Pod Security, defaults, parameters', async (t) => {
  const pod = (spec: string) =>
    `{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: small}, spec: ${spec}}`;
  const plain = '{containers: [{name: c, image: x}]}';
  const files = {
    'there.yaml': `
apiVersion: v1
kind: Namespace
metadata: {name: small, labels: {pod-security.kubernetes.io/enforce: baseline}}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: q, namespace: small}
spec: {hard: {pods: "1"}}
`,
  };
  const cases = `
- {object: ${pod(plain)}, user: {name: eve}, expect: {allowed: false, plugin: authorization, status: 403}}
- {object: ${pod('{hostPID: true, containers: [{name: c, image: x}]}')}, expect: {allowed: false, plugin: PodSecurity}}
- {object: ${pod(plain)}, expect: {allowed: true, object: {spec: {dnsPolicy: ClusterFirst, containers: [{imagePullPolicy: Always}]}}}}
- name: a second pod
  given: [{apiVersion: v1, kind: Pod, metadata: {name: first, namespace: small}, spec: ${plain}}]
  object: ${pod(plain)}
  expect: {allowed: false, plugin: ResourceQuota, messageContains: "exceeded quota: q"}
- {object: ${pod('{containers: []}')}, expect: {allowed: false, plugin: validation, status: 422}}
`;
  const { code, out } = await run(t, { cases, more: 'objects: [there.yaml]\n', files });
  assert.equal(code, 0, out);
});

test('one suite runs against several releases', async (t) => {
  const more = 'releases: ["1.30", "1.36"]\n';
  const cases = '- {object: Deployment/ten, expect: allowed}\n';
  const both = await run(t, { cases, more });
  assert.match(both.out, /^✓ replicas {2}2 of 2 \(Kubernetes 1\.30, 1\.36\)$/m);
  const other = await run(t, { cases, more }, '--release', '1.33');
  assert.match(other.out, /^✓ replicas {2}1 of 1 \(Kubernetes 1\.33\)$/m);
});

test('JUnit', async (t) => {
  const cases = `- {object: Deployment/ten, expect: allowed}
- {name: "<&\\"\\u0007", object: Deployment/eleven, expect: allowed}
`;
  const { code, out, directory } = await run(t, { cases }, '-o', 'junit');
  assert.equal(code, 1);
  assert.match(
    out,
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="keelson test" tests="2" failures="1" errors="0" time="[\d.]+">\n/,
  );
  assert.match(out, /<testsuite name="replicas" file="keelson-test\.yaml" tests="2" failures="1"/);
  assert.match(
    out,
    /<testcase name="CREATE Deployment shop\/ten" classname="replicas" file="keelson-test\.yaml" line="7" time="[\d.]+"\/>/,
  );
  assert.match(out, /<testcase name="&lt;&amp;&quot;\ufffd" /);
  assert.match(out, /<failure message="expected allowed, was refused[^"]*">expected allowed\n/);
  assert.match(out, /object\.spec\.replicas &lt;= 10 = false/);
  // To a file, with the report for people besides.
  const file = join(directory, 'report.xml');
  const toFile = await run(t, { cases }, '-o', 'junit', '--output-file', file);
  assert.match(toFile.out, /^✗ replicas/);
  assert.match(readFileSync(file, 'utf8'), /^<\?xml/);
});

test('JSON', async (t) => {
  const cases = '- {object: Deployment/eleven, expect: allowed}\n';
  const { out } = await run(t, { cases }, '-o', 'json');
  const report = JSON.parse(out) as {
    failed: number;
    suites: { name: string; results: Record<string, unknown>[] }[];
  };
  assert.equal(report.failed, 1);
  const [result] = report.suites[0]?.results ?? [];
  assert.equal(result?.['passed'], false);
  assert.equal(result?.['object'], 'Deployment shop/eleven');
  const outcome = result?.['outcome'] as { policies: { expressions: unknown[] }[] };
  assert.deepEqual(outcome.policies[0]?.expressions, [
    {
      field: 'spec.validations[0]',
      expression: 'object.spec.replicas <= 10',
      value: 'false',
      decided: [{ text: 'object.spec.replicas', value: '11', line: 1, column: 0 }],
    },
  ]);
});

test('a filter takes some of the cases', async (t) => {
  const cases = `- {name: one, object: Deployment/ten, expect: allowed}
- {name: two, object: Deployment/eleven, expect: allowed}
`;
  const { code, out } = await run(t, { cases }, '--filter', 'replicas: one');
  assert.equal(code, 0);
  assert.match(out, /1 of 1 cases passed/);
});

const unrunnable: [what: string, given: Given, problem: RegExp][] = [
  ['no suite', {}, /: there are no suites here$/m],
  [
    'a malformed suite',
    { cases: '- {objct: Pod/x}\n' },
    /keelson-test\.yaml:7: cases\[0\] has no "objct"; it has name, /,
  ],
  [
    'a policy that is refused',
    { cases: ' []', action: 'None' },
    /policy\.yaml:13: ValidatingAdmissionPolicyBinding everywhere was not taken: .* supported values: "Audit", "Deny", "Warn"/,
  ],
  [
    'a policy that does not compile',
    { cases: ' []', files: { 'policy.yaml': policy.replace('<= 10', '<=') } },
    /policy\.yaml:2: ValidatingAdmissionPolicy few-replicas was not taken: .*Syntax error/s,
  ],
  [
    'a kind that is not served',
    {
      cases:
        '- {object: {apiVersion: apps/v1, kind: Deploymnt, metadata: {name: a}}, expect: allowed}\n',
    },
    /keelson-test\.yaml:7: no Deploymnt is served in apps\/v1 by this release/,
  ],
  ['a release that is none', { cases: ' []', more: 'releases: ["1.99"]\n' }, /1\.99/],
];
for (const [what, given, problem] of unrunnable)
  test(`${what} ends with 2`, async (t) => {
    const { code, out, errors } = await run(t, given);
    assert.equal(code, 2, out);
    assert.match(out + errors, problem);
  });

test('a suite that cannot be run does not hide the others', async (t) => {
  const cases = '- {object: Deployment/ten, expect: allowed}\n';
  const { code, out } = await run(t, { cases, files: { 'z/keelson-test.yaml': 'kind: X\n' } });
  assert.equal(code, 2);
  assert.match(out, /^✓ replicas {2}1 of 1$/m);
  assert.match(out, /cannot be run: z\/keelson-test\.yaml:1: apiVersion is missing/);
});
