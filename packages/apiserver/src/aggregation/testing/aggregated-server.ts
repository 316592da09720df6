// The whole server on a socket with an extension API server behind it, for tests.

import { request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  createCertificateAuthority,
  type CertificateAuthority,
} from '../../authentication/certificates/certificate-authority.ts';
import { defaultLimits } from '../../config.ts';
import { createTestServer, type TestServer } from '../../testing.ts';
import { openListener, type Listener } from '../../transport/listener.ts';
import { openExtensionServer, type ExtensionServer } from './extension-server.ts';

export const group = 'ext.example.com';
export const version = 'v1';
export const apiServicePath = '/apis/apiregistration.k8s.io/v1/apiservices';
const token = 'ann-token';

export interface AggregatedServer extends AsyncDisposable {
  readonly test: TestServer;
  readonly extension: ExtensionServer;
  readonly port: number;
  /** Who the extension server's certificate comes from. */
  readonly authority: CertificateAuthority;
  /** Registers the extension server and waits for the condition to have this reason. */
  register(spec?: object, reason?: string): Promise<void>;
  condition(): Promise<Record<string, unknown> | undefined>;
  until(check: () => Promise<boolean>): Promise<void>;
  /** Over the socket, as `ann`, who may do anything. */
  fetch(url: string, options?: FetchOptions): Promise<SocketAnswer>;
}
export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}
export interface SocketAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

export async function openAggregatedServer(): Promise<AggregatedServer> {
  const dependencies = { clock: systemClock, random: systemRandom };
  const frontProxyCa = createCertificateAuthority(dependencies, { commonName: 'front-proxy-ca' });
  const authority = createCertificateAuthority(dependencies, { commonName: 'extension-ca' });
  const extension = await openExtensionServer({
    serving: authority.issueServing({
      commonName: 'ext',
      dnsNames: ['ext.default.svc'],
      ipAddresses: [],
    }),
    frontProxyCaPem: frontProxyCa.certificatePem,
    group,
    version,
  });
  const test = await createTestServer({
    frontProxy: frontProxyCa.issueClient({ name: 'front-proxy-client' }),
    authorizer: {
      name: 'test',
      authorize: (user) => ({
        decision: user.name === 'bob' ? 'deny' : 'allow',
        reason: '',
      }),
    },
    staticTokens: [
      {
        token,
        user: {
          name: 'änn',
          uid: 'u1',
          groups: ['a,b', 'staff'],
          extra: { 'example.com/Team': ['one', 'two'], 'a%b': ['x'] },
        },
      },
      { token: 'bob-token', user: { name: 'bob', uid: '', groups: [], extra: {} } },
    ],
  });
  const listener = await openTestListener(test, authority);
  const condition = async () => {
    const { text } = await test.admin('GET', `${apiServicePath}/${version}.${group}`);
    const { status } = JSON.parse(text) as { status?: { conditions?: Record<string, unknown>[] } };
    return status?.conditions?.[0];
  };
  return {
    test,
    extension,
    authority,
    port: listener.port,
    condition,
    until,
    fetch: (url, options = {}) => fetchFrom(listener.port, url, options),
    async register(spec = { insecureSkipTLSVerify: true }, reason = 'Passed') {
      await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'default' } });
      await test.admin('POST', '/api/v1/namespaces/default/services', {
        metadata: { name: 'ext' },
        spec: { type: 'ExternalName', externalName: 'localhost' },
      });
      const made = await test.admin('POST', apiServicePath, {
        metadata: { name: `${version}.${group}` },
        spec: {
          group,
          version,
          groupPriorityMinimum: 2000,
          versionPriority: 10,
          service: { namespace: 'default', name: 'ext', port: extension.port },
          ...spec,
        },
      });
      if (made.status !== 201) throw new Error(made.text);
      await until(async () => (await condition())?.['reason'] === reason);
    },
    async [Symbol.asyncDispose]() {
      await listener.close(0);
      await test.close();
      await extension.close();
    },
  };
}

export function openTestListener(
  test: TestServer,
  authority: CertificateAuthority,
): Promise<Listener> {
  const { certificatePem, privateKeyPem } = authority.issueServing({
    commonName: 'kube-apiserver',
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  });
  return openListener(test.server.serve, {
    address: '127.0.0.1',
    port: 0,
    certificate: certificatePem,
    key: privateKeyPem,
    http2: true,
    limits: defaultLimits,
  });
}

/** Ten seconds at most. */
async function until(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await check()) return;
    await pause(20);
  }
  throw new Error('what was waited for did not come');
}

function fetchFrom(port: number, url: string, options: FetchOptions): Promise<SocketAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path: url,
        method: options.method ?? 'GET',
        headers: { authorization: `Bearer ${token}`, ...options.headers },
        rejectUnauthorized: false,
        agent: false,
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(options.body);
  });
}
