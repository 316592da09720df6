import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bannedFileWords, bannedText, fileNamesOfTheField, type BannedRule } from './banned.ts';
import { findFiles, isGenerated, readText, sourceFiles } from './source-files.ts';

const documents = findFiles(['*.md', 'docs/**/*.md', 'packages/**/*.md', '.ci/*'])
  .filter((path) => path !== 'docs/conformance.md')
  .map((path) => ({ path, text: readText(path), isGenerated: isGenerated(path), isTest: false }));
const files = [...sourceFiles, ...documents].filter((file) => !file.isGenerated);

function linesThatBreak(rule: BannedRule): { path: string; line: number }[] {
  return files
    .filter((file) => rule.files(file.path) && (rule.inTests === true || !file.isTest))
    .flatMap((file) =>
      file.text
        .split('\n')
        .flatMap((text, index) =>
          rule.pattern.test(text) ? [{ path: file.path, line: index + 1 }] : [],
        ),
    );
}

describe('banned', () => {
  for (const rule of bannedText) {
    it(`${rule.name}: ${rule.instead}`, () => {
      assert.match(rule.example, rule.pattern);
      const found = linesThatBreak(rule);
      const except = rule.except ?? {};
      const problems = found
        .filter(({ path }) => !(path in except))
        .map(({ path, line }) => `${path}:${line}: ${rule.name} is banned here; ${rule.instead}`);
      for (const path of Object.keys(except))
        if (!found.some((f) => f.path === path)) problems.push(`${path} needs no exception`);
      assert.deepEqual(problems, [], problems.join('\n'));
    });
  }

  it('words in file names', () => {
    const problems = findFiles(['{packages,conformance,tools,examples}/**/*.ts']).flatMap(
      (path) => {
        const names = path.split('/').map((name) => name.replace(/(\.test)?\.ts$/, ''));
        return names
          .filter((name) => !fileNamesOfTheField.includes(name))
          .flatMap((name) => name.split(/[-.]/))
          .filter((word) => word in bannedFileWords)
          .map((word) => `${path}: \`${word}\`; ${bannedFileWords[word]}`);
      },
    );
    assert.deepEqual(problems, [], problems.join('\n'));
  });

  it('file names that are not kebab-case', () => {
    const odd = findFiles(['{packages,conformance,tools,examples}/**/*.ts']).filter(
      (path) => !/^(?:[a-z0-9]+(?:[-.][a-z0-9]+)*\/)*[a-z0-9]+(?:[-.][a-z0-9]+)*$/.test(path),
    );
    assert.deepEqual(odd, []);
  });

  it('`any`, by the linter', () => {
    const config = JSON.parse(readText('.oxlintrc.json')) as { rules: Record<string, unknown> };
    assert.equal(config.rules['typescript/no-explicit-any'], 'error');
  });
});

describe('modules', () => {
  it('open with what they decide', () => {
    const without = sourceFiles
      .filter((file) => !file.isGenerated && !file.isTest && !file.path.startsWith('tools/bench'))
      .filter((file) => file.text.split('\n').length > 40)
      .filter((file) => !/^(?:#![^\n]*\n)?(?:\/\/|\/\*)/.test(file.text))
      .map((file) => file.path);
    assert.deepEqual(without, [], `${without.join('\n')}\nTwo to eight lines: what it decides.`);
  });
});
