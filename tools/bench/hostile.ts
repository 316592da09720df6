// One client that lists everything, over and over, as fast as it can: a process of its own, so that what
// it receives costs the measuring process nothing.
//
//   node hostile.ts URL PATH TOKEN LISTS CONNECTIONS
//
// Prints how many of its lists were served and refused when it is done or told to end.

import { Agent, request } from 'node:https';

const [url = '', path = '', token = '', lists = '0', connections = '1'] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: Number(connections) });
const outcomes = { served: 0, refused: 0, failed: 0 };
let left = Number(lists);

function list(): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    const sent = request(url + path, { agent, headers, rejectUnauthorized: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode ?? 0));
      answer.on('error', () => resolve(0));
    });
    sent.on('error', () => resolve(0));
    sent.end();
  });
}

async function work(): Promise<void> {
  while (left > 0) {
    left--;
    const status = await list();
    if (status === 200) outcomes.served++;
    else if (status === 429) outcomes.refused++;
    else outcomes.failed++;
  }
}

function end(): void {
  process.stdout.write(`${JSON.stringify(outcomes)}\n`, () => process.exit(0));
}

process.on('SIGTERM', end);
await Promise.all(Array.from({ length: Number(connections) }, work));
end();
