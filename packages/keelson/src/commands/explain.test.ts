// The transcripts of docs/guides/ are what the commands print: each block that begins with `$ keelson`
// is run, on the files that the guide shows, and compared. `UPDATE_GUIDES=1` writes them anew.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { systemClock, type Clock } from '@keelson/apimachinery';
import { createCluster, type Cluster } from '../create-cluster.ts';
import { addExplainCommand } from './explain.ts';
import { addRbacCommand } from './rbac.ts';
import { addRightsCommands } from './rights.ts';

const guides = ['explain.md', 'rbac.md'].map((name) =>
  fileURLToPath(new URL(`../../../../docs/guides/${name}`, import.meta.url)),
);
const directory = mkdtempSync(join(tmpdir(), 'keelson-guides-'));
const block = /^```(\S+)(?: (\S+))?\n([\s\S]*?)^```$/gm;

interface Run {
  output: string;
  errors: string;
  code: number;
}

/** Runs the words as `keelson` would. */
async function keelson(words: readonly string[]): Promise<Run> {
  const run: Run = { output: '', errors: '', code: -1 };
  const environment = {
    print: (text: string) => void (run.output += text),
    printError: (text: string) => void (run.errors += text),
    exit: (code: number) => void (run.code = code),
    home: directory,
  };
  const program = new Command('keelson').enablePositionalOptions().exitOverride();
  addExplainCommand(program, environment);
  addRightsCommands(program, environment);
  addRbacCommand(program, environment);
  await program.parseAsync([...words], { from: 'user' });
  return run;
}

/** A time that the test can let pass; timers keep the system's. */
function createShiftedClock(): Clock & { shiftMs: number } {
  return {
    ...systemClock,
    shiftMs: 0,
    now() {
      return systemClock.now() + this.shiftMs;
    },
  };
}

/** The server of the guide, and the tokens that it speaks of. */
async function startServer(): Promise<{ cluster: Cluster; tokens: Map<string, string> }> {
  const clock = createShiftedClock();
  const cluster = await createCluster({ clock, controllers: [] });
  const { kubeconfig } = await cluster.listen();
  writeFileSync(join(directory, 'admin.kubeconfig'), kubeconfig);
  const accounts = '/api/v1/namespaces/default/serviceaccounts';
  const ask = async (method: 'POST' | 'DELETE', path: string, body = {}) => {
    const answer = await cluster.decide({ method, path, body });
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    return answer.body as { status?: { token: string } };
  };
  const tokenOf = async (name: string, spec: object) => {
    const answer = await ask('POST', `${accounts}/${name}/token`, { spec });
    return answer.status?.token ?? '';
  };
  for (const name of ['robot', 'orphan']) await ask('POST', accounts, { metadata: { name } });
  const expired = await tokenOf('robot', { audiences: [], expirationSeconds: 600 });
  clock.shiftMs = 3600_000;
  const tokens = new Map([
    ['MADE_UP', 'made-up'],
    ['EXPIRED', expired],
    ['FOR_VAULT', await tokenOf('robot', { audiences: ['vault'] })],
    ['ORPHAN', await tokenOf('orphan', { audiences: [] })],
    ['ROBOT', await tokenOf('robot', { audiences: [] })],
  ]);
  await ask('DELETE', `${accounts}/orphan`);
  return { cluster, tokens };
}

describe('guides', () => {
  let server: Awaited<ReturnType<typeof startServer>>;
  before(async () => void (server = await startServer()));
  after(async () => {
    await server.cluster.close();
    rmSync(directory, { recursive: true });
  });

  for (const guide of guides)
    it(`${guide.split('/').at(-1)} shows what the commands print`, async () => {
      const text = readFileSync(guide, 'utf8');
      const files = new Set(['admin.kubeconfig']);
      let written = '';
      let end = 0;
      for (const { 0: whole, 1: language, 2: file, 3: body = '', index } of text.matchAll(block)) {
        written += text.slice(end, index);
        end = index + whole.length;
        if (file !== undefined) {
          writeFileSync(join(directory, file), body);
          files.add(file);
        }
        const command = /^\$ keelson (.*)$/m.exec(body)?.[1];
        written +=
          language === 'console' && command !== undefined
            ? await transcript(command, files)
            : whole;
      }
      written += text.slice(end);
      if (process.env['UPDATE_GUIDES'] === '1') writeFileSync(guide, written);
      assert.equal(written, text);
    });

  async function transcript(command: string, files: ReadonlySet<string>): Promise<string> {
    const words = command
      .split(' ')
      .map((word) => (files.has(word) ? join(directory, word) : word))
      .map((word) =>
        word.replace(/\$([A-Z_]+)/, (_, name: string) => server.tokens.get(name) ?? ''),
      );
    const { output, errors } = await keelson(words);
    const shown = `${errors}${output}`.replaceAll(`${directory}/`, '');
    for (const token of server.tokens.values())
      assert.ok(token === 'made-up' || !shown.includes(token), 'a token is shown');
    return `\`\`\`console\n$ keelson ${command}\n${shown.trimEnd()}\n\`\`\``;
  }
});
