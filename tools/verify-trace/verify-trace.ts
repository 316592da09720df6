// `node tools/verify-trace/verify-trace.ts DIR`: verifies all logs of a directory that
// `record.ts` has written, and says what does not hold. Exit code 1 when anything does not.

import { createReadStream, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LogLine } from './recorded-log.ts';
import { verifyLog } from './replay.ts';

const [, , directory] = process.argv;
if (directory === undefined) {
  console.error('usage: verify-trace DIR');
  process.exit(2);
}

const problemsShown = 20;
let logs = 0;
let decisions = 0;
let believed = 0;
const problems: string[] = [];
for (const file of readdirSync(directory).filter((name) => name.endsWith('.jsonl'))) {
  const lines: LogLine[] = [];
  for await (const line of createInterface({ input: createReadStream(join(directory, file)) }))
    lines.push(JSON.parse(line) as LogLine);
  const verified = verifyLog(lines);
  logs++;
  decisions += verified.decisions;
  believed += verified.believed;
  problems.push(...verified.problems.map((problem) => `${file}: ${problem}`));
}
for (const problem of problems.slice(0, problemsShown)) console.error(problem);
console.log(
  `${decisions} decisions of ${logs} servers: ${problems.length} do not verify; ${believed} steps of authorizers that decide from elsewhere`,
);
process.exit(problems.length === 0 && decisions > 0 ? 0 : 1);
