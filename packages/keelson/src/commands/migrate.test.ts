import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Command } from 'commander';
import { isJsonObject, parseYamlDocuments, type JsonObject } from '@keelson/apimachinery';
import { createCluster } from '../index.ts';
import { addMigrateCommand } from './migrate.ts';

const anyId =
  'runAsUser: {rule: RunAsAny}, seLinux: {rule: RunAsAny}, supplementalGroups: {rule: RunAsAny}, fsGroup: {rule: RunAsAny}';
const policy = (name: string, spec: string, annotations = '{}') => `
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: ${name}, annotations: ${annotations}}
spec: {${spec}}
`;
const open = policy(
  'open',
  `privileged: true, allowPrivilegeEscalation: true, volumes: ['*'], hostNetwork: true, hostPID: true, hostPorts: [{min: 0, max: 65535}], allowedCapabilities: ['*'], ${anyId}`,
);
const hardening = policy(
  'hardening',
  `allowPrivilegeEscalation: false, requiredDropCapabilities: [ALL], readOnlyRootFilesystem: true,
  volumes: [configMap, secret, emptyDir, projected], runAsUser: {rule: MustRunAsNonRoot},
  runAsGroup: {rule: MustRunAs, ranges: [{min: 7, max: 9}]}, seLinux: {rule: RunAsAny},
  supplementalGroups: {rule: MustRunAs, ranges: [{min: 5000, max: 6000}]},
  fsGroup: {rule: MustRunAs, ranges: [{min: 3000, max: 4000}]}`,
  `{seccomp.security.alpha.kubernetes.io/defaultProfileName: runtime/default, seccomp.security.alpha.kubernetes.io/allowedProfileNames: runtime/default, apparmor.security.beta.kubernetes.io/defaultProfileName: runtime/default}`,
);
const adding = policy(
  'adding',
  `allowPrivilegeEscalation: true, defaultAddCapabilities: [SYS_TIME], requiredDropCapabilities: [MKNOD], volumes: ['*'], ${anyId}`,
);

const right = (name: string, subject: string, namespace?: string) => `
apiVersion: rbac.authorization.k8s.io/v1beta1
kind: ClusterRole
metadata: {name: use-${name}}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [${name}], verbs: [use]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ${namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding'}
metadata: {name: use-${name}${namespace === undefined ? '' : `, namespace: ${namespace}`}}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: use-${name}}
subjects: [${subject}]
`;
const accountsOf = (namespace: string) =>
  `{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts:${namespace}"}`;

const deployment = (name: string, namespace: string, spec: string) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, namespace: ${namespace}}
spec:
  selector: {matchLabels: {app: a}}
  template: {metadata: {labels: {app: a}}, spec: ${spec}}
`;
const pod = (name: string, namespace: string, spec: string, annotations = '{}') => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, annotations: ${annotations}}
spec: ${spec}
`;
const plain = '{containers: [{name: c, image: x}], initContainers: [{name: i, image: x}]}';

