import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSimulatedClock } from '@keelson/apimachinery';
import { readHostCredentials, readKubeconfigServer } from './kubeconfig.ts';

function given(users: string, more = '', files: Record<string, string> = {}) {
  const all: Record<string, string> = { '/etc/hooks.yaml': `${more}\nusers: ${users}`, ...files };
  const clock = createSimulatedClock();
  const read = (path: string) => {
    const text = all[path];
    if (text === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
    return text;
  };
  return { clock, all, dependencies: { clock, files: { read, list: () => undefined } } };
}
const token = (name: string) => `{name: "${name}", user: {token: "for ${name}"}}`;

test('users are found by host, the most exact name first', () => {
  const names = ['a.shop.svc', '*.shop.svc', '*.svc:8443', 'h.example.com:444', '127.0.0.1:9', '*'];
  const { dependencies } = given(`[${names.map(token).join(', ')}]`);
  const find = readHostCredentials('/etc/hooks.yaml', dependencies);
  const rows: [host: string, user: string][] = [
    ['a.shop.svc:443', 'a.shop.svc'],
    ['b.shop.svc:443', '*.shop.svc'],
    ['a.shop.svc:8443', '*.svc:8443'],
    ['a.shop.svc:9443', '*'],
    ['h.example.com:444', 'h.example.com:444'],
    ['h.example.com:443', '*'],
    ['127.0.0.1:9', '127.0.0.1:9'],
  ];
  for (const [host, user] of rows)
    assert.equal(find(host)?.authorization?.(), `Bearer for ${user}`, host);
  const { dependencies: few } = given(`[${token('a.shop.svc')}]`);
  assert.equal(readHostCredentials('/etc/hooks.yaml', few)('b.shop.svc:443'), undefined);
});

test('credentials of each kind', async () => {
  const users = `
  - {name: basic, user: {username: ann, password: "s:cret"}}
  - {name: file, user: {tokenFile: token}}
  - {name: certificate, user: {client-certificate: c.pem, client-key-data: ${Buffer.from('K').toString('base64')}}}
  - {name: nobody, user: {}}`;
  const files = { '/etc/token': 'first\n', '/etc/c.pem': 'C' };
  const { clock, all, dependencies } = given(users, '', files);
  const find = readHostCredentials('/etc/hooks.yaml', dependencies);
  const basic = `Basic ${Buffer.from('ann:s:cret').toString('base64')}`;
  assert.equal(find('basic:443')?.authorization?.(), basic);
  assert.deepEqual(find('certificate:443'), {
    certificate: { certificatePem: 'C', privateKeyPem: 'K' },
  });
  assert.deepEqual(find('nobody:443'), {});
  assert.equal(find('file:443')?.authorization?.(), 'Bearer first');
  all['/etc/token'] = 'second';
  assert.equal(find('file:443')?.authorization?.(), 'Bearer first');
  await clock.advance(60_000);
  assert.equal(find('file:443')?.authorization?.(), 'Bearer second');
});

test('what is not understood is refused', () => {
  const rows: [users: string, message: RegExp][] = [
    ['[{name: a, user: {exec: {command: x}}}]', /user "a": credential plugins are not supported$/],
    ['[{name: a, user: {auth-provider: {}}}]', /credential plugins are not supported$/],
    ['[{name: a, user: {as: root, token: hidden}}]', /user "a": impersonation is not supported$/],
    ['[{name: a, user: {client-key: k.pem}}]', /k\.pem cannot be read$/],
    [
      '[{name: a, user: {client-key-data: a2V5}}]',
      /client-certificate and client-key go together$/,
    ],
    ['[{name: a, user: {token: hidden, username: b}}]', /token and password exclude each other$/],
    ['[{name: a, user: {tokenFile: none}}]', /none cannot be read$/],
    ['{}', /^users must be a list$/],
    ['[', /no YAML$/],
  ];
  for (const [users, message] of rows)
    assert.throws(
      () => readHostCredentials('/etc/hooks.yaml', given(users).dependencies),
      (error: Error) => {
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /hidden/);
        return true;
      },
    );
  assert.throws(
    () => readHostCredentials('/etc/none.yaml', given('[]').dependencies),
    /^AdmissionConfigurationError: kubeconfig \/etc\/none\.yaml: none\.yaml cannot be read$/,
  );
});

test('the server of the current context', () => {
  const config = (cluster: string, context = 'a') => `
current-context: ${context}
contexts: [{name: a, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: ${cluster}}]`;
  const read = (text: string) =>
    readKubeconfigServer('/etc/hooks.yaml', given(`[${token('u')}]`, text).dependencies);
  const ca = Buffer.from('CA').toString('base64');
  const found = read(
    config(
      `{server: "https://images:7443/review", certificate-authority-data: ${ca}, tls-server-name: x}`,
    ),
  );
  assert.deepEqual(found.address, { url: 'https://images:7443/review', caBundle: ca });
  assert.equal(found.credentials.serverName, 'x');
  assert.equal(found.credentials.authorization?.(), 'Bearer for u');
  const refused: [text: string, message: RegExp][] = [
    [config('{server: "http://images"}'), /the server must be an https URL$/],
    [config('{server: "https://i", insecure-skip-tls-verify: true}'), /insecure-skip-tls-verify/],
    [config('{server: "https://i", proxy-url: "http://p"}'), /proxies are not supported$/],
    [config('{server: "https://i"}', 'b'), /contexts has no "b"$/],
    ['', /contexts has no ""$/],
  ];
  for (const [text, message] of refused) assert.throws(() => read(text), message);
});
