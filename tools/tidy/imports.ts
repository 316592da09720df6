// Finds the imports of a TypeScript file: `import … from`, `export … from`, `import 'x'`,
// `import('x')` and `import.meta.resolve('x')`, of types too. It reads formatted source with a
// regular expression, which is exact for this repository because the formatter fixes the quotes.

import { posix } from 'node:path';
import type { SourceFile } from './source-files.ts';

export interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly line: number;
  /** Path in the repository, for relative imports. */
  readonly target: string | undefined;
  /** Name of the package, for the others: `@keelson/client`, `pino`, `node:fs`. */
  readonly packageName: string | undefined;
}

const statement =
  /^(?:import|export)\b[^;'"`]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\(\s*'([^']+)'|\bimport\.meta\.resolve\('([^']+)'/gm;

export function importsOf(file: SourceFile): Import[] {
  return [...file.text.matchAll(statement)].map((match) => {
    const specifier = match[1] ?? match[2] ?? match[3] ?? match[4] ?? '';
    const line = file.text.slice(0, match.index).split('\n').length;
    const isRelative = specifier.startsWith('.');
    return {
      from: file.path,
      specifier,
      line,
      target: isRelative ? posix.join(posix.dirname(file.path), specifier) : undefined,
      packageName: isRelative ? undefined : packageNameOf(specifier),
    };
  });
}

function packageNameOf(specifier: string): string {
  const segments = specifier.split('/');
  return segments.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}
