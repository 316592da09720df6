// The process that plays etcd for `kube-apiserver`, for test environments that start both: it takes
// etcd's flags, answers its health checks on the client URLs, and owns the directory in which
// Keelson's kube-apiserver keeps the state. It is no etcd: it stores nothing itself and speaks no
// gRPC.

import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { resolve } from 'node:path';
import { keelsonVersion } from '../version.ts';
import { describeFlags, FlagError, parseGoFlags, type FlagDefinition } from './go-flags.ts';
import { statePath, type EtcdState } from './kube-apiserver/etcd-state.ts';
import type { ServerEnvironment } from './server-environment.ts';

const flags: readonly FlagDefinition[] = [
  { name: 'name', type: 'string', default: 'default', usage: 'has no effect' },
  { name: 'data-dir', type: 'string', default: 'default.etcd', usage: 'where the state is kept' },
  {
    name: 'listen-client-urls',
    type: 'strings',
    default: 'http://localhost:2379',
    usage: 'where to answer; http only',
  },
  { name: 'advertise-client-urls', type: 'strings', usage: 'has no effect' },
  { name: 'listen-peer-urls', type: 'strings', usage: 'has no effect: there are no peers' },
  { name: 'initial-advertise-peer-urls', type: 'strings', usage: 'has no effect' },
  { name: 'initial-cluster', type: 'string', usage: 'has no effect' },
  { name: 'listen-metrics-urls', type: 'strings', usage: 'has no effect' },
  { name: 'log-level', type: 'string', usage: 'has no effect' },
  { name: 'logger', type: 'string', usage: 'has no effect' },
  { name: 'snapshot-count', type: 'int', usage: 'has no effect' },
  { name: 'quota-backend-bytes', type: 'int', usage: 'has no effect' },
  { name: 'auto-compaction-mode', type: 'string', usage: 'has no effect' },
  { name: 'auto-compaction-retention', type: 'string', usage: 'has no effect' },
  { name: 'max-request-bytes', type: 'int', usage: 'has no effect' },
  { name: 'enable-v2', type: 'bool', usage: 'has no effect' },
  {
    name: 'unsafe-no-fsync',
    type: 'bool',
    usage: 'lets kube-apiserver acknowledge writes before they are on disk',
  },
  { name: 'help', shorthand: 'h', type: 'bool', usage: 'this text' },
  { name: 'version', type: 'bool', usage: 'prints the version' },
];

/** Returns when it listens, or after it has called `exit`. */
export async function runEtcd(
  argv: readonly string[],
  environment: ServerEnvironment,
): Promise<void> {
  try {
    const values = parseGoFlags(flags, argv);
    if (values.bool('help')) {
      environment.print(`Usage:\n  etcd [flags]\n\nFlags:\n${describeFlags(flags)}`);
      return environment.exit(0);
    }
    if (values.bool('version')) {
      environment.print(`etcd Version: Keelson ${keelsonVersion}\n`);
      return environment.exit(0);
    }
    const [unexpected] = values.positional;
    if (unexpected !== undefined) throw new FlagError(`'${unexpected}' is not a valid flag`);
    const state: EtcdState = {
      keelson: true,
      dataDir: resolve(values.text('data-dir') ?? ''),
      fsync: !values.bool('unsafe-no-fsync'),
    };
    mkdirSync(state.dataDir, { recursive: true, mode: 0o700 });
    const servers = await Promise.all(
      values.list('listen-client-urls').map((url) => listen(url, state)),
    );
    environment.onStop(() => {
      for (const server of servers) server.closeAllConnections();
      for (const server of servers) server.close();
      environment.exit(0);
    });
  } catch (error) {
    if (!(error instanceof FlagError) && !(error instanceof Error && 'syscall' in error))
      throw error;
    environment.printError(`etcd: ${error.message}\n`);
    environment.exit(1);
  }
}

function listen(text: string, state: EtcdState): Promise<Server> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'http:')
    throw new FlagError(`--listen-client-urls: ${text} is not an http URL`);
  const answers: Readonly<Record<string, unknown>> = {
    '/health': { health: 'true', reason: '' },
    '/version': { etcdserver: '3.6.0', etcdcluster: '3.6.0', storage: '3.6.0' },
    [statePath]: state,
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const isProbe = path === '/livez' || path === '/readyz';
    const answer = Object.hasOwn(answers, path) ? answers[path] : undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD') response.statusCode = 405;
    else if (!isProbe && answer === undefined) response.statusCode = 404;
    response.setHeader('content-type', isProbe ? 'text/plain' : 'application/json');
    if (response.statusCode !== 200) response.end();
    else response.end(isProbe ? 'ok\n' : JSON.stringify(answer));
  });
  return new Promise((done, reject) => {
    server.once('error', reject);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    server.listen(Number(url.port || 80), host, () => done(server));
  });
}
