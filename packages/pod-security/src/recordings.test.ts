// Needs KEELSON_REFERENCE, the folder of recordings of a real API server; skipped without it.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { replayRecording, type RecordedStep, type Recording } from '../testing/recordings.ts';

const folder = process.env['KEELSON_REFERENCE'];
const skip = folder === undefined ? 'KEELSON_REFERENCE is not set' : false;

interface AuditRecording extends Omit<Recording, 'steps'> {
  readonly request: RecordedStep['request'];
  readonly status: number;
  readonly warnings?: string[];
  readonly events: {
    readonly stage: string;
    readonly annotations?: Record<string, string>;
    readonly responseStatus?: { readonly message?: string };
  }[];
}

describe('recordings of a Kubernetes API server', { skip }, () => {
  it('agree about pods, workloads and namespaces', async () => {
    const recordings = readLines<Recording>('cases/podsecurity.jsonl');
    const compared = await replayAll(recordings);
    assert.ok(compared >= recordings.length * 0.9, `only ${compared} steps could be compared`);
  });

  it('agree about audit annotations', async () => {
    const recordings = readLines<AuditRecording>('audit/audit.jsonl')
      .filter(({ id }) => id.includes('pod-security'))
      .map(toRecording);
    assert.ok(recordings.length > 0);
    assert.equal(await replayAll(recordings), recordings.length);
  });
});

async function replayAll(recordings: readonly Recording[]): Promise<number> {
  let compared = 0;
  const different: unknown[] = [];
  for (const recording of recordings) {
    for (const { got, expected } of await replayRecording(recording)) {
      compared++;
      try {
        assert.deepEqual(got, expected);
      } catch {
        different.push({ id: recording.id, got, expected });
      }
    }
  }
  assert.deepEqual(different, [], `${different.length} of ${compared} differ`);
  return compared;
}

function toRecording({ request, status, warnings, events, ...rest }: AuditRecording): Recording {
  const complete = events.find(({ stage }) => stage === 'ResponseComplete');
  const annotations = Object.entries(complete?.annotations ?? {}).filter(([key]) =>
    key.startsWith('pod-security.kubernetes.io/'),
  );
  const message = complete?.responseStatus?.message;
  const response = {
    status,
    ...(warnings === undefined ? {} : { warnings }),
    ...(message === undefined ? {} : { body: { message } }),
  };
  return { ...rest, steps: [{ request, response, annotations: Object.fromEntries(annotations) }] };
}

function readLines<T>(name: string): T[] {
  const file = join(folder ?? '', name);
  assert.ok(existsSync(file), `${file} is missing`);
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
