// The transcript of docs/guides/pending-pods.md is what the command prints, and the server shows an
// explanation only to who may read what it is about.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { isStatusError, type SchedulingExplanation } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import { createCluster, type Cluster } from '../create-cluster.ts';
import { core } from '../testing/simulated-cluster.ts';
import { addExplainCommand } from './explain.ts';

const guide = fileURLToPath(new URL('../../../../docs/guides/pending-pods.md', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'keelson-pending-'));
const rbac = (resource: string) => ({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource,
});
const tracePath = (reference: string) => `/debug/keelson/traces/pods/${reference}`;

async function explainPod(...words: string[]) {
  const run = { output: '', errors: '', code: -1 };
  const program = new Command('keelson').enablePositionalOptions().exitOverride();
  addExplainCommand(program, {
    print: (text) => void (run.output += text),
    printError: (text) => void (run.errors += text),
    exit: (code) => void (run.code = code),
    home: directory,
  });
  const flags = ['--kubeconfig', join(directory, 'kc')];
  await program.parseAsync(['explain', ...flags, 'pod', ...words], { from: 'user' });
  return run;
}

async function fill(client: Client): Promise<void> {
  const nodes = client.resource(core('nodes'));
  const addNode = async (name: string, spec: object, more: object = {}) => {
    const allocatable = { cpu: '4', memory: '8Gi', pods: '110' };
    await nodes.create({ metadata: { name, ...more }, spec, status: { allocatable } } as never);
    // New nodes are tainted until somebody has seen that they are ready.
    await nodes.patch(name, 'merge', { spec: { taints: null, ...spec } });
  };
  await addNode('large-1', { taints: [{ key: 'team', value: 'ml', effect: 'NoSchedule' }] });
  await addNode('small-1', {}, { labels: { disk: 'ssd' } });
  await addNode('small-2', { unschedulable: true }, { labels: { disk: 'ssd' } });
  await client.resource(core('namespaces')).create({ metadata: { name: 'shop' } });
  const create = (namespace: string, name: string, cpu: string, spec: object) => {
    const containers = [{ name: 'app', image: 'app', resources: { requests: { cpu } } }];
    return client
      .resource(core('pods'))
      .namespace(namespace)
      .create({ metadata: { name }, spec: { containers, ...spec } } as never);
  };
  await create('default', 'cache', '3', { nodeName: 'small-1' });
  await create('shop', 'web', '1500m', { nodeSelector: { disk: 'ssd' } });
}

describe('keelson explain pod', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await createCluster({
      controllers: ['kube-scheduler'],
      disableAdmissionPlugins: ['ServiceAccount'],
    });
    const client = cluster.client();
    await fill(client);
    const pods = client.resource<Pod>(core('pods')).namespace('shop');
    await cluster.eventually(async () => {
      const [condition] = (await pods.get('web')).status?.conditions ?? [];
      assert.equal(condition?.reason, 'Unschedulable');
    });
    const { kubeconfig } = await cluster.listen();
    writeFileSync(join(directory, 'kc'), kubeconfig);
  });
  after(async () => {
    await cluster.close();
    rmSync(directory, { recursive: true });
  });

  it('prints what the guide shows', async () => {
    const [, transcript = ''] = /^```console\n\$ keelson explain pod shop\/web\n([^]*?)^```$/m.exec(
      readFileSync(guide, 'utf8'),
    ) ?? ['', ''];
    const { output, errors, code } = await explainPod('shop/web');
    assert.deepEqual([output, errors, code], [transcript, '', 1]);
  });

  it('says where a pod is, and is 2 for what is no pod', async () => {
    const rows: [words: string[], code: number, text: RegExp][] = [
      [['default/cache'], 0, /^pod default\/cache: placed\n {2}the pod is on node small-1\n$/],
      [['shop/none'], 2, /^keelson: pods "none" not found\n$/],
      [['web'], 2, /a pod is named as NAMESPACE\/NAME/],
      [['a/b/c'], 2, /a pod is named as NAMESPACE\/NAME/],
      [['shop/web', 'shop/api'], 2, /a pod is named as NAMESPACE\/NAME/],
    ];
    for (const [words, expected, text] of rows) {
      const { output, errors, code } = await explainPod(...words);
      assert.match(output + errors, text);
      assert.equal(code, expected);
    }
  });

  it('shows each reader what the reader may get', async () => {
    const admin = cluster.client();
    const grant = async (namespace: string, name: string, user: string, rules: object[]) => {
      const [role, binding] =
        namespace === '' ? ['clusterroles', 'clusterrolebindings'] : ['roles', 'rolebindings'];
      const of = (resource: string) => admin.resource(rbac(resource)).namespace(namespace);
      const kind = namespace === '' ? 'ClusterRole' : 'Role';
      await of(role ?? '').create({ metadata: { name }, rules } as never);
      await of(binding ?? '').create({
        metadata: { name: `${name}-${user}` },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
        subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
      } as never);
    };
    const traces = { nonResourceURLs: ['/debug/keelson/traces/*'], verbs: ['get'] };
    const reading = (resource: string) => ({
      apiGroups: [''],
      resources: [resource],
      verbs: ['get', 'list'],
    });
    for (const user of ['ann', 'bob', 'eve']) await grant('', `traces-${user}`, user, [traces]);
    for (const user of ['ann', 'bob', 'carl'])
      await grant('shop', `pods-${user}`, user, [reading('pods')]);
    await grant('', 'nodes', 'ann', [reading('nodes')]);
    const readAs = async (name: string, reference = 'shop/web') => {
      const client = cluster.client({ name });
      try {
        return JSON.parse(
          (await client.send({ method: 'GET', path: tracePath(reference) })).toString(),
        ) as SchedulingExplanation;
      } catch (error) {
        if (!isStatusError(error)) throw error;
        return error.status.code;
      }
    };
    // Neither who may get the pod but no traces, nor the other way round; nor an unknown pod.
    assert.deepEqual(
      [
        await readAs('carl'),
        await readAs('eve'),
        await readAs('eve', 'shop/none'),
        await readAs('bob', 'shop/none'),
      ],
      [403, 403, 403, 404],
    );
    const whole = await readAs('ann');
    assert.ok(typeof whole === 'object');
    assert.deepEqual(
      whole.nodes.map(({ node }) => node),
      ['large-1', 'small-1', 'small-2'],
    );
    // Pods of other namespaces are not told of.
    assert.equal(whole.withheld, true);
    assert.ok(!JSON.stringify(whole).includes('cache'));
    const partly = await readAs('bob');
    assert.ok(typeof partly === 'object');
    assert.equal(partly.withheld, true);
    assert.ok(!/large-1|small-1|small-2|cache/.test(JSON.stringify(partly)));
    assert.ok(
      partly.smallest.every(({ changes }) => changes.every(({ about }) => about.kind === 'Pod')),
    );
    assert.ok(partly.smallest.length > 0);
  });

  it('is not there without a scheduler', async () => {
    await using other = await createCluster({ controllers: [] });
    const asking = other.client().send({ method: 'GET', path: tracePath('shop/web') });
    await assert.rejects(asking, (error) => isStatusError(error, 'ServiceUnavailable'));
  });
});
