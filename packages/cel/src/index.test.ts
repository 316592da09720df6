import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { runInNewContext } from 'node:vm';
import * as cel from './index.ts';

/** The lines of the example, and what its comments say it prints. */
async function readExample(): Promise<{ code: string; printed: string[] }> {
  const source = await readFile(new URL('./index.ts', import.meta.url), 'utf8');
  const block = /```js\n(.*?) \* ```/s.exec(source)?.[1] ?? '';
  const code = block.replaceAll(/^ \* ?/gm, '');
  const printed = [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(
    ([, text]) => text ?? '',
  );
  return { code, printed };
}

describe('the example in the documentation', () => {
  it('prints what it says', async () => {
    const { code, printed } = await readExample();
    const lines: string[] = [];
    const console = { log: (...values: unknown[]) => lines.push(values.map(String).join(' ')) };
    runInNewContext(code, { ...cel, console });
    assert.ok(printed.length > 0);
    assert.deepEqual(lines, printed);
  });
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
