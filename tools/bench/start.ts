// How long a server takes to be ready, and what it holds when it has nothing to do.

import { setTimeout as sleep } from 'node:timers/promises';
import { seconds } from './figures.ts';
import { kubeApiserverStart } from './kube-apiserver.ts';
import type { BenchTools, Section } from './section.ts';
import { call, startServer, type BenchServer } from './server.ts';

export const startSection: Section = {
  name: 'start',
  heading: 'Start and memory',
  measure: async (tools) => renderStart(await measureStart(tools)),
};

interface StartFigures {
  readonly emptyMs: number;
  readonly filledMs: number;
  readonly idleMiB: number;
}
const filledObjects = 10_000;

async function measureStart({ program, newDirectory }: BenchTools): Promise<StartFigures> {
  const empty: number[] = [];
  let idleMiB = 0;
  for (let i = 0; i < 3; i++) {
    const server = await startServer(program(), newDirectory());
    empty.push(server.readyMs);
    if (i === 0) {
      await sleep(5000);
      idleMiB = server.residentMiB();
    }
    await server.stop();
  }
  const directory = newDirectory();
  const filling = await startServer(program(), directory);
  await fill(filling);
  await filling.stop();
  const filled: number[] = [];
  for (let i = 0; i < 3; i++) {
    const server = await startServer(program(), directory);
    filled.push(server.readyMs);
    await server.stop();
  }
  return { emptyMs: Math.min(...empty), filledMs: Math.min(...filled), idleMiB };
}

async function fill(server: BenchServer): Promise<void> {
  let left = filledObjects;
  const worker = async () => {
    while (left > 0) {
      const name = `filled-${left--}`;
      const body = { metadata: { name }, data: { key: 'x'.repeat(200) } };
      const status = await call(server.url, 'POST', '/api/v1/namespaces/default/configmaps', body);
      if (status !== 201) throw new Error(`${name}: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, worker));
}

function renderStart({ emptyMs, filledMs, idleMiB }: StartFigures): string {
  return `| | Keelson | kube-apiserver and etcd |
|---|---|---|
| start to \`/readyz\`, empty | ${seconds(emptyMs)} | ${seconds(kubeApiserverStart.emptyMs)} |
| start to \`/readyz\`, ${filledObjects.toLocaleString('en')} objects | ${seconds(filledMs)} | ${seconds(kubeApiserverStart.filledMs)} |
| resident when idle | ${idleMiB.toFixed(0)} MiB | ${kubeApiserverStart.idleMiB} MiB |
`;
}
