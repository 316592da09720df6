import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type { FlowSchema } from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import { createStoppedClock } from '../../authentication/testing.ts';
import { silentLogger } from '../../logger.ts';
import { createMemoryStorage } from '../../storage/memory/memory-storage.ts';
import { createObjectSource } from '../object-source-of-storage.ts';
import { startFlowSchemaStatus } from './flow-schema-status.ts';

const schemaKey = '/registry/flowschemas/fs';
const levelKey = '/registry/prioritylevelconfigurations/plc';

function object(kind: string, name: string, spec: object): KubeObject {
  const apiVersion = 'flowcontrol.apiserver.k8s.io/v1';
  return { apiVersion, kind, metadata: { name }, spec } as KubeObject;
}
const schema = object('FlowSchema', 'fs', { priorityLevelConfiguration: { name: 'plc' } });
const level = object('PriorityLevelConfiguration', 'plc', { type: 'Limited' });

test('a schema tells whether its level exists', async () => {
  const storage = createMemoryStorage();
  const stop = new AbortController();
  const clock = createStoppedClock(0);
  const { signal } = stop;
  const [schemas, levels] = await Promise.all([
    createObjectSource(storage, '/registry/flowschemas', signal),
    createObjectSource(storage, '/registry/prioritylevelconfigurations', signal),
  ]);
  const next = () =>
    new Promise<string>((resolve) => {
      const end = schemas.subscribe(({ object: changed }) => {
        const condition = (changed as unknown as FlowSchema).status?.conditions?.[0];
        if (condition === undefined) return;
        end();
        resolve(`${condition.status} ${condition.reason} ${condition.lastTransitionTime}`);
      });
    });
  startFlowSchemaStatus({ schemas, levels, storage, clock, logger: silentLogger, signal });

  const missing = next();
  await storage.create(schemaKey, schema);
  assert.equal(await missing, 'True NotFound 1970-01-01T00:00:00Z');

  clock.nowMs = 60_000;
  const found = next();
  await storage.create(levelKey, level);
  assert.equal(await found, 'False Found 1970-01-01T00:01:00Z');

  const gone = next();
  await storage.guaranteedUpdate(levelKey, () => undefined);
  assert.equal(await gone, 'True NotFound 1970-01-01T00:01:00Z');
  stop.abort();
  await storage.close();
});
