// Where the state of `kube-apiserver` lives. It is told by the process that plays etcd, which owns
// the directory: so the state lives as long as etcd's, and a server that is started again beside
// the same etcd finds what its predecessor wrote.
//
// A real etcd is recognised and refused: its protocol is not spoken.

import { get } from 'node:http';
import type { Clock } from '@keelson/apimachinery';

export const statePath = '/keelson/state';

/** The answer to GET of `statePath`. */
export interface EtcdState {
  readonly keelson: true;
  readonly dataDir: string;
  /** False with `--unsafe-no-fsync`. */
  readonly fsync: boolean;
}

export class EtcdStateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'EtcdStateError';
  }
}

const triesMax = 100;
const betweenTriesMs = 100;

/** Waits up to ten seconds for the first server of the list that answers. */
export async function readEtcdState(servers: readonly string[], clock: Clock): Promise<EtcdState> {
  for (let tries = 0; tries < triesMax; tries++) {
    for (const server of servers) {
      const answer = await ask(server);
      if (answer === undefined) continue;
      const state = parseState(answer);
      if (state !== undefined) return state;
      throw new EtcdStateError(
        `--etcd-servers=${server}: this is not Keelson's etcd, and the protocol of another one is not spoken`,
      );
    }
    await new Promise<void>((resolve) => clock.after(betweenTriesMs, resolve));
  }
  throw new EtcdStateError(`--etcd-servers=${servers.join(',')}: nobody answers`);
}

/** The body, or undefined when nobody answered. Whoever listens is believed, as etcd would be. */
function ask(server: string): Promise<string | undefined> {
  let url: URL;
  try {
    url = new URL(statePath, server);
  } catch {
    throw new EtcdStateError(`--etcd-servers=${server}: not a URL`);
  }
  if (url.protocol !== 'http:')
    throw new EtcdStateError(`--etcd-servers=${server}: only http is spoken with Keelson's etcd`);
  return new Promise((resolve) => {
    const request = get(url, { timeout: 2_000, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        // An answer of ours is a few hundred bytes.
        if (text.length < 10_000) text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', () => resolve(undefined));
    });
    request.on('error', () => resolve(undefined));
    request.on('timeout', () => request.destroy());
  });
}

function parseState(text: string): EtcdState | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    const { keelson, dataDir, fsync } = value as Partial<EtcdState>;
    return keelson === true && typeof dataDir === 'string' && typeof fsync === 'boolean'
      ? { keelson, dataDir, fsync }
      : undefined;
  } catch {
    return undefined;
  }
}
