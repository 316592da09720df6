import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { createClient, createHttpsTransport, parseKubeconfig } from '@keelson/client';
import { createCluster, type Cluster, type UserSpec } from './index.ts';
import { core } from './testing/simulated-cluster.ts';

/** Who the server says one is with the kubeconfig. */
async function whoIs(t: TestContext, kubeconfig: string) {
  const transport = createHttpsTransport(parseKubeconfig(kubeconfig).transport);
  const client = createClient({ transport });
  t.after(() => client.close());
  const review = await client
    .resource({ group: 'authentication.k8s.io', version: 'v1', resource: 'selfsubjectreviews' })
    .create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'SelfSubjectReview',
      metadata: {},
    });
  const { userInfo } = review['status'] as {
    readonly userInfo: { readonly username: string; readonly groups: readonly string[] };
  };
  return [userInfo.username, ...userInfo.groups];
}

async function clusterOf(t: TestContext): Promise<Cluster> {
  const cluster = await createCluster({ controllers: [] });
  t.after(() => cluster.close());
  const accounts = cluster.client().resource(core('serviceaccounts')).namespace('default');
  await accounts.create({ metadata: { name: 'bot' } });
  return cluster;
}
const bot = { name: 'system:serviceaccount:default:bot' };

const users: readonly [user: UserSpec | undefined, who: readonly string[]][] = [
  [undefined, ['kubernetes-admin', 'system:masters', 'system:authenticated']],
  [{ name: 'jane', groups: ['dev', 'ops'] }, ['jane', 'dev', 'ops', 'system:authenticated']],
  [{ name: 'system:serviceaccount:odd' }, ['system:serviceaccount:odd', 'system:authenticated']],
  [
    bot,
    [bot.name, 'system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
  ],
];
test('a kubeconfig is who it was asked for', async (t) => {
  const cluster = await clusterOf(t);
  for (const [user, who] of users)
    assert.deepEqual(await whoIs(t, await cluster.kubeconfig(user)), who);
});

test('a fork has its own port, and its parent’s accounts', async (t) => {
  const cluster = await clusterOf(t);
  const fork = await cluster.fork();
  t.after(() => fork.close());
  assert.notEqual((await fork.listen()).url, (await cluster.listen()).url);
  assert.equal((await whoIs(t, await fork.kubeconfig(bot)))[0], bot.name);
});

const impossible: readonly [user: UserSpec, message: RegExp][] = [
  [{ name: 'jane', extra: { team: ['a'] } }, /cannot have extra/],
  [{ ...bot, groups: ['dev'] }, /not chosen/],
  [{ ...bot, uid: '1' }, /not chosen/],
  [{ name: 'system:serviceaccount:default:nobody' }, /"nobody" not found/],
];
test('what credentials cannot say is refused', async (t) => {
  const cluster = await clusterOf(t);
  for (const [user, message] of impossible) await assert.rejects(cluster.kubeconfig(user), message);
});
