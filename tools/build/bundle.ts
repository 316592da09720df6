// `npm run build`: the program as files that need nothing but Node 24. Another folder than
// dist may be given. When nothing has changed the folder is left alone, and with it the compile
// cache that earlier starts have filled; else it is emptied. `npm start` builds first.
//
//   dist/keelson.mjs      checks Node's release, turns the compile cache on, loads the server
//   dist/server.mjs       everything that `packages/keelson/src/main.ts` imports
//   dist/log-worker.mjs   the storage log's thread, which is loaded by URL
//   dist/envtest/         kube-apiserver, etcd and kubectl as programs, for `KUBEBUILDER_ASSETS`;
//                         with its own links to the files above, so that it can be copied
//
// The launcher is a file of its own because the compile cache only helps what is loaded after it.

import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { envtestFiles, envtestLinks } from './envtest-programs.ts';
import { launcherOf } from './launcher.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const outdir = resolve(process.argv[2] ?? join(root, 'dist'));

// Packages written as CommonJS call `require` for Node's own modules.
const banner = [
  "import { createRequire as keelsonCreateRequire } from 'node:module';",
  'const require = keelsonCreateRequire(import.meta.url);',
].join('\n');

/** Beside the bundle the worker has another name than beside its source. */
const workerLocation: Plugin = {
  name: 'worker-location',
  setup(builder) {
    builder.onLoad({ filter: /\/storage\/embedded\/log-thread\.ts$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      const parts = source.split("'./log-worker.ts'");
      if (parts.length !== 2) throw new Error(`${path}: expected one './log-worker.ts'`);
      return { contents: parts.join("'./log-worker.mjs'"), loader: 'ts' };
    });
  },
};

const result = await build({
  absWorkingDir: root,
  entryPoints: {
    server: 'packages/keelson/src/main.ts',
    'envtest/program/etcd': 'packages/keelson/src/etcd-main.ts',
    'log-worker': 'packages/apiserver/src/storage/embedded/log-worker.ts',
  },
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  banner: { js: banner },
  plugins: [workerLocation],
  minifyWhitespace: true,
  minifySyntax: true,
  keepNames: false,
  legalComments: 'linked',
  logLevel: 'warning',
  write: false,
});
if (result.warnings.length > 0) process.exitCode = 1;
const files = new Map<string, Uint8Array>([
  ['keelson.mjs', Buffer.from(launcherOf('keelson', 'server.mjs'))],
]);
for (const { path, contents } of result.outputFiles) files.set(relative(outdir, path), contents);
for (const [name, text] of envtestFiles()) files.set(name, Buffer.from(text));

const unchanged = [...files].every(([name, contents]) => {
  const path = join(outdir, name);
  return existsSync(path) && readFileSync(path).equals(contents);
});
if (!unchanged) {
  rmSync(outdir, { recursive: true, force: true });
  for (const [name, contents] of files) {
    mkdirSync(dirname(join(outdir, name)), { recursive: true });
    writeFileSync(join(outdir, name), contents, { mode: 0o755 });
  }
  for (const name of envtestLinks)
    linkSync(join(outdir, name), join(outdir, 'envtest/program', name));
  for (const [name, contents] of files) {
    const kilobytes = contents.byteLength / 1000;
    console.log(`${name.padEnd(36)} ${kilobytes.toFixed(0).padStart(6)} kB`);
  }
}
