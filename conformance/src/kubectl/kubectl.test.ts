// Runs the scripts with every kubectl of the machine against one server. Without a kubectl the tests
// are skipped, and say so.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { isJsonObject, type JsonObject } from '@keelson/apimachinery';
import { startConversionServer, type ConversionServer } from '../conversion/conversion-server.ts';
import { clusterScript, nodeDeathScript } from './cluster-script.ts';
import { customResourceScript } from './custom-resource-script.ts';
import { findKubectls } from './kubectls.ts';
import { nodeScript } from './node-script.ts';
import { operatorScript } from './operator-script.ts';
import { runScript } from './run-script.ts';
import { script } from './script.ts';
import { startScriptServer, type ScriptServer } from './server.ts';

const only = process.env['KUBECTL_ONLY'];
const kubectls = findKubectls().filter((k) => only === undefined || k.label === only);

describe('kubectl', { skip: kubectls.length === 0 ? 'no kubectl on PATH' : false }, () => {
  let server: ScriptServer;
  let hook: ConversionServer;
  before(async () => {
    // One after the other: a server that does not come up must leave nothing behind.
    server = await startScriptServer();
    hook = await startConversionServer(convert);
  });
  after(async () => {
    await Promise.all([server.stop(), hook.close()]);
  });

  for (const kubectl of kubectls) {
    const suffix = kubectl.label.toLowerCase().replaceAll('.', '-');
    it(`${kubectl.label} passes the script`, async () => {
      const variables = { ns: `k-${suffix}`, dir: server.directory };
      assert.deepEqual(await runScript({ kubectl, server, variables }, script), []);
    });
    it(`${kubectl.label} works with running pods`, async () => {
      const variables = { ns: `n-${suffix}`, dir: server.directory };
      assert.deepEqual(await runScript({ kubectl, server, variables }, nodeScript), []);
    });
    it(`${kubectl.label} sees a cluster at work`, async () => {
      const variables = { ns: `c-${suffix}`, dir: server.directory };
      assert.deepEqual(await runScript({ kubectl, server, variables }, clusterScript), []);
    });
    it(`${kubectl.label} is enough to run a cluster`, async () => {
      const variables = { ns: `o-${suffix}`, dir: server.directory, fixtures: import.meta.dirname };
      assert.deepEqual(await runScript({ kubectl, server, variables }, operatorScript), []);
    });
    it(`${kubectl.label} works with custom resources`, async () => {
      const variables = {
        ns: 'default',
        dir: server.directory,
        group: `k-${suffix}.example.com`,
        hook: `https://127.0.0.1:${hook.port}/convert`,
        ca: hook.caBundle,
      };
      const problems = await runScript({ kubectl, server, variables }, customResourceScript);
      assert.deepEqual(problems, []);
    });
  }

  it('WebSockets reach kubelets of 1.35, which speak SPDY', async (t) => {
    const kubectl = kubectls.findLast((one) => one.label !== 'PATH') ?? kubectls[0];
    if (kubectl === undefined) return;
    const older = await startScriptServer('--emulated-version=1.35');
    t.after(() => older.stop());
    const variables = { ns: 'older', dir: older.directory };
    assert.deepEqual(await runScript({ kubectl, server: older, variables }, nodeScript), []);
  });

  it('a node that falls silent is noticed, and comes back', async () => {
    const [kubectl] = kubectls;
    if (kubectl === undefined) return;
    const variables = { ns: 'default', dir: server.directory };
    assert.deepEqual(await runScript({ kubectl, server, variables }, nodeDeathScript), []);
  });
});

/** v1 has `host` and `port`, v2 has `address`. */
function convert(object: JsonObject, from: string): void {
  const { host, port, address, ...rest } = isJsonObject(object['spec']) ? object['spec'] : {};
  if (from.endsWith('/v1'))
    object['spec'] = { ...rest, address: `${String(host)}:${String(port)}` };
  else {
    const [name = '', number] = String(address).split(':');
    object['spec'] = { ...rest, host: name, port: Number(number) };
  }
}
