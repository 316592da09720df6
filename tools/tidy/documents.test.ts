// What the documents say that the code also says, compared.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { defaultLimits, pipelineOrder } from '@keelson/apiserver';
import { packages } from './layers.ts';
import { localLinks, sectionUnder, tableUnder } from './markdown.ts';
import { findFiles, readText, repositoryRoot } from './source-files.ts';

const cell = (markdown: string | undefined) => (markdown ?? '').replaceAll('`', '');
const documents = findFiles(['*.md', 'docs/**/*.md', 'packages/*/*.md']);

interface Manifest {
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}
const manifestOf = (path: string) => JSON.parse(readText(path)) as Manifest;
const root = manifestOf('package.json');

describe('ARCHITECTURE.md', () => {
  const text = readText('ARCHITECTURE.md');

  it('lists the filters in running order', () => {
    const rows = tableUnder(text, 'The request pipeline');
    assert.deepEqual(
      rows.map((row) => cell(row[1])),
      pipelineOrder,
    );
  });

  it('names a test that exists for each invariant', () => {
    const rows = tableUnder(text, 'Invariants');
    assert.ok(rows.length >= 6);
    for (const row of rows) {
      const tests = localLinks(row[1] ?? '');
      assert.ok(tests.length > 0, `no test: ${row[0]}`);
      for (const path of tests) assert.match(path, /\.(?:test|check)\.ts$|-suite\.ts$/);
    }
  });
});

describe('docs/threat-model.md', () => {
  it('prints every limit with its default', () => {
    const rows = tableUnder(readText('docs/threat-model.md'), 'Limits');
    assert.deepEqual(
      Object.fromEntries(
        rows.map((row) => [cell(row[0]), Number(row[1]?.replaceAll(/[_ ]/g, ''))]),
      ),
      { ...defaultLimits },
      'the limits table differs from packages/apiserver/src/config.ts',
    );
  });
});

describe('docs/dependencies.md', () => {
  const text = readText('docs/dependencies.md');
  const rows = (heading: string) => tableUnder(text, heading);
  const declared = packages.flatMap(({ name }) =>
    Object.keys(manifestOf(`packages/${name}/package.json`).dependencies ?? {}),
  );

  it('has a line for each dependency that users install', () => {
    const names = new Set(declared.filter((name) => !name.startsWith('@keelson/')));
    assert.deepEqual(
      rows('At run time')
        .map((row) => cell(row[0]))
        .toSorted(),
      [...names].toSorted(),
    );
  });

  it('has a line for each development dependency', () => {
    const names = Object.keys(root.devDependencies ?? {});
    assert.deepEqual(
      rows('For development')
        .map((row) => cell(row[0]))
        .toSorted(),
      names.toSorted(),
    );
  });

  it('says what each is for, why it is not our own, and who keeps it', () => {
    for (const row of [...rows('At run time'), ...rows('For development')]) {
      assert.equal(row.length, 4, row[0]);
      assert.ok(
        row.every((part) => part.length > 2),
        row[0],
      );
    }
  });
});

describe('CONTRIBUTING.md', () => {
  it('explains every script, and only those', () => {
    const rows = tableUnder(readText('CONTRIBUTING.md'), 'Scripts');
    const names = rows.map((row) => cell(row[0]).replace(/^npm (?:run )?/, ''));
    assert.deepEqual(names.toSorted(), Object.keys(root.scripts ?? {}).toSorted());
  });
});

describe('README.md', () => {
  it('maps every package', () => {
    const rows = tableUnder(readText('README.md'), 'Map');
    const mapped = rows
      .map((row) => cell(row[0]).match(/packages\/([a-z-]+)/)?.[1])
      .filter(Boolean);
    assert.deepEqual(mapped.toSorted(), packages.map((p) => p.name).toSorted());
  });
});

describe('documents', () => {
  it('link to files that exist', () => {
    const broken = documents.flatMap((path) =>
      localLinks(readText(path))
        .map((target) => posix.join(posix.dirname(path), decodeURIComponent(target)))
        .filter((target) => !existsSync(repositoryRoot + target))
        .map((target) => `${path} → ${target}`),
    );
    assert.deepEqual(broken, []);
  });

  it('decisions are numbered without gap and have the four parts', () => {
    const decisions = findFiles(['docs/adr/*.md']);
    decisions.forEach((path, index) => {
      assert.ok(path.startsWith(`docs/adr/${String(index + 1).padStart(4, '0')}-`), path);
      for (const part of ['Context', 'Decision', 'Consequences', 'Alternatives refused'])
        assert.ok(sectionUnder(readText(path), part).trim() !== '', `${path}: ${part}`);
    });
    assert.ok(decisions.length > 0);
  });
});
