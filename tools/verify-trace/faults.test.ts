// The verifier finds nothing wrong with the authorizers as they are, and something with each of them that
// has a fault. Faulty ones are the real sources with a line changed while they are loaded.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verifyLog } from './replay.ts';
import { faults } from './testing/faults.ts';
import { recordScenario, type AuthorizationModule } from './testing/scenario.ts';

const sources = new URL('../../packages/apiserver/src/', import.meta.url).href;
const authorization = `${sources}authorization/`;
const faultOf = (url: string | undefined) => /\?fault=(\d+)$/.exec(url ?? '')?.[1];

const hooks = registerHooks({
  // A module that is loaded with a fault loads its neighbours with the same one.
  resolve(specifier, context, next) {
    const result = next(specifier, context);
    const number = faultOf(context.parentURL);
    const isOurs = result.url.startsWith(sources) && faultOf(result.url) === undefined;
    return number !== undefined && isOurs
      ? { ...result, url: `${result.url}?fault=${number}` }
      : result;
  },
  load(url, context, next) {
    const fault = faults[Number(faultOf(url) ?? -1)];
    const result = next(url, context);
    if (fault === undefined || url.split('?')[0] !== `${authorization}${fault.file}`) return result;
    const text = Buffer.from(result.source as Uint8Array).toString('utf8');
    return { ...result, source: text.replace(fault.find, () => fault.replace) };
  },
});
after(() => hooks.deregister());

const load = (number: number) =>
  import(`${authorization}create-authorization.ts?fault=${number}`) as Promise<AuthorizationModule>;

describe('the verifier', () => {
  it('finds nothing wrong without a fault', async () => {
    const { decisions, believed, problems } = verifyLog(recordScenario(await load(faults.length)));
    assert.deepEqual(problems, []);
    assert.equal(believed, 0);
    assert.ok(decisions > 10_000, String(decisions));
  });

  it('knows twenty faults and more, each in a line that is there', () => {
    assert.ok(faults.length >= 20);
    assert.equal(new Set(faults.map(({ name }) => name)).size, faults.length);
    for (const { name, file, find } of faults) {
      const text = readFileSync(fileURLToPath(`${authorization}${file}`), 'utf8');
      assert.equal(text.split(find).length, 2, `${name}: the line has changed`);
    }
  });

  for (const [number, { name }] of faults.entries())
    it(`catches: ${name}`, async () => {
      const { problems } = verifyLog(recordScenario(await load(number)));
      assert.ok(problems.length > 0, 'the fault escaped');
    });
});

describe('a log that was tampered with', () => {
  const decided = (lines: ReturnType<typeof recordScenario>) => verifyLog(lines).problems.length;
  it('does not verify', async () => {
    const lines = recordScenario(await load(faults.length));
    const [allow] = lines.filter((line) => line.is === 'step' && line.step.outcome === 'allow');
    assert.ok(allow?.is === 'step');
    const without = lines.filter((line) => line !== allow);
    const turned = lines.map((line) =>
      line.is === 'decision' && line.id === allow.id ? { ...line, decision: 'deny' } : line,
    );
    assert.ok(decided(without) > 0);
    assert.ok(decided(turned) > 0);
    assert.ok(decided(lines.filter((line) => line.is !== 'object')) > 0);
  });
});
