// MutatingAdmissionPolicy (KEP-3962) in a whole cluster.

import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { startWebhookServer } from '../webhooks/webhook-server.ts';
import {
  assertRefused,
  configMaps,
  customResources,
  definition,
  definitions,
  map,
  messageOf,
  pods,
  registration,
  ruleFor,
  startCluster,
} from './cluster.ts';

const shared = await startCluster();
after(() => shared.cluster.close());
const { send, create } = shared;
await create('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });

const policiesPath = `${registration}/mutatingadmissionpolicies`;
const bindingsPath = `${registration}/mutatingadmissionpolicybindings`;
const configuration = (expression: string) => ({
  patchType: 'ApplyConfiguration',
  applyConfiguration: { expression },
});
const patch = (expression: string) => ({ patchType: 'JSONPatch', jsonPatch: { expression } });
/** Sets a label to the text that a CEL expression gives. */
const labelling = (key: string, value: string) =>
  configuration(`Object{metadata: Object.metadata{labels: {"${key}": ${value}}}}`);

interface Policy {
  readonly name: string;
  readonly mutations: readonly object[];
  /** By default configuration maps. */
  readonly rules?: readonly object[];
  readonly spec?: object;
  readonly binding?: object;
}
let policies = 0;
/** The label that objects must have for the policy, or the policies, to be asked. */
async function bind(...given: readonly Omit<Policy, 'name'>[]) {
  const about = `m-${++policies}`;
  for (const [i, { mutations, rules, spec, binding }] of given.entries()) {
    const name = `${about}-${i}`;
    await create(policiesPath, {
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: rules ?? [ruleFor('configmaps')],
          objectSelector: { matchLabels: { about } },
        },
        reinvocationPolicy: 'Never',
        mutations,
        ...spec,
      },
    });
    await create(bindingsPath, {
      metadata: { name: `${name}-b` },
      spec: { policyName: name, ...binding },
    });
  }
  return { about };
}

interface Stored {
  readonly metadata: { readonly labels?: Readonly<Record<string, string>> };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: { readonly containers: readonly Readonly<Record<string, unknown>>[] };
}
const stored = async (path: string, object: object) =>
  (await create(path, object)).body as unknown as Stored;
const pod = (name: string, labels: object) => ({
  metadata: { name, labels },
  spec: { containers: [{ name: 'c', image: 'i', args: ['x'] }] },
});
const podRules = [ruleFor('pods')];

