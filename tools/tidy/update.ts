// `node tools/tidy/update.ts`: writes what the repository's tests compare with. Review the diff.
//
//   exports.golden.json   the names that each front door exports
//   allowed.ts            excess sizes; existing numbers fall and entries go, nothing is added
//
// `--accept-sizes` also adds and raises numbers. That is for the day a limit is introduced.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allowed } from './allowed.ts';
import { exportedNames } from './exports.ts';
import { measureExcess } from './sizes.ts';
import { repositoryRoot } from './source-files.ts';

const folder = join(repositoryRoot, 'tools/tidy');
const accept = process.argv.includes('--accept-sizes');

const entries = Object.entries(measureExcess())
  .map(([what, size]): [string, number] => [
    what,
    accept ? size : Math.min(size, allowed[what] ?? 0),
  ])
  .filter(([, size]) => size > 0);
const lines = entries.map(([what, size]) => `  '${what}': ${size},`);
const table = ['export const allowed: Excess = {', ...lines, '};'].join('\n');
writeFileSync(
  join(folder, 'allowed.ts'),
  `// What was bigger than its limit when the limit came, and how big. Numbers only fall:
// \`node tools/tidy/update.ts\` lowers them. See sizes.ts for what they count.

import type { Excess } from './sizes.ts';

${table}
`,
);
writeFileSync(
  join(folder, 'exports.golden.json'),
  `${JSON.stringify(exportedNames(), undefined, 2)}\n`,
);
