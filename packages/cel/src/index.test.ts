import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import * as cel from './index.ts';

/**
 * The example's code, in which lines with a comment hand their value to `show`, and what the
 * comments say.
 */
async function readExample(file: string): Promise<{ code: string; expected: string[] }> {
  const source = await readFile(new URL(file, import.meta.url), 'utf8');
  const fenced = /```js\n(.*?)(?:\/\/ )?```/s.exec(source)?.[1] ?? '';
  const block = fenced.replace(/^import .*\n/, '');
  const lines = block.replaceAll(/^\/\/ ?/gm, '').split('\n');
  const expected: string[] = [];
  const code = lines.map((line) => {
    const [, expression, comment] = /^(.*); \/\/ (.*)$/.exec(line) ?? [];
    if (expression === undefined || comment === undefined) return line;
    expected.push(comment);
    return `show(${expression});`;
  });
  return { code: code.join('\n'), expected };
}

describe('the example in the documentation', () => {
  for (const file of ['./index.ts', '../README.md']) {
    it(`of ${file} gives what it says`, async () => {
      const { code, expected } = await readExample(file);
      const shown: string[] = [];
      runInNewContext(code, { ...cel, show: (value: unknown) => shown.push(String(value)) });
      assert.ok(expected.length > 1);
      assert.deepEqual(shown, expected);
    });
  }
});

describe('the front door', () => {
  it('imports nothing that a browser lacks', async () => {
    const seen = new Set<string>();
    const outside = new Set<string>();
    const follow = async (url: URL): Promise<void> => {
      if (seen.has(url.href)) return;
      seen.add(url.href);
      const source = await readFile(url, 'utf8');
      for (const [, specifier = ''] of source.matchAll(
        /^(?:import|export)[^;]*? from '([^']+)';/gms,
      )) {
        if (specifier.startsWith('.')) await follow(new URL(specifier, url));
        else outside.add(specifier);
      }
    };
    await follow(new URL('./index.ts', import.meta.url));
    assert.ok(seen.size > 50);
    assert.deepEqual([...outside], ['re2js']);
  });
});