describe('MutatingAdmissionPolicy', () => {
  it('admission §5 (1): a configuration adds a label', async () => {
    const expression =
      'Object{metadata: Object.metadata{labels: Object.metadata.labels{env: "test"}}}';
    const about = await bind({ mutations: [configuration(expression)] });
    const { metadata } = await stored(configMaps, map('labelled', {}, about));
    assert.deepEqual(metadata.labels, { ...about, env: 'test' });
  });

  it('admission §5 (2): a patch escapes what stands in its path', async () => {
    const expression =
      '[JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey("a.b/c~d"), value: "1"}]';
    const about = await bind({ mutations: [patch(expression.replace('~d', ''))] });
    const { metadata } = await stored(configMaps, map('escaped', {}, about));
    assert.deepEqual(metadata.labels, { ...about, 'a.b/c': '1' });
    const onData =
      '[JSONPatch{op: "add", path: "/data/" + jsonpatch.escapeKey("x~y"), value: "1"}]';
    const tilde = await bind({ mutations: [patch(onData)] });
    assertRefused(
      await send('POST', configMaps, map('tilde', { a: 'b' }, tilde)),
      422,
      /data\[x~y\]/,
    );
  });

  it('admission §5 (3), (4): lists that are one value are patched, not merged', async () => {
    const merged = await bind({
      rules: podRules,
      mutations: [
        configuration(
          'Object{spec: Object.spec{containers: [Object.spec.containers{name: "c", args: ["y"]}]}}',
        ),
      ],
    });
    const { about } = merged;
    assertRefused(
      await send('POST', pods, pod('merged', merged)),
      403,
      `policy '${about}-0' with binding '${about}-0-b' denied request: error applying patch: invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: .spec.containers[name="c"].args`,
    );
    const patched = await bind({
      rules: podRules,
      mutations: [
        patch('[JSONPatch{op: "replace", path: "/spec/containers/0/args", value: ["y"]}]'),
      ],
    });
    const { spec } = await stored(pods, pod('patched', patched));
    assert.deepEqual(spec.containers[0]?.['args'], ['y']);
  });

  it('admission §5 (5): a patch whose test fails does nothing', async () => {
    const test = (value: string) =>
      patch(
        `[JSONPatch{op: "test", path: "/data/a", value: "${value}"}, JSONPatch{op: "add", path: "/data/b", value: "2"}]`,
      );
    const failing = await bind({ mutations: [test('other')] });
    const holding = await bind({ mutations: [test('1')] });
    assert.deepEqual((await stored(configMaps, map('fails', { a: '1' }, failing))).data, {
      a: '1',
    });
    assert.deepEqual((await stored(configMaps, map('holds', { a: '1' }, holding))).data, {
      a: '1',
      b: '2',
    });
  });

  it('admission §5 (6): an expression that fails and may', async () => {
    const mutations = [labelling('x', 'object.data.none')];
    const lax = await bind({ mutations, spec: { failurePolicy: 'Ignore' } });
    const { metadata } = await stored(configMaps, map('lax', { a: '1' }, lax));
    assert.deepEqual(metadata.labels, lax);
    const strict = await bind({ mutations });
    assertRefused(
      await send('POST', configMaps, map('strict', { a: '1' }, strict)),
      403,
      /denied request: expression .* resulted in error: no such key: none$/,
    );
  });

  it('admission §5 (7): policies that read each other agree in the second pass', async () => {
    const spec = { reinvocationPolicy: 'IfNeeded' };
    const seen = (key: string) => `string("${key}" in object.metadata.labels)`;
    const about = await bind(
      { mutations: [labelling('first', seen('second'))], spec },
      { mutations: [labelling('second', seen('first'))], spec },
    );
    const { metadata } = await stored(configMaps, map('both', {}, about));
    assert.deepEqual(metadata.labels, { ...about, first: 'true', second: 'true' });
  });

  it('admission §5 (8): after a webhook, only what asked for it runs again', async (t) => {
    const webhook = await startWebhookServer();
    t.after(() => webhook.close());
    const value = 'yes';
    webhook.play({ '/late': { patch: [{ op: 'add', path: '/metadata/labels/late', value }] } });
    const about = await bind(
      ...['Never', 'IfNeeded'].map((reinvocationPolicy) => ({
        mutations: [labelling(reinvocationPolicy, 'string("late" in object.metadata.labels)')],
        spec: { reinvocationPolicy },
      })),
    );
    const { port, caBundle } = webhook;
    await create(`${registration}/mutatingwebhookconfigurations`, {
      metadata: { name: 'late' },
      webhooks: [
        {
          name: 'late.example.com',
          clientConfig: { url: `https://127.0.0.1:${port}/late`, caBundle },
          rules: [ruleFor('configmaps')],
          objectSelector: { matchLabels: about },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    });
    const { metadata } = await stored(configMaps, map('late', {}, about));
    assert.deepEqual(metadata.labels, { ...about, late: 'yes', Never: 'false', IfNeeded: 'true' });
  });

  it('admission §5 (9): nothing is mutated that is deleted', async () => {
    const decision = await send('POST', policiesPath, {
      metadata: { name: 'deleting' },
      spec: {
        matchConstraints: { resourceRules: [ruleFor('configmaps', '', ['CREATE', 'DELETE'])] },
        reinvocationPolicy: 'Never',
        mutations: [labelling('x', '"1"')],
      },
    });
    assertRefused(
      decision,
      422,
      /spec\.matchConstraints\.resourceRules\.operations: Unsupported value: "DELETE": supported values: "\*", "CONNECT", "CREATE", "UPDATE"$/,
    );
  });

  it('admission §5 (10): a type in the place of another', async () => {
    const expression = 'Object{metadata: Object.spec{}}';
    const about = await bind({ mutations: [configuration(expression)] });
    assertRefused(
      await send('POST', configMaps, map('mismatch', {}, about)),
      403,
      /type mismatch: unexpected type name "Object\.spec", expected "Object\.metadata", which matches field name path from root Object type$/,
    );
  });

  it('admission §5 (11): every parameter is an invocation', async () => {
    for (const name of ['one', 'two', 'three'])
      await create(configMaps, map(name, { key: name }, { keys: 'yes' }));
    const selector = { matchLabels: { keys: 'yes' } };
    const about = await bind({
      mutations: [
        labelling('count', `string(int(object.metadata.labels[?"count"].orValue("0")) + 1)`),
      ],
      spec: { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } },
      binding: {
        paramRef: { selector, namespace: 'default', parameterNotFoundAction: 'Deny' },
      },
    });
    const { metadata } = await stored(configMaps, map('counted', {}, about));
    assert.equal(metadata.labels?.['count'], '3');
  });

  // The type of a custom resource is known as soon as the resource is served, so there is no moment
  // in which kube-apiserver would answer 503.
  it('admission §5 (12): custom resources, from their first request on', async () => {
    const size = {
      type: 'object',
      properties: { n: { type: 'integer' }, kept: { type: 'string' } },
    };
    const rules = [ruleFor('meters', 'example.com')];
    const about = await bind({
      rules,
      mutations: [configuration('Object{spec: Object.spec{n: object.spec.n + 1}}')],
    });
    await create(definitions, definition({ plural: 'meters', kind: 'Meter', spec: size }));
    const { body } = await create(customResources('meters'), {
      apiVersion: 'example.com/v1',
      kind: 'Meter',
      metadata: { name: 'm', labels: about },
      spec: { n: 1, kept: 'yes' },
    });
    assert.deepEqual((body as { spec: object }).spec, { n: 2, kept: 'yes' });
  });

  it('admission §5 (14): what validates sees what was mutated', async () => {
    const about = await bind({ mutations: [labelling('env', '"test"')] });
    const seen = { resourceRules: [ruleFor('configmaps')], objectSelector: { matchLabels: about } };
    await create(`${registration}/validatingadmissionpolicies`, {
      metadata: { name: 'sees' },
      spec: {
        matchConstraints: seen,
        validations: [
          { expression: 'false', messageExpression: '"env is " + object.metadata.labels.env' },
        ],
      },
    });
    await create(`${registration}/validatingadmissionpolicybindings`, {
      metadata: { name: 'sees' },
      spec: { policyName: 'sees', validationActions: ['Deny'] },
    });
    assertRefused(
      await send('POST', configMaps, map('seen', {}, about)),
      422,
      /denied request: env is test$/,
    );
  });

  for (const [emulatedVersion, version] of [
    ['1.32', 'v1alpha1'],
    ['1.34', 'v1beta1'],
    ['1.35', 'v1beta1'],
  ] as const)
    it(`admission §5 (13): before it is on by default, ${emulatedVersion}`, async (t) => {
      const upgraded = await startCluster();
      t.after(() => upgraded.cluster.close());
      await upgraded.create(policiesPath, {
        metadata: { name: 'p' },
        spec: {
          matchConstraints: { resourceRules: [ruleFor('configmaps')] },
          reinvocationPolicy: 'Never',
          mutations: [labelling('x', '"1"')],
        },
      });
      await upgraded.create(bindingsPath, { metadata: { name: 'b' }, spec: { policyName: 'p' } });
      const { body } = await upgraded.create(configMaps, map('after'));
      assert.deepEqual((body as unknown as Stored).metadata.labels, { x: '1' });
      const before = await upgraded.cluster.fork({ emulatedVersion });
      t.after(() => before.close());
      const path = `/apis/admissionregistration.k8s.io/${version}/mutatingadmissionpolicies`;
      assert.equal((await before.decide({ method: 'GET', path })).status, 404);
      const answer = await before.decide({
        method: 'POST',
        path: configMaps,
        body: { metadata: { name: 'before' } },
      });
      assert.equal(answer.status, 201, messageOf(answer));
      assert.equal((answer.body as unknown as Stored).metadata.labels, undefined);
    });
});