async function migrate(t: TestContext, documents: readonly string[], ...flags: string[]) {
  const directory = mkdtempSync(join(tmpdir(), 'keelson-migrate-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'cluster.yaml');
  writeFileSync(file, documents.join('---\n'));
  let [code, out, errors] = [-1, '', ''];
  const program = new Command('keelson').exitOverride();
  addMigrateCommand(program, {
    print: (text) => void (out += text),
    printError: (text) => void (errors += text),
    exit: (exitCode) => void (code = exitCode),
  });
  await program.parseAsync(['migrate', 'psp', file, ...flags], { from: 'user' });
  return { code, out, errors: errors.replaceAll(`${directory}/`, '') };
}

const levels: [what: string, documents: string[], expected: RegExp[]][] = [
  [
    'what a policy gives counts, and the tightest level that admits it is proposed',
    [hardening, right('hardening', accountsOf('shop')), deployment('web', 'shop', plain)],
    [
      /^namespace shop: restricted \(v1\.36\)$/m,
      /Deployment web \(service account default\): policy hardening, which changes it; with the plan admitted/,
      /psp-hardening: runAsNonRoot: true$/m,
      /psp-hardening: requiredDropCapabilities: \["ALL"\]$/m,
      /psp-hardening: appArmorProfile: runtime\/default$/m,
    ],
  ],
  [
    'a policy that changes nothing comes before one that does, whatever their names',
    [adding, open, deployment('web', 'shop', plain)],
    [
      /^namespace shop: baseline/m,
      /Deployment web .*: policy open; with the plan admitted/,
      /^policy adding: decides for nothing/m,
    ],
  ],
  [
    'of those that change the pod the first by name decides',
    [hardening, adding, deployment('web', 'shop', plain)],
    [
      /^namespace shop: privileged/m,
      /policy adding, which changes it/,
      /not baseline: Deployment web: non-default capabilities/,
    ],
  ],
  [
    'rights decide which may be used: by service account and namespace',
    [
      hardening,
      open,
      right('hardening', accountsOf('shop')),
      right('open', '{kind: ServiceAccount, name: agent, namespace: tools}', 'tools'),
      deployment('web', 'shop', plain),
      deployment(
        'agent',
        'tools',
        '{serviceAccountName: agent, hostPID: true, containers: [{name: c, image: x}]}',
      ),
      deployment('other', 'tools', plain),
    ],
    [
      /^namespace shop: restricted/m,
      /^namespace tools: privileged/m,
      /Deployment agent \(service account agent\): policy open; with the plan admitted/,
      /Deployment other .*: no policy that it may use admits it; with the plan admitted/,
      /not baseline: Deployment agent: host namespaces \(hostPID=true\)/,
    ],
  ],
  [
    'a right in one namespace is none in another',
    [open, right('open', accountsOf('shop'), 'tools'), deployment('web', 'shop', plain)],
    [/Deployment web .*: no policy that it may use admits it/],
  ],
  [
    'a running pod names the policy that admitted it',
    [
      open,
      hardening,
      pod('p', 'shop', '{containers: [{name: c, image: x}]}', '{kubernetes.io/psp: open}'),
    ],
    [/Pod p .*: policy open; with the plan admitted/, /^namespace shop: baseline/m],
  ],
  [
    'a namespace in which nothing runs can be restricted',
    [open, 'apiVersion: v1\nkind: Namespace\nmetadata: {name: empty}\n'],
    [/^namespace empty: restricted \(v1\.36\)\n {2}nothing runs here$/m],
  ],
  [
    'replicas of a workload are judged by it, static pods not at all',
    [
      open,
      'apiVersion: apps/v1\nkind: ReplicaSet\nmetadata: {name: web-1, namespace: shop, ownerReferences: [{controller: true, kind: Deployment, name: web, uid: u, apiVersion: apps/v1}]}\nspec: {template: {spec: {hostPID: true, containers: []}}}\n',
      pod(
        'etcd',
        'kube-system',
        '{hostPID: true, containers: [{name: c, image: x}]}',
        '{kubernetes.io/config.mirror: x}',
      ),
    ],
    [/^policy open: decides for nothing that was given$/m],
  ],
];
for (const [what, documents, expected] of levels)
  test(what, async (t) => {
    const { code, out } = await migrate(t, documents);
    assert.equal(code, 0, out);
    for (const pattern of expected) assert.match(out, pattern);
  });

test('the manifests are taken, and give what the policies gave', async (t) => {
  const { code, out } = await migrate(
    t,
    [
      hardening,
      adding,
      right('hardening', accountsOf('shop')),
      right('adding', accountsOf('batch')),
      deployment('web', 'shop', plain),
      deployment('clock', 'batch', plain),
    ],
    '-o',
    'yaml',
  );
  assert.equal(code, 0);
  await using cluster = await createCluster({ controllers: [] });
  const post = (path: string, body: JsonObject) => cluster.decide({ method: 'POST', path, body });
  const manifests = parseYamlDocuments(out).map(({ value }) => value as JsonObject);
  const paths: Readonly<Record<string, string>> = {
    Namespace: '/api/v1/namespaces',
    MutatingAdmissionPolicy: '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies',
    MutatingAdmissionPolicyBinding:
      '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings',
  };
  for (const manifest of manifests) {
    const { status, body } = await post(paths[String(manifest['kind'])] ?? '', manifest);
    assert.equal(status, 201, JSON.stringify(body));
  }
  const create = async (namespace: string, spec: JsonObject) => {
    const account = { metadata: { name: 'default' } };
    await post(`/api/v1/namespaces/${namespace}/serviceaccounts`, account);
    const object = { metadata: { name: 'p' }, spec };
    const { status, body } = await post(`/api/v1/namespaces/${namespace}/pods`, object);
    assert.equal(status, 201, JSON.stringify(body));
    assert.ok(isJsonObject(body));
    return body['spec'] as JsonObject & { containers: JsonObject[]; initContainers: JsonObject[] };
  };
  const own = {
    runAsNonRoot: true,
    runAsUser: 1234,
    readOnlyRootFilesystem: false,
    capabilities: { drop: ['ALL'] },
  };
  const hardened = await create('shop', {
    containers: [{ name: 'c', image: 'x' }],
    initContainers: [{ name: 'i', image: 'x', securityContext: own }],
  });
  assert.deepEqual(hardened['securityContext'], {
    fsGroup: 3000,
    supplementalGroups: [5000],
    seccompProfile: { type: 'RuntimeDefault' },
  });
  const given = {
    allowPrivilegeEscalation: false,
    appArmorProfile: { type: 'RuntimeDefault' },
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsGroup: 7,
    runAsNonRoot: true,
  };
  assert.deepEqual(hardened.containers[0]?.['securityContext'], given);
  assert.deepEqual(hardened.initContainers[0]?.['securityContext'], { ...given, ...own });
  const added = await create('batch', {
    containers: [{ name: 'c', image: 'x', securityContext: { capabilities: { add: ['KILL'] } } }],
  });
  assert.deepEqual(added.containers[0]?.['securityContext'], {
    capabilities: { add: ['KILL', 'SYS_TIME'], drop: ['MKNOD'] },
  });
});

test('levels are those of the release that is asked for', async (t) => {
  const probing =
    '{containers: [{name: c, image: x, livenessProbe: {httpGet: {host: 1.2.3.4, port: 80}}}]}';
  const documents = [open, deployment('web', 'shop', probing)];
  assert.match((await migrate(t, documents)).out, /^namespace shop: privileged \(v1\.36\)/m);
  const older = await migrate(t, documents, '--release', '1.33');
  assert.match(older.out, /^namespace shop: baseline \(v1\.33\)/m);
});

const unreadable: [what: string, documents: string[], errors: string][] = [
  [
    'no YAML',
    ['a: ['],
    "keelson: cluster.yaml:1: yaml: line 1: did not find expected ',' or ']'\n",
  ],
  [
    'no object',
    ['a: 1\n'],
    'keelson: cluster.yaml:1: a resource must be an object with apiVersion and kind\n',
  ],
];
for (const [what, documents, expected] of unreadable)
  test(`${what} ends with 2`, async (t) => {
    const { code, errors } = await migrate(t, documents);
    assert.equal(code, 2);
    assert.equal(errors, expected);
  });
