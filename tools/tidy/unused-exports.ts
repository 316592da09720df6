// Functions, constants and classes that a file exports although no other file of the repository
// imports them. Types may be exported for their names' sake: they say what a function takes.

import { posix } from 'node:path';
import { findFiles, readText, sourceFiles, type SourceFile } from './source-files.ts';

const exported =
  /^export (?:default )?(?:abstract )?(?:async )?(?:function\*?|const|let|class) (\w+)/gm;
const named = /^(?:import|export)\b([^;'"`]*?)\bfrom '(\.[^']+)'/gm;
const whole = /\bimport\(\s*'(\.[^']+)'|^import '(\.[^']+)'|new URL\('(\.[^']+\.ts)'/gm;

/** `path: name`, for every one that could be private. */
export function unusedExports(): string[] {
  const used = usedNames(sourceFiles);
  const entrances = entranceFiles();
  return sourceFiles
    .filter(({ path, isGenerated }) => !isGenerated && !entrances.has(path))
    .flatMap(({ path, text }) =>
      [...text.matchAll(exported)]
        .map(([, name = '']) => name)
        .filter((name) => !used.has(`${path}:${name}`) && !used.has(`${path}:*`))
        .map((name) => `${path}: ${name}`),
    );
}

/** `path:name` of what is imported, `path:*` of files that are taken whole. */
function usedNames(files: readonly SourceFile[]): Set<string> {
  const used = new Set<string>();
  for (const { path, text } of files) {
    const target = (specifier: string) => posix.join(posix.dirname(path), specifier);
    for (const [, clause = '', specifier = ''] of text.matchAll(named))
      for (const name of namesIn(clause)) used.add(`${target(specifier)}:${name}`);
    for (const [, dynamic, bare, url] of text.matchAll(whole))
      used.add(`${target(dynamic ?? bare ?? url ?? '')}:*`);
  }
  return used;
}

/** `{ a, type b as c }` names a and b; `* as all` and `*` everything. */
function namesIn(clause: string): string[] {
  const list = /\{([^}]*)\}/.exec(clause)?.[1];
  if (list === undefined) return ['*'];
  return list
    .split(',')
    .map((item) =>
      item
        .trim()
        .replace(/^type /, '')
        .replace(/ as \w+$/, ''),
    )
    .filter((item) => item !== '');
}

/** What other packages may import of a package, by its package.json. */
function entranceFiles(): Set<string> {
  return new Set(
    findFiles(['packages/*/package.json', 'conformance/package.json']).flatMap((path) => {
      const { exports = {} } = JSON.parse(readText(path)) as { exports?: object };
      const targets = JSON.stringify(exports).match(/\.\/[^"]+\.ts/g) ?? [];
      return targets.map((file) => posix.join(posix.dirname(path), file));
    }),
  );
}
