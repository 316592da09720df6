// What service account tokens cost: to issue, to verify for the first time and again, and a whole
// TokenRequest through the pipeline of a server, without a socket. Measured is processor time, of
// all threads, so that what else the machine does counts little.

import { noDecisionTrace, systemClock, systemRandom, type KubeObject } from '@keelson/apimachinery';
import {
  createAuthentication,
  createFeatures,
  createKeySigner,
  createServiceAccountTokenIssuer,
  createSigningKey,
  createTokenKeys,
  type ObjectSource,
} from '@keelson/apiserver';
import { createCluster } from '@keelson/keelson';
import type { BenchTools, Section } from './section.ts';
import { call, cpuSeconds, exchange, oneConnection, startServer } from './server.ts';

export const tokensSection: Section = {
  name: 'tokens',
  heading: 'Service account tokens',
  measure: async (tools) => renderTokens(await measureTokens(tools)),
};

export interface TokenFigure {
  readonly name: string;
  /** Of processor time each. */
  readonly micros: number;
}

const issuer = 'https://kubernetes.default.svc.cluster.local';
const rounds = 9;

async function measureTokens(tools: BenchTools): Promise<readonly TokenFigure[]> {
  const { issue, verify } = openAuthentication();
  const tokens: string[] = [];
  const issued = await time(async () => void tokens.push(await issue()), 500);
  let unseen = 0;
  const first = await time(() => verify(tokens[unseen++] ?? ''), 200);
  let turn = 0;
  const again = await time(() => verify(tokens[turn++ % 1000] ?? ''), 10_000);
  const request = await measureRequests();
  return [
    { name: 'a token is signed (ES256)', micros: issued },
    { name: 'a token is verified for the first time', micros: first },
    { name: 'a token that is bound to a pod is verified again', micros: again },
    { name: 'a TokenRequest for a pod, and the client that asks', micros: request },
    { name: 'a TokenRequest over HTTPS, the server alone', micros: await measureServed(tools) },
  ];
}

function openAuthentication() {
  const key = createSigningKey();
  const shared = { clock: systemClock, random: systemRandom, features: createFeatures() };
  const tokenIssuer = createServiceAccountTokenIssuer({
    ...shared,
    issuer,
    signer: createKeySigner(() => key),
  });
  const none = objectsOf();
  const { authenticator } = createAuthentication({
    ...shared,
    apiAudiences: [issuer],
    anonymous: { enabled: true },
    serviceAccounts: {
      issuers: [issuer],
      keys: createTokenKeys([key]),
      objects: {
        serviceAccounts: objectsOf('bot'),
        pods: objectsOf('pod'),
        secrets: none,
        nodes: none,
      },
    },
  });
  return {
    async issue(): Promise<string> {
      const { token } = await tokenIssuer.issue({
        namespace: 'shop',
        serviceAccount: { name: 'bot', uid: 'bot' },
        pod: { name: 'pod', uid: 'pod' },
        audiences: [issuer],
        expiresInSeconds: 3600,
      });
      return token;
    },
    async verify(token: string): Promise<void> {
      const result = await authenticator.authenticate(
        {
          method: 'GET',
          url: '/api',
          headers: { authorization: `Bearer ${token}` },
          protocol: 'HTTP/1.1',
          remoteAddress: '127.0.0.1',
          tls: true,
          peerCertificates: () => [],
          body: () => Promise.reject(new Error('there is none')),
          signal: new AbortController().signal,
        },
        noDecisionTrace,
      );
      if (result.outcome !== 'authenticated') throw new Error('the token was refused');
    },
  };
}

/** One object of this name in the namespace `shop`, with its name as uid. */
function objectsOf(name?: string): ObjectSource {
  const object: KubeObject = { metadata: { namespace: 'shop', name: name ?? '', uid: name ?? '' } };
  return {
    get: (_namespace, wanted) => (wanted === name ? object : undefined),
    list: () => (name === undefined ? [] : [object]),
    subscribe: () => () => {},
  };
}

async function measureRequests(): Promise<number> {
  await using cluster = await createCluster({ controllers: [] });
  const client = cluster.client();
  const core = (resource: string) =>
    client.resource({ group: '', version: 'v1', resource }).namespace('default');
  await core('serviceaccounts').create(account);
  await core('pods').create(pod);
  const body = Buffer.from(JSON.stringify(tokenRequest));
  const path = `${base}/serviceaccounts/bot/token`;
  const headers = { 'content-type': 'application/json' };
  const ask = async () => void (await client.send({ method: 'POST', path, headers, body }));
  return await time(ask, 500);
}

const base = '/api/v1/namespaces/default';
const account: KubeObject = { metadata: { name: 'bot' } };
const pod = {
  metadata: { name: 'pod' },
  spec: { serviceAccountName: 'bot', containers: [{ name: 'c', image: 'i' }] },
} as KubeObject;
const tokenRequest = {
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: {
    expirationSeconds: 3607,
    boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'pod' },
  },
};
const warmRequests = 2_000;
const servedRequests = 5_000;

async function measureServed({ program, newDirectory }: BenchTools): Promise<number> {
  const flags = ['--storage=memory', '--controllers='];
  const server = await startServer(program(), newDirectory(), { flags });
  const agent = oneConnection();
  try {
    await call(server.url, 'POST', `${base}/serviceaccounts`, account);
    await call(server.url, 'POST', `${base}/pods`, pod);
    const path = `${base}/serviceaccounts/bot/token`;
    const ask = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const asked = { method: 'POST', path, body: tokenRequest };
        const { statusCode } = await exchange({ url: server.url, agent }, asked);
        if (statusCode !== 201) throw new Error(`TokenRequest: ${statusCode}`);
      }
    };
    await ask(warmRequests);
    const before = cpuSeconds(server.pid);
    await ask(servedRequests);
    return ((cpuSeconds(server.pid) - before) * 1e6) / servedRequests;
  } finally {
    agent.destroy();
    await server.stop();
  }
}

/** The median of the rounds, after one that warms up. */
async function time(work: () => Promise<void>, perRound: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < perRound; i++) await work();
    const { user, system } = process.cpuUsage(before);
    if (round > 0) times.push((user + system) / perRound);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)] ?? 0;
}

function renderTokens(figures: readonly TokenFigure[]): string {
  const lines = figures.map(
    ({ name, micros }) => `| ${name} | ${micros.toFixed(1)} | ${Math.round(1e6 / micros)} |`,
  );
  return `Keys on P-256; processor time of all threads. Objects that a token is bound to are looked up each time.
All but the last in process and without a socket; the last of a server of its own, over one connection.

| | µs of one core | per second and core |
|---|---|---|
${lines.join('\n')}
`;
}
