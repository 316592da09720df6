// The file that a program starts with: it checks Node's release, turns the compile cache on and
// loads the rest. Written so that older releases of Node can read it.

/** The text of a module that starts `file`, which lies beside it, as `program`. */
export const launcherOf = (program: string, file: string) => `#!/usr/bin/env node
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(\`${program}: Node 24 or newer is needed, this is \${process.versions.node}\\n\`);
  process.exit(2);
}
// SECURITY: the cache holds code. It stays beside the program, never in a directory that others
// may write to; where the program's directory is read-only there is no cache.
module.enableCompileCache(fileURLToPath(new URL('.compile-cache', import.meta.url)));
await import('./${file}');
`;
