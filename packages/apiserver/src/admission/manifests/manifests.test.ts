import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { createFeatures } from '../../features/create-features.ts';
import { createMetrics } from '../../metrics.ts';
import { createManifestMetrics } from './manifest-metrics.ts';
import { openManifests } from './manifest-source.ts';
import { readManifests, type ManifestFolder } from './read-manifests.ts';

const features = createFeatures({ featureGates: { ManifestBasedAdmissionControlConfig: true } });
const head = 'apiVersion: admissionregistration.k8s.io/v1';
const policy = (name: string, more = '', expression = 'true') => `${head}
kind: ValidatingAdmissionPolicy
metadata: {name: ${name}}
spec:
  ${more}
  matchConstraints:
    resourceRules: [{apiGroups: [''], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
  validations: [{expression: '${expression}'}]
`;
const binding = (name: string, policyName: string, more = '') => `${head}
kind: ValidatingAdmissionPolicyBinding
metadata: {name: ${name}}
spec: {policyName: ${policyName}, validationActions: [Deny]${more}}
`;
const webhooks = (name: string, clientConfig: string) => `${head}
kind: ValidatingWebhookConfiguration
metadata: {name: ${name}}
webhooks:
- name: a.example.com
  clientConfig: ${clientConfig}
  sideEffects: None
  admissionReviewVersions: [v1]
`;

type Folder = Record<string, string>;
const filesOf = (folder: Folder) => ({
  list: (path: string) => (path === '/m' ? Object.keys(folder) : undefined),
  read: (path: string) => folder[path.slice('/m/'.length)] ?? '',
});
function read(folder: Folder, plugin = 'ValidatingAdmissionPolicy', path = '/m') {
  const source: ManifestFolder = {
    plugin,
    folder: path,
    files: filesOf(folder),
    features,
    nowMs: 0,
  };
  const { objects } = readManifests(source) ?? {};
  return [...(objects ?? [])].map(([kind, members]) => [
    kind,
    members.map(({ metadata }) => metadata.name),
  ]);
}
const P = 'ValidatingAdmissionPolicy';
const [p, b] = ['p.static.k8s.io', 'b.static.k8s.io'];

describe('what is read of a folder', () => {
  const rows: [what: string, folder: Folder, policies: string[], bindings: string[]][] = [
    ['nothing', {}, [], []],
    ['files of other names', { 'a.txt': 'x', 'b.yaml.bak': 'x' }, [], []],
    ['empty documents', { 'a.yaml': '---\n---\n\n# none\n---\n' }, [], []],
    ['documents', { 'a.YAML': `${policy(p)}---\n${binding(b, p)}` }, [p], [b]],
    [
      'files by name',
      { 'b.yml': policy('a.static.k8s.io'), 'a.yaml': policy(p) },
      [p, 'a.static.k8s.io'],
      [],
    ],
    [
      'a list',
      {
        'a.json': JSON.stringify({
          apiVersion: 'v1',
          kind: 'List',
          items: [
            {
              apiVersion: 'admissionregistration.k8s.io/v1',
              kind: P,
              metadata: { name: p },
              spec: {
                matchConstraints: {
                  resourceRules: [
                    { apiGroups: [''], apiVersions: ['*'], operations: ['*'], resources: ['*'] },
                  ],
                },
                validations: [{ expression: 'true' }],
              },
            },
          ],
        }),
      },
      [p],
      [],
    ],
  ];
  for (const [what, folder, policies, bindings] of rows)
    it(what, () => {
      assert.deepEqual(read(folder), [
        [P, policies],
        [`${P}Binding`, bindings],
      ]);
    });
});

