// Static manifests (KEP-5793) in a whole cluster: what stands in files is in force like objects of
// the API and before them, also for requests about policies and webhooks themselves, and no request
// changes it. Credentials for webhooks come from a file too.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { KubeObject, StatusError } from '@keelson/apimachinery';
import { createCluster, type ClusterOptions } from '@keelson/keelson';
import { startWebhookServer } from './webhook-server.ts';

const admissionregistration = { group: 'admissionregistration.k8s.io', version: 'v1' };
const configMaps = { group: '', version: 'v1', resource: 'configmaps' };

function folder(t: TestContext, files: Readonly<Record<string, unknown>>): string {
  const path = mkdtempSync(join(tmpdir(), 'keelson-manifests-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(path, name), JSON.stringify(content));
  return path;
}

async function start(t: TestContext, options: ClusterOptions) {
  const featureGates = { ManifestBasedAdmissionControlConfig: true };
  const cluster = await createCluster({ controllers: [], featureGates, ...options });
  t.after(() => cluster.close());
  const client = cluster.client();
  return {
    maps: client.resource(configMaps).namespace('default'),
    of: (resource: string) => client.resource({ ...admissionregistration, resource }),
  };
}

const apiVersion = 'apiserver.config.k8s.io/v1';
const map = (name: string) => ({ metadata: { name } }) as KubeObject;
const rules = (group: string, ...resources: string[]) => [
  { apiGroups: [group], apiVersions: ['*'], operations: ['CREATE', 'DELETE'], resources },
];
const policy = (name: string, resourceRules: object[], expression: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: { name },
  spec: { matchConstraints: { resourceRules }, validations: [{ expression }] },
});
const binding = (name: string, policyName: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  metadata: { name },
  spec: { policyName, validationActions: ['Deny'] },
});
const asObject = (value: object) => value as unknown as KubeObject;
const message = (text: RegExp) => (error: StatusError) => {
  assert.match(error.message, text);
  return true;
};

test('policies of files are in force and out of reach', async (t) => {
  const name = 'maps.static.k8s.io';
  const about = [
    ...rules('', 'configmaps'),
    ...rules('admissionregistration.k8s.io', 'validatingadmissionpolicies'),
  ];
  const path = folder(t, {
    'a.json': policy(name, about, "!(request.name + object.metadata.name).contains('bad')"),
    'b.json': binding('b.static.k8s.io', name),
  });
  const { maps, of } = await start(t, {
    admissionConfiguration: {
      ValidatingAdmissionPolicy: {
        apiVersion,
        kind: 'ValidatingAdmissionPolicyConfiguration',
        staticManifestsDir: path,
      },
    },
  });
  await maps.create(map('good'));
  const denied = /ValidatingAdmissionPolicy 'maps.static.k8s.io' with binding 'b.static.k8s.io'/;
  await assert.rejects(maps.create(map('bad')), message(denied));
  const policies = of('validatingadmissionpolicies');
  const own = (named: string) => asObject(policy(named, rules('', 'pods'), 'true'));
  await policies.create(own('good'));
  await assert.rejects(policies.create(own('bad')), message(denied));
  await assert.rejects(policies.get(name), message(/not found$/));
  await assert.rejects(
    policies.create(own('x.static.k8s.io')),
    message(/names ending with ".static.k8s.io" are reserved for static manifest-based/),
  );
});

test('admission §6 (15): webhooks of files see what others do not, and know who asks', async (t) => {
  const webhook = await startWebhookServer();
  t.after(() => webhook.close());
  const path = folder(t, {
    'hooks.json': {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: 'all.static.k8s.io' },
      webhooks: [
        {
          name: 'all.example.com',
          clientConfig: {
            url: `https://127.0.0.1:${webhook.port}/all`,
            caBundle: webhook.caBundle,
          },
          rules: rules('*', '*'),
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    },
  });
  const users = [{ name: `127.0.0.1:${webhook.port}`, user: { token: 'secret-of-the-server' } }];
  const kubeConfigFile = join(folder(t, { 'kubeconfig.yaml': { users } }), 'kubeconfig.yaml');
  const { maps, of } = await start(t, {
    admissionConfiguration: {
      ValidatingAdmissionWebhook: {
        apiVersion,
        kind: 'WebhookAdmissionConfiguration',
        kubeConfigFile,
        staticManifestsDir: path,
      },
    },
  });
  const deny = (text: string) => ({ response: { allowed: false, status: { message: text } } });
  webhook.play({ '/all': deny('closed') });
  const policies = of('validatingadmissionpolicies');
  const refused = message(/^admission webhook "all.example.com" denied the request: closed$/);
  await assert.rejects(maps.create(map('a')), refused);
  await assert.rejects(policies.create(asObject(policy('p', rules('', 'pods'), 'true'))), refused);
  assert.deepEqual(
    webhook.calls.map(({ authorization }) => authorization),
    ['Bearer secret-of-the-server', 'Bearer secret-of-the-server'],
  );
});

test('a folder that cannot be used keeps the server from starting', async (t) => {
  const path = folder(t, { 'b.json': binding('b.static.k8s.io', 'none.static.k8s.io') });
  const admissionConfiguration = {
    ValidatingAdmissionPolicy: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyConfiguration',
      staticManifestsDir: path,
    },
  };
  await assert.rejects(
    start(t, { admissionConfiguration }),
    /references policy "none.static.k8s.io" which does not exist in the manifest directory$/,
  );
  await assert.rejects(
    start(t, { admissionConfiguration, featureGates: {} }),
    /requires the ManifestBasedAdmissionControlConfig feature gate to be enabled$/,
  );
});
