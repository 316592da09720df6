// Kubeconfig files: which server, which authority, who to be. The forms that are read:
//
//   clusters[].cluster   server, certificate-authority(-data), insecure-skip-tls-verify,
//                        tls-server-name
//   users[].user         client-certificate(-data), client-key(-data), token, tokenFile, as,
//                        as-uid, as-groups, as-user-extra
//   contexts[].context   cluster, user, namespace
//
// SECURITY: `exec` and `auth-provider` run programs that the file names, so they are refused, as is
// whatever else would change who one talks to and is not understood (`proxy-url`).

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  getOwn,
  isJsonObject,
  parseYaml,
  type JsonObject,
  type JsonValue,
} from '@keelson/apimachinery';
import type { HttpsTransportOptions } from './https-transport.ts';
import type { Impersonation } from './requester.ts';

export class KubeconfigError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'KubeconfigError';
  }
}

/** One context of a file, ready to be connected with. */
export interface KubeconfigContext {
  readonly transport: HttpsTransportOptions;
  readonly impersonate?: Impersonation;
  /** Namespace for commands that name none. */
  readonly namespace: string;
}

export interface KubeconfigSource {
  /** Reads a file that the configuration names. Absent: such configurations are refused. */
  readonly readFile?: (file: string) => string;
  /** Context to use in place of `current-context`. */
  readonly context?: string;
}

/** Files named in it are relative to its folder. Throws KubeconfigError. */
export function loadKubeconfig(file: string, context?: string): KubeconfigContext {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      throw new KubeconfigError(`${path} cannot be read`, { cause });
    }
  };
  const folder = dirname(resolve(file));
  return parseKubeconfig(read(file), {
    readFile: (path) => read(resolve(folder, path)),
    ...(context === undefined ? {} : { context }),
  });
}

/** Throws KubeconfigError. */
export function parseKubeconfig(text: string, source: KubeconfigSource = {}): KubeconfigContext {
  const config = readDocument(text);
  const name = source.context ?? textOf(config, 'current-context') ?? '';
  if (name === '') throw new KubeconfigError('the kubeconfig has no current-context');
  const context = entry(config, { list: 'contexts', part: 'context', name });
  const cluster = entry(config, {
    list: 'clusters',
    part: 'cluster',
    name: required(context, 'cluster', `context ${name}`),
  });
  const userName = textOf(context, 'user') ?? '';
  const user =
    userName === '' ? {} : entry(config, { list: 'users', part: 'user', name: userName });
  refuse(cluster, ['proxy-url'], 'proxies are not supported');
  refuse(user, ['exec', 'auth-provider'], 'credential plugins are not supported');
  refuse(user, ['username', 'password'], 'basic authentication is not supported');
  const impersonate = readImpersonation(user);
  return {
    transport: { ...readCluster(cluster, source), ...readCredentials(user, source) },
    ...(impersonate === undefined ? {} : { impersonate }),
    namespace: textOf(context, 'namespace') ?? 'default',
  };
}

function readDocument(text: string): JsonObject {
  let value: JsonValue;
  try {
    ({ value } = parseYaml(text));
  } catch (cause) {
    throw new KubeconfigError('the kubeconfig is no YAML', { cause });
  }
  if (!isJsonObject(value)) throw new KubeconfigError('the kubeconfig is empty or no mapping');
  return value;
}

function readCluster(cluster: JsonObject, source: KubeconfigSource): HttpsTransportOptions {
  const server = required(cluster, 'server', 'the cluster');
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol))
    throw new KubeconfigError(`${JSON.stringify(server)} is no address of a server`);
  const authority = pemOf(cluster, 'certificate-authority', source);
  const serverName = textOf(cluster, 'tls-server-name');
  return {
    server,
    ...(authority === undefined ? {} : { certificateAuthorityPem: authority }),
    ...(serverName === undefined ? {} : { serverName }),
    ...(cluster['insecure-skip-tls-verify'] === true ? { insecureSkipTlsVerify: true } : {}),
  };
}

function readCredentials(
  user: JsonObject,
  source: KubeconfigSource,
): Omit<HttpsTransportOptions, 'server'> {
  const certificatePem = pemOf(user, 'client-certificate', source);
  const privateKeyPem = pemOf(user, 'client-key', source);
  if ((certificatePem === undefined) !== (privateKeyPem === undefined))
    throw new KubeconfigError('a client certificate needs its key, and a key its certificate');
  const token = tokenOf(user, source);
  return {
    ...(certificatePem === undefined ? {} : { certificatePem, privateKeyPem }),
    ...(token === undefined ? {} : { token }),
  };
}

/** As in client-go, a file is read for every request, so that a rotated token is used. */
function tokenOf(user: JsonObject, source: KubeconfigSource): (() => string) | undefined {
  const file = textOf(user, 'tokenFile');
  if (file !== undefined) return () => readNamed(file, source).trim();
  const token = textOf(user, 'token');
  return token === undefined ? undefined : () => token;
}

function readImpersonation(user: JsonObject): Impersonation | undefined {
  const name = textOf(user, 'as');
  if (name === undefined) return undefined;
  const uid = textOf(user, 'as-uid');
  const extra = getOwn(user, 'as-user-extra');
  const lists = isJsonObject(extra) ? Object.entries(extra) : [];
  return {
    user: name,
    ...(uid === undefined ? {} : { uid }),
    groups: textsOf(getOwn(user, 'as-groups')),
    extra: Object.fromEntries(lists.map(([key, value]) => [key, textsOf(value)])),
  };
}

/** The member `part` of the entry of a list that has the name. */
function entry(
  config: JsonObject,
  { list, part, name }: { list: string; part: string; name: string },
): JsonObject {
  const entries = getOwn(config, list);
  const found = (Array.isArray(entries) ? entries : []).find(
    (item): item is JsonObject => isJsonObject(item) && item['name'] === name,
  );
  const value = found && getOwn(found, part);
  if (!isJsonObject(value))
    throw new KubeconfigError(`the kubeconfig has no ${part} ${JSON.stringify(name)}`);
  return value;
}

function refuse(object: JsonObject, keys: readonly string[], why: string): void {
  for (const key of keys) {
    const value = getOwn(object, key);
    if (value !== undefined && value !== null && value !== '')
      throw new KubeconfigError(`${JSON.stringify(key)}: ${why}`);
  }
}

/** Inline data wins over a file, as in client-go. */
function pemOf(object: JsonObject, key: string, source: KubeconfigSource): string | undefined {
  const inline = textOf(object, `${key}-data`);
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
  const file = textOf(object, key);
  return file === undefined ? undefined : readNamed(file, source);
}

function readNamed(file: string, source: KubeconfigSource): string {
  if (source.readFile === undefined)
    throw new KubeconfigError(`the kubeconfig names the file ${file}, and has no folder`);
  return source.readFile(file);
}

function required(object: JsonObject, key: string, where: string): string {
  const text = textOf(object, key);
  if (text === undefined) throw new KubeconfigError(`${where} has no ${JSON.stringify(key)}`);
  return text;
}
function textOf(object: JsonObject, key: string): string | undefined {
  const value = getOwn(object, key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}
function textsOf(value: JsonValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
