import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { importsOf, type Import } from './imports.ts';
import {
  apiserverFolders,
  developmentPackages,
  layerExceptions,
  manifestExceptions,
  packages,
  publicSubpaths,
} from './layers.ts';
import { findFiles, readText, repositoryRoot, sourceFiles } from './source-files.ts';
import { tableUnder } from './markdown.ts';

const scope = '@keelson/';
const imports = sourceFiles.flatMap((file) =>
  importsOf(file).map((found) => ({ ...found, isTest: file.isTest })),
);
const at = (found: Import) => `${found.from}:${found.line}: import of ${found.specifier}`;

function packageOf(path: string): string | undefined {
  return /^packages\/([^/]+)\//.exec(path)?.[1];
}

function fails(problems: readonly string[], help: string): void {
  assert.deepEqual(problems, [], `${problems.join('\n')}\n${help}`);
}

describe('packages', () => {
  it('import only what their row allows, through the front door', () => {
    const problems: string[] = [];
    for (const found of imports) {
      const own = packageOf(found.from);
      const row = packages.find((p) => p.name === own);
      if (own !== undefined && row === undefined) problems.push(`${own} has no row in layers.ts`);
      const { target, packageName } = found;
      if (target !== undefined && packageOf(target) !== own)
        problems.push(`${at(found)} leaves its package; import the package by name`);
      if (target === undefined && packageName !== undefined && row !== undefined)
        if (!isAllowed(found, row, packageName)) problems.push(at(found));
      if (packageName?.startsWith(scope) && !isFrontDoor(found))
        problems.push(`${at(found)} is not the front door; export it from src/index.ts`);
    }
    fails(problems, 'See tools/tidy/layers.ts for what each package may import.');
  });

  it('import packages above them in the table only', () => {
    packages.forEach(({ name, imports: allowed }, index) => {
      const above = new Set(packages.slice(0, index).map((p) => p.name));
      for (const other of allowed) assert.ok(above.has(other), `${name} → ${other}`);
    });
  });

  it('declare exactly what they import', () => {
    const problems: string[] = [];
    for (const { name, imports: ours, external } of packages) {
      const allowed = [...ours.map((other) => scope + other), ...external];
      const manifest = JSON.parse(readText(`packages/${name}/package.json`)) as {
        dependencies?: Record<string, string>;
      };
      const declared = Object.keys(manifest.dependencies ?? {});
      const used = new Set(
        imports
          .filter((i) => packageOf(i.from) === name && !i.isTest)
          .map((i) => i.packageName)
          .filter((p) => p !== undefined && !p.startsWith('node:') && p !== scope + name),
      );
      for (const dependency of new Set([...declared, ...used])) {
        if (dependency === undefined) continue;
        const key = `${name}: ${dependency}`;
        const agrees = declared.includes(dependency) === used.has(dependency);
        if (!allowed.includes(dependency)) problems.push(`${key} is not in layers.ts`);
        if (agrees && key in manifestExceptions) problems.push(`${key} needs no exception`);
        if (!agrees && !(key in manifestExceptions))
          problems.push(
            used.has(dependency)
              ? `${key} is imported; declare it in package.json`
              : `${key} is declared and not imported; remove it from package.json`,
          );
      }
    }
    fails(problems, 'A reason to differ goes into manifestExceptions of tools/tidy/layers.ts.');
  });

  it('are all in the table', () => {
    const folders = findFiles(['packages/*/package.json']).map((path) => packageOf(path));
    assert.deepEqual(folders.toSorted(), packages.map((p) => p.name).toSorted());
  });
});

function isAllowed(
  found: Import & { isTest: boolean },
  row: (typeof packages)[number],
  packageName: string,
): boolean {
  if (packageName.startsWith('node:')) return true;
  if (packageName === scope + row.name) return found.isTest;
  if (found.isTest && developmentPackages.includes(packageName)) return true;
  return row.external.includes(packageName) || row.imports.includes(packageName.replace(scope, ''));
}

function isFrontDoor({ specifier, packageName }: Import): boolean {
  return specifier === packageName || publicSubpaths.some((subpath) => subpath.test(specifier));
}

describe('folders of the API server', () => {
  const source = 'packages/apiserver/src/';
  const folderOf = (path: string) => {
    const first = path.slice(source.length).split('/')[0] ?? '';
    return apiserverFolders.find((folder) => folder.holds.includes(first));
  };
  // Tests may look at the whole server; what they test may not.
  const inside = imports.filter(
    (i) => i.from.startsWith(source) && i.target !== undefined && !i.isTest,
  );

  it('import in one direction, but for the exceptions with a reason', () => {
    const problems: string[] = [];
    const needed = new Set<string>();
    for (const found of inside) {
      const from = folderOf(found.from);
      const to = folderOf(found.target ?? '');
      if (from === undefined) problems.push(`${found.from} belongs to no row of layers.ts`);
      if (to === undefined) problems.push(`${found.target} belongs to no row of layers.ts`);
      if (from === undefined || to === undefined || from === to) continue;
      if (from.imports.includes('*') || from.imports.includes(to.name)) continue;
      const exception = layerExceptions.find(
        (e) => found.from === source + e.from && found.target === source + e.to,
      );
      if (exception === undefined) problems.push(`${at(found)}: ${from.name} → ${to.name}`);
      else needed.add(`${exception.from} → ${exception.to}`);
    }
    for (const { from, to } of layerExceptions)
      if (!needed.has(`${from} → ${to}`)) problems.push(`${from} → ${to} needs no exception`);
    fails(
      [...new Set(problems)],
      'Declare what is needed as an interface in the lower folder and hand it in from above.',
    );
  });

  it('hold only what there is', () => {
    const names = new Set(apiserverFolders.map((folder) => folder.name));
    for (const folder of apiserverFolders)
      for (const other of folder.imports) assert.ok(other === '*' || names.has(other), other);
  });
});

describe('ARCHITECTURE.md', () => {
  const text = readText('ARCHITECTURE.md');
  const list = (names: readonly string[]) => (names.length === 0 ? '–' : names.join(', '));
  const cell = (markdown: string | undefined) => (markdown ?? '').replaceAll('`', '');

  it('prints the table of packages', () => {
    assert.deepEqual(
      tableUnder(text, 'Packages').map((row) => row.slice(0, 3).map(cell)),
      packages.map((p) => [p.name, list(p.imports), list(p.external)]),
    );
  });

  it('prints the table of folders', () => {
    assert.deepEqual(
      tableUnder(text, 'Folders of the API server').map((row) => row.slice(0, 2).map(cell)),
      apiserverFolders.map((f) => [f.name, f.imports[0] === '*' ? 'everything' : list(f.imports)]),
    );
  });
});

it('layers.ts names files that exist', () => {
  for (const { from, to } of layerExceptions)
    for (const path of [from, to])
      assert.ok(existsSync(`${repositoryRoot}packages/apiserver/src/${path}`), path);
});