describe('what makes a folder unusable', () => {
  const suffix = 'must have the suffix "\\.static\\.k8s\\.io"';
  const rows: [what: string, folder: Folder, message: RegExp][] = [
    ['no YAML', { 'a.yaml': '[' }, /^\/m\/a\.yaml: /],
    ['no object', { 'a.yaml': '- 1' }, /^\/m\/a\.yaml: a document is no object$/],
    ['another kind', { 'a.yaml': 'apiVersion: v1\nkind: Pod' }, /v1, Kind=Pod is not supported by/],
    [
      'another version',
      { 'a.yaml': policy(p).replace('k8s.io/v1', 'k8s.io/v1beta1') },
      /v1beta1, Kind=ValidatingAdmissionPolicy is not supported by ValidatingAdmissionPolicy$/,
    ],
    [
      "another plugin's kind",
      { 'a.yaml': webhooks(p, '{url: "https://h"}') },
      /Kind=ValidatingWebhookConfiguration is not supported by/,
    ],
    [
      'an unknown field',
      { 'a.yaml': policy(p, 'nope: 1') },
      /strict decoding error: .*"spec.nope"/,
    ],
    ['no name', { 'a.yaml': policy('""') }, /metadata\.name: Required value/],
    ['another name', { 'a.yaml': policy('p') }, new RegExp(`metadata\\.name: .*"p": ${suffix}`)],
    [
      'a name twice',
      { 'a.yaml': policy(p), 'b.yaml': policy(p) },
      /^duplicate name "p\.static\.k8s\.io" found in file \/m\/b\.yaml$/,
    ],
    [
      'parameters',
      { 'a.yaml': policy(p, 'paramKind: {apiVersion: v1, kind: ConfigMap}') },
      /spec\.paramKind: Forbidden/,
    ],
    [
      'a reference to parameters',
      {
        'a.yaml': `${policy(p)}---\n${binding(b, p, ', paramRef: {name: x, parameterNotFoundAction: Deny}')}`,
      },
      /spec\.paramRef: Forbidden/,
    ],
    [
      'a policy of the API',
      { 'a.yaml': binding(b, 'p') },
      new RegExp(`spec\\.policyName: .*"p": ${suffix}`),
    ],
    [
      'a policy that is not there',
      { 'a.yaml': binding(b, p) },
      /^binding "b\.static\.k8s\.io" references policy "p\.static\.k8s\.io" which does not exist in the manifest directory$/,
    ],
    [
      'an expression that does not compile',
      { 'a.yaml': policy(p, '', 'object.(') },
      /compilation failed/,
    ],
  ];
  for (const [what, folder, message] of rows)
    it(what, () => {
      assert.throws(() => read(folder), { name: 'ManifestError', message });
    });
  it('no folder', () => {
    assert.throws(
      () => read({}, P, '/file'),
      /staticManifestsDir: Invalid value: "\/file": must be a directory$/,
    );
  });
  it('webhooks that are services', () => {
    const plugin = 'ValidatingAdmissionWebhook';
    const service = webhooks('w.static.k8s.io', '{service: {name: s, namespace: shop}}');
    assert.throws(() => read({ 'a.yaml': service }, plugin), {
      message:
        /webhooks\[0\]\.clientConfig\.service: Forbidden: clientConfig\.service is not supported for static manifests; use clientConfig\.url instead/,
    });
    const url = webhooks('w.static.k8s.io', '{url: "https://h/a"}');
    assert.deepEqual(read({ 'a.yaml': url }, plugin), [
      ['ValidatingWebhookConfiguration', ['w.static.k8s.io']],
    ]);
  });
});

test('the folder is read again, and the last good set stays', async () => {
  const folder: Folder = { 'a.yaml': policy(p) };
  const clock = createSimulatedClock();
  const metrics = createMetrics();
  const warnings: string[] = [];
  const stop = new AbortController();
  let hint = () => {};
  const source = openManifests(P, '/m', {
    files: { ...filesOf(folder), watch: (_folder, onChange) => void (hint = onChange) },
    features,
    clock,
    metrics: createManifestMetrics({ metrics, clock, serverId: 'one' }),
    logger: {
      error: () => {},
      info: () => {},
      debug: () => {},
      warn: (_message, fields) => void warnings.push(String(fields?.['error'])),
    },
    signal: stop.signal,
  });
  const policies = source.of(P);
  const changes: string[] = [];
  policies.subscribe(({ type, object }) => changes.push(`${type} ${object.metadata.name}`));
  const names = () => policies.list().map(({ metadata }) => metadata.name);
  const count = (status: string) =>
    new RegExp(`reloads_total\\{.*status="${status}"\\} (\\d+)`).exec(metrics.render())?.[1];
  await clock.advance(60_000);
  assert.deepEqual([names(), changes, count('success')], [[p], [], undefined]);
  folder['b.yaml'] = policy('q.static.k8s.io');
  hint();
  assert.deepEqual(changes, [`MODIFIED ${p}`, 'ADDED q.static.k8s.io']);
  assert.equal(count('success'), '1');
  folder['b.yaml'] = 'broken: [';
  await clock.advance(60_000);
  assert.deepEqual(names(), [p, 'q.static.k8s.io']);
  assert.equal(count('failure'), '1');
  assert.equal(warnings.length, 1);
  delete folder['b.yaml'];
  await clock.advance(60_000);
  assert.deepEqual(names(), [p]);
  assert.equal(changes.at(-1), 'DELETED q.static.k8s.io');
  const shown = metrics.render();
  assert.match(
    shown,
    /last_config_info\{apiserver_id_hash="sha256:[0-9a-f]{64}",hash="sha256:[0-9a-f]{64}",plugin="ValidatingAdmissionPolicy"\} 1/,
  );
  assert.match(shown, /automatic_reload_last_timestamp_seconds\{.*status="failure"\} \d/);
  stop.abort();
  folder['a.yaml'] = policy('z.static.k8s.io');
  await clock.advance(120_000);
  assert.deepEqual(names(), [p]);
});
