// The names that each package's front door exports. A front door is `src/index.ts`: explicit named
// exports and nothing else, so its text says all.

import { existsSync } from 'node:fs';
import { packages } from './layers.ts';
import { readText, repositoryRoot } from './source-files.ts';

/** By package; types are marked as such. Throws when a front door does more than export names. */
export function exportedNames(): Record<string, string[]> {
  const named = packages.filter(({ name }) => existsSync(`${repositoryRoot}${frontDoor(name)}`));
  return Object.fromEntries(
    named.map(({ name }) => [`@keelson/${name}`, namesIn(frontDoor(name)).toSorted()]),
  );
}

function frontDoor(name: string): string {
  return `packages/${name}/src/index.ts`;
}

const exportList = /^export (type )?\{([^}]*)\} from '[^']+';$/gm;

function namesIn(path: string): string[] {
  const code = readText(path).replaceAll(/^\s*\/\/.*$/gm, '');
  const rest = code.replaceAll(exportList, '').trim();
  if (rest !== '')
    throw new Error(
      `${path}: a front door is \`export { name } from '…'\`, not ${rest.slice(0, 60)}`,
    );
  return [...code.matchAll(exportList)].flatMap(([, allTypes, list = '']) =>
    list
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => {
        const isType = allTypes !== undefined || item.startsWith('type ');
        const name = item.replace(/^type /, '').replace(/^.* as /, '');
        return isType ? `type ${name}` : name;
      }),
  );
}
