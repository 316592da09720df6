import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KubeconfigError, loadKubeconfig, parseKubeconfig } from './kubeconfig.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

interface Parts {
  readonly cluster?: string;
  readonly user?: string;
  readonly context?: string;
  readonly current?: string;
}
function config({ cluster = '', user = '', context = '', current = 'c1' }: Parts = {}): string {
  return `apiVersion: v1
kind: Config
current-context: ${current}
clusters: [{ name: k, cluster: { server: "https://k.example:6443", ${cluster} } }]
users: [{ name: u, user: { ${user} } }]
contexts:
- { name: c1, context: { cluster: k, user: u, ${context} } }
- { name: c2, context: { cluster: nowhere, user: u } }
- { name: c3, context: { cluster: k } }
- { name: c4, context: { cluster: k, user: nobody } }
`;
}

test('inline credentials', () => {
  const { transport, namespace, impersonate } = parseKubeconfig(
    config({
      cluster: `certificate-authority-data: ${base64('CA')}, tls-server-name: kube`,
      user: `client-certificate-data: ${base64('CERT')}, client-key-data: ${base64('KEY')}, token: T`,
      context: 'namespace: shop',
    }),
  );
  const { token, ...rest } = transport;
  assert.deepEqual(rest, {
    server: 'https://k.example:6443',
    certificateAuthorityPem: 'CA',
    serverName: 'kube',
    certificatePem: 'CERT',
    privateKeyPem: 'KEY',
  });
  assert.equal(token?.(), 'T');
  assert.equal(namespace, 'shop');
  assert.equal(impersonate, undefined);
});

test('without a user, or with one that says nothing, nobody is anybody', () => {
  for (const context of ['c1', 'c3']) {
    const { transport, namespace } = parseKubeconfig(config(), { context });
    assert.deepEqual(transport, { server: 'https://k.example:6443' });
    assert.equal(namespace, 'default');
  }
});

test('impersonation', () => {
  const user = 'as: jane, as-uid: "7", as-groups: [dev, ops], as-user-extra: { team: [a, b] }';
  assert.deepEqual(parseKubeconfig(config({ user })).impersonate, {
    user: 'jane',
    uid: '7',
    groups: ['dev', 'ops'],
    extra: { team: ['a', 'b'] },
  });
});

test('files are relative to the configuration, and a token file is read every time', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'config');
  writeFileSync(
    file,
    config({ cluster: 'certificate-authority: ca.crt', user: 'tokenFile: token' }),
  );
  writeFileSync(join(folder, 'ca.crt'), 'CA');
  writeFileSync(join(folder, 'token'), 'one\n');
  const { transport } = loadKubeconfig(file);
  assert.equal(transport.certificateAuthorityPem, 'CA');
  assert.equal(transport.token?.(), 'one');
  writeFileSync(join(folder, 'token'), 'two\n');
  assert.equal(transport.token?.(), 'two');
  assert.throws(() => loadKubeconfig(join(folder, 'absent')), KubeconfigError);
});

const refused: [what: string, text: string, message: RegExp][] = [
  ['no YAML', 'a: [', /is no YAML/],
  ['nothing', '', /is empty/],
  ['a list', '[1]', /no mapping/],
  ['no current context', config({ current: '""' }), /no current-context/],
  ['an unknown context', config({ current: 'c9' }), /no context "c9"/],
  ['an unknown cluster', config({ current: 'c2' }), /no cluster "nowhere"/],
  ['an unknown user', config({ current: 'c4' }), /no user "nobody"/],
  ['programs', config({ user: 'exec: { command: aws }' }), /credential plugins are not supported/],
  ['plugins', config({ user: 'auth-provider: { name: gcp }' }), /credential plugins/],
  ['passwords', config({ user: 'username: a, password: b' }), /basic authentication/],
  ['proxies', config({ cluster: 'proxy-url: "http://p"' }), /proxies are not supported/],
  [
    'half a certificate',
    config({ user: `client-certificate-data: ${base64('C')}` }),
    /needs its key/,
  ],
  ['files without a folder', config({ cluster: 'certificate-authority: ca.crt' }), /has no folder/],
  ['a server of no kind', config().replace('https://k.example:6443', 'ftp://k'), /no address/],
  ['no address at all', config().replace('https://k.example:6443', 'k:6443:x'), /no address/],
];
for (const [what, text, message] of refused)
  test(`refused: ${what}`, () =>
    assert.throws(
      () => parseKubeconfig(text),
      (error) => {
        assert.ok(error instanceof KubeconfigError);
        assert.match(error.message, message);
        return true;
      },
    ));
