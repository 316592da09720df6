import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import { build } from 'esbuild';
import * as cel from './index.ts';
import * as kubernetes from './kubernetes/index.ts';

/**
 * The examples' code, in which lines with a comment hand their value to `show`, and what the
 * comments say.
 */
async function readExamples(file: string): Promise<{ code: string; expected: string[] }> {
  const source = await readFile(new URL(file, import.meta.url), 'utf8');
  const blocks = [...source.matchAll(/```js\n(.*?)(?:\/\/ )?```/gs)].map(([, block = '']) => block);
  const lines = blocks
    .join('\n')
    .replaceAll(/^import .*\n/gm, '')
    .replaceAll(/^\/\/ ?/gm, '')
    .split('\n');
  const expected: string[] = [];
  const code = lines.map((line) => {
    const [, expression, comment] = /^(.*); \/\/ (.*)$/.exec(line) ?? [];
    if (expression === undefined || comment === undefined) return line;
    expected.push(comment);
    return `show(${expression});`;
  });
  return { code: code.join('\n'), expected };
}

describe('the examples in the documentation', () => {
  for (const file of ['./index.ts', '../README.md']) {
    it(`of ${file} give what they say`, async () => {
      const { code, expected } = await readExamples(file);
      const shown: string[] = [];
      const show = (value: unknown) => shown.push(String(value));
      runInNewContext(code, { ...cel, ...kubernetes, show });
      assert.ok(expected.length > 1);
      assert.deepEqual(shown, expected);
    });
  }
});

describe('in a browser', () => {
  it('there is nothing that it imports and a browser lacks', async () => {
    const { errors, metafile } = await bundle(['index.ts', 'kubernetes/index.ts'], 'esm');
    assert.deepEqual(errors, []);
    const imported = Object.values(metafile.outputs).flatMap(({ imports }) => imports);
    assert.deepEqual(
      imported.filter(({ external }) => external === true),
      [],
    );
  });

  for (const [entry, uses, expected] of [
    ['index.ts', 'exports.createEnvironment().compile("[1, 2].map(x, x * 2)[1]")', '4'],
    [
      'kubernetes/index.ts',
      'exports.createEnvironmentSet({ compatibilityVersion: { major: 1, minor: 36 } })' +
        '.newExpressions.compile("quantity(\'1Ki\').asInteger()")',
      '1024',
    ],
  ] as const) {
    it(`${entry} runs where there is nothing but the language`, async () => {
      const { outputFiles } = await bundle([entry], 'iife');
      const [{ text } = { text: '' }] = outputFiles;
      const code = `${text};String(exports && (${uses}).program.evaluate({}).result)`;
      // What a browser has and the language has not.
      const browser = { atob, btoa, TextDecoder, TextEncoder, URL };
      assert.equal(runInNewContext(code, browser), expected);
    });
  }
});

function bundle(entries: readonly string[], format: 'esm' | 'iife') {
  return build({
    absWorkingDir: import.meta.dirname,
    entryPoints: [...entries],
    outdir: 'out',
    write: false,
    metafile: true,
    bundle: true,
    platform: 'browser',
    format,
    ...(format === 'iife' ? { globalName: 'exports' } : {}),
    logLevel: 'silent',
  });
}
