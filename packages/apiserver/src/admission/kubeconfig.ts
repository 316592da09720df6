// Kubeconfig files of admission: who the server is to the webhooks it calls. Two uses: the file of
// an image policy names one server and one user by its current context; the file of admission
// webhooks names users by the hosts that they are meant for.
//
//   users[].user         token, tokenFile, username and password, client-certificate(-data) with
//                        client-key(-data)
//   clusters[].cluster   server, certificate-authority(-data), tls-server-name
//
// SECURITY: what would run programs (`exec`, `auth-provider`), act as somebody else, or leave
// certificates unverified is refused when the server starts. Tokens and passwords are in no message.

import { basename, dirname, resolve } from 'node:path';
import { parseYaml, type Clock } from '@keelson/apimachinery';
import type { WebhookAddress, WebhookCredentials } from '../transport/webhook-client.ts';
import type { ConfigurationFiles } from './configuration-files.ts';
import {
  AdmissionConfigurationError,
  readFields,
  readList,
  readText,
  type ConfigurationFields,
} from './configuration-reader.ts';

export interface KubeconfigDependencies {
  readonly files: ConfigurationFiles;
  readonly clock: Clock;
}

/** Credentials by `host:port`; undefined for hosts that the file does not know. */
export type CredentialsForHost = (hostPort: string) => WebhookCredentials | undefined;

/**
 * Users are named after `host:port`, `*.` and a parent domain with the port, the same without port
 * for 443, or `*`; the most exact name counts.
 */
export function readHostCredentials(
  path: string,
  dependencies: KubeconfigDependencies,
): CredentialsForHost {
  const file = openKubeconfig(path, dependencies);
  const users = new Map(
    [...file.entries('users', 'user')].map(([name, user]) => [name, file.credentials(name, user)]),
  );
  return (hostPort) => {
    const name = [...userNames(hostPort)].find((candidate) => users.has(candidate));
    return name === undefined ? undefined : users.get(name);
  };
}

function* userNames(hostPort: string): Generator<string> {
  yield* patternsOf(hostPort);
  const withoutPort = /^(.*):443$/.exec(hostPort)?.[1];
  if (withoutPort !== undefined) yield* patternsOf(withoutPort.replace(/^\[(.*)\]$/, '$1'));
  yield '*';
}

function* patternsOf(target: string): Generator<string> {
  yield target;
  const steps = target.split('.');
  for (let i = 1; i < steps.length; i++) yield `*.${steps.slice(i).join('.')}`;
}

export interface KubeconfigServer {
  readonly address: WebhookAddress;
  readonly credentials: WebhookCredentials;
}

/** The server and the user of the current context. */
export function readKubeconfigServer(
  path: string,
  dependencies: KubeconfigDependencies,
): KubeconfigServer {
  const file = openKubeconfig(path, dependencies);
  const context = file.entry('contexts', 'context', file.text('current-context'));
  const cluster = file.entry('clusters', 'cluster', readText(context.get('cluster'), 'cluster'));
  const userName = readText(context.get('user'), 'user');
  const user = userName === '' ? undefined : file.entry('users', 'user', userName);
  refuse(path, cluster, ['proxy-url'], 'proxies are not supported');
  if (cluster.get('insecure-skip-tls-verify') === true)
    throw problem(path, 'insecure-skip-tls-verify is not supported');
  const url = readText(cluster.get('server'), 'server');
  if (!url.startsWith('https://')) throw problem(path, 'the server must be an https URL');
  const authority = file.content(cluster, 'certificate-authority');
  const serverName = readText(cluster.get('tls-server-name'), 'tls-server-name');
  return {
    address: {
      url,
      ...(authority && { caBundle: Buffer.from(authority).toString('base64') }),
    },
    credentials: {
      ...(user && file.credentials(userName, user)),
      ...(serverName !== '' && { serverName }),
    },
  };
}

/** How long the token of a file is believed to be current. */
const tokenFileMs = 60_000;

function openKubeconfig(path: string, { files, clock }: KubeconfigDependencies) {
  const folder = dirname(resolve(path));
  const read = (name: string) => {
    try {
      return files.read(resolve(folder, name));
    } catch (cause) {
      throw problem(path, `${name} cannot be read`, cause);
    }
  };
  const document = readFields(parsed(path, read(basename(path))), path);
  const entries = (list: string, part: string) =>
    new Map(
      readList(document.get(list), list).map((item, i) => {
        const fields = readFields(item, `${list}[${i}]`);
        const name = readText(fields.get('name'), `${list}[${i}].name`);
        return [name, readFields(fields.get(part), `${list}[${i}].${part}`)] as const;
      }),
    );
  /** What stands in the file or in one that it names. */
  const content = (fields: ConfigurationFields, name: string): string | undefined => {
    const inline = readText(fields.get(`${name}-data`), `${name}-data`);
    if (inline !== '') return Buffer.from(inline, 'base64').toString();
    const file = readText(fields.get(name), name);
    return file === '' ? undefined : read(file);
  };
  const tokenOf = (fields: ConfigurationFields): (() => string) | undefined => {
    const token = readText(fields.get('token'), 'token');
    const file = readText(fields.get('tokenFile'), 'tokenFile');
    if (file === '') return token === '' ? undefined : () => token;
    let [current, readAtMs] = [read(file).trim(), clock.monotonic()];
    return () => {
      if (clock.monotonic() - readAtMs >= tokenFileMs)
        [current, readAtMs] = [read(file).trim(), clock.monotonic()];
      return current;
    };
  };
  return {
    text: (name: string) => readText(document.get(name), name),
    entries,
    content,
    entry(list: string, part: string, name: string): ConfigurationFields {
      const found = entries(list, part).get(name);
      if (found === undefined) throw problem(path, `${list} has no ${JSON.stringify(name)}`);
      return found;
    },
    credentials(user: string, fields: ConfigurationFields): WebhookCredentials {
      const of = `user ${JSON.stringify(user)}: `;
      refuse(path, fields, ['exec', 'auth-provider'], `${of}credential plugins are not supported`);
      const impersonation = ['as', 'as-uid', 'as-groups', 'as-user-extra'];
      refuse(path, fields, impersonation, `${of}impersonation is not supported`);
      const certificatePem = content(fields, 'client-certificate');
      const privateKeyPem = content(fields, 'client-key');
      if ((certificatePem === undefined) !== (privateKeyPem === undefined))
        throw problem(path, `${of}client-certificate and client-key go together`);
      const token = tokenOf(fields);
      const name = readText(fields.get('username'), 'username');
      const password = readText(fields.get('password'), 'password');
      const hasPassword = name !== '' || password !== '';
      if (token !== undefined && hasPassword)
        throw problem(path, `${of}token and password exclude each other`);
      const basic = `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
      return {
        ...(certificatePem !== undefined &&
          privateKeyPem !== undefined && { certificate: { certificatePem, privateKeyPem } }),
        ...(token !== undefined && { authorization: () => `Bearer ${token()}` }),
        ...(hasPassword && { authorization: () => basic }),
      };
    },
  };
}

function parsed(path: string, text: string): unknown {
  try {
    return parseYaml(text).value;
  } catch (cause) {
    throw problem(path, 'no YAML', cause);
  }
}

function refuse(
  path: string,
  fields: ConfigurationFields,
  names: readonly string[],
  why: string,
): void {
  if (names.some((name) => fields.get(name) !== undefined)) throw problem(path, why);
}

function problem(path: string, why: string, cause?: unknown): AdmissionConfigurationError {
  return new AdmissionConfigurationError(`kubeconfig ${path}: ${why}`, { cause });
}
