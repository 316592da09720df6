// How the authenticators of a control plane go together: what excludes what, and what follows
// files.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  configurationOfModes,
  modeFlagDefaults,
  AuthenticationConfigurationError,
  createCertificateAuthority,
  defaultLimits,
  openListener,
} from '@keelson/apiserver';
import { createSeededRandom, systemClock } from '@keelson/apimachinery';
import { createHttpsTransport } from '@keelson/client';
import { startAuthenticatedPlane, temporaryFile, until } from './testing/authenticated-plane.ts';

const authorityOf = (commonName: string) =>
  createCertificateAuthority({ clock: systemClock, random: createSeededRandom(5) }, { commonName });

test('auth §2.8: AlwaysAllow and anonymous requests do not go together', async (t) => {
  const configuration = configurationOfModes({ modes: ['AlwaysAllow'], ...modeFlagDefaults });
  const plane = await startAuthenticatedPlane(t, { authorization: { configuration } });
  assert.equal(await plane.status('/api/v1/secrets'), 401);
  assert.equal(await plane.status('/livez'), 401);
  assert.ok(plane.log.some((line) => line.startsWith('AnonymousAuth is not allowed')));
  const rbac = await startAuthenticatedPlane(t);
  assert.equal(await rbac.status('/livez'), 200);
});

test('auth §2.9 (1), (2): no credentials are anonymous, bad ones are not', async (t) => {
  const plane = await startAuthenticatedPlane(t);
  assert.equal(await plane.status('/version'), 200);
  assert.equal(await plane.status('/version', { authorization: 'Bearer garbage' }), 401);
  assert.equal(await plane.status('/api/v1/secrets'), 403);
  const attempts = await plane.metrics('authentication_attempts{');
  assert.deepEqual(attempts.sort(), [
    'authentication_attempts{result="error"} 1',
    'authentication_attempts{result="success"} 2',
  ]);
  assert.deepEqual(await plane.metrics('authenticated_user_requests{'), [
    'authenticated_user_requests{username="other"} 2',
  ]);
});

const proxyHeaders = {
  usernameHeaders: ['X-Remote-User'],
  uidHeaders: [],
  groupHeaders: ['X-Remote-Group'],
  extraHeaderPrefixes: [],
};

test('auth §2.7: clients and proxies of one authority are told apart by name', async (t) => {
  const shared = authorityOf('shared').certificatePem;
  const start = (allowedNames: string[], clientCa: string) =>
    startAuthenticatedPlane(t, {
      foreignAuthorityOnly: true,
      clientCaPem: shared,
      requestHeader: { ...proxyHeaders, clientCa, allowedNames },
    });
  await assert.rejects(
    () => start([], shared),
    (error) =>
      error instanceof AuthenticationConfigurationError &&
      error.message ===
        '--requestheader-client-ca-file and --client-ca-file contain overlapping certificates; --requestheader-allowed-names must be specified to ensure regular client certificates cannot set authenticating proxy headers for arbitrary users',
  );
  await start(['proxy'], shared);
  await start([], authorityOf('other').certificatePem);
});

test('auth §2.7: what is published follows the files', async (t) => {
  const [first, second, proxies] = [authorityOf('a'), authorityOf('b'), authorityOf('c')];
  const clients = temporaryFile(t, 'ca.crt', first.certificatePem);
  const proxy = temporaryFile(t, 'proxy.crt', first.certificatePem);
  const { plane } = await startAuthenticatedPlane(t, {
    clock: systemClock,
    foreignAuthorityOnly: true,
    clientCaPem: first.certificatePem,
    clientCaFile: clients.path,
    requestHeader: {
      ...proxyHeaders,
      allowedNames: ['p'],
      clientCa: first.certificatePem,
      clientCaFile: proxy.path,
    },
  });
  const published = () => {
    const object = plane.sources.configMaps.get(
      'kube-system',
      'extension-apiserver-authentication',
    );
    const data = object?.['data'] as Readonly<Record<string, string>> | undefined;
    return [data?.['client-ca-file'], data?.['requestheader-client-ca-file']];
  };
  assert.deepEqual(published(), [first.certificatePem, first.certificatePem]);
  clients.write(second.certificatePem);
  proxy.write(proxies.certificatePem);
  await until(() => published()[0] === second.certificatePem);
  await until(() => published()[1] === proxies.certificatePem);
});

async function listening(t: TestContext, path: string, initial: string) {
  const plane = await startAuthenticatedPlane(t, {
    clientCaPem: initial,
    clientCaFile: path,
    clock: systemClock,
  });
  const listener = await openListener(plane.plane.server.serve, {
    address: '127.0.0.1',
    port: 0,
    certificate: plane.pki.serving.certificatePem,
    key: plane.pki.serving.privateKeyPem,
    http2: false,
    limits: defaultLimits,
  });
  t.after(() => listener.close(0));
  return { plane, port: listener.port };
}

test('auth §17.8: authorities of clients are read again', async (t) => {
  const [first, second] = [authorityOf('first'), authorityOf('second')];
  const { path, write } = temporaryFile(t, 'ca.crt', first.certificatePem);
  const { port } = await listening(t, path, first.certificatePem);
  const isKnown = async (authority: typeof first) => {
    const { certificatePem, privateKeyPem } = authority.issueClient({ name: 'jane' });
    const transport = createHttpsTransport({
      server: `https://127.0.0.1:${port}`,
      insecureSkipTlsVerify: true,
      certificatePem,
      privateKeyPem,
    });
    const { status } = await transport.request({ method: 'GET', url: '/api', headers: {} });
    transport.close();
    return status === 200;
  };
  assert.deepEqual([await isKnown(first), await isKnown(second)], [true, false]);
  write(second.certificatePem);
  await until(() => isKnown(second));
  assert.equal(await isKnown(first), false);
  write('');
  assert.equal(await isKnown(second), true);
});
