// Long lists are answered piece by piece; what comes out is what one piece would have been, and
// others are served in between.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeProtobuf, type JsonObject } from '@keelson/apimachinery';
import { systemUser } from '../../authentication/system-user.ts';
import { createTestServer, type TestServer } from '../../testing.ts';
import { callInProcess } from '../../transport/in-process.ts';

const count = 250;
const scalers = (version: string) =>
  `/apis/autoscaling/${version}/namespaces/a/horizontalpodautoscalers`;
const protobuf = 'application/vnd.kubernetes.protobuf';

describe('a list of many', () => {
  let test: TestServer;
  before(async () => {
    test = await createTestServer();
    await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'a' } });
    for (let i = 0; i < count; i++) {
      const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: `d-${i}` };
      const metadata = {
        name: `s-${String(i).padStart(3, '0')}`,
        labels: { text: i % 2 ? 'a' : 'b' },
      };
      const annotations = { 'a/b': '<html> "ä" ]}' };
      const made = await test.admin('POST', scalers('v2'), {
        metadata: { ...metadata, annotations },
        spec: { scaleTargetRef, maxReplicas: i + 1 },
      });
      assert.equal(made.status, 201, made.text);
    }
  });
  after(() => test.close());

  const read = async (url: string, accept: string): Promise<JsonObject> => {
    const request = { method: 'GET', url, headers: { accept }, user: systemUser };
    const answer = await callInProcess(test.server.serve, request);
    const bytes = Buffer.from(await answer.bytes());
    assert.equal(answer.status, 200, bytes.toString());
    assert.equal(Number(answer.headers.get('content-length')), bytes.length);
    if (accept.startsWith(protobuf)) return decodeProtobuf(bytes).object as unknown as JsonObject;
    assert.equal(bytes.at(-1), 0x0a);
    return JSON.parse(bytes.toString()) as JsonObject;
  };

  const rows: readonly [what: string, version: string, accept: string, field: 'rows' | 'items'][] =
    [
      ['rows', 'v2', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'rows'],
      [
        'metadata',
        'v2',
        'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
        'items',
      ],
      ['metadata', 'v2', `${protobuf};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`, 'items'],
      ['another version', 'v1', 'application/json', 'items'],
      ['another version', 'v1', protobuf, 'items'],
    ];
  for (const [what, version, accept, field] of rows)
    it(`${what} as ${accept.split(';')[0]} is what its pages are`, async () => {
      const whole = await read(scalers(version), accept);
      const pages: unknown[] = [];
      for (let token = ''; ;) {
        const page = await read(`${scalers(version)}?limit=60&continue=${token}`, accept);
        const {
          continue: next,
          remainingItemCount: _n,
          ...metadata
        } = page['metadata'] as JsonObject;
        assert.deepEqual({ ...whole, [field]: 0 }, { ...page, metadata, [field]: 0 });
        pages.push(...(page[field] as unknown[]));
        if (next === undefined) break;
        token = String(next);
      }
      assert.equal(pages.length, count);
      assert.deepEqual(whole[field], pages);
    });

  it('lets others have their turn', async () => {
    let turns = 0;
    let isDone = false;
    const count = () => {
      turns++;
      if (!isDone) setImmediate(count);
    };
    const reading = read(scalers('v2'), rows[0]?.[2] ?? '').finally(() => (isDone = true));
    setImmediate(count);
    await reading;
    assert.ok(turns >= 2, `${turns} turns`);
  });
});
