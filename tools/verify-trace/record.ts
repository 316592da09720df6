// Records every decision of every server in this process, for the verifier: `node --import` it, with
// KEELSON_TRACE_DIR naming an empty directory. The servers publish what they decide from on a diagnostics
// channel; without this program nobody listens, and nothing is published.

import { appendFileSync, mkdirSync } from 'node:fs';
import { subscribe } from 'node:diagnostics_channel';
import { join } from 'node:path';
import type { LogLine, RecordedAttributes, RecordedUser, StoredObject } from './recorded-log.ts';

interface View {
  list(): readonly StoredObject[];
  subscribe(
    onChange: (change: {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object: StoredObject;
    }) => void,
  ): () => void;
}
interface Published {
  readonly modes: readonly string[];
  readonly gates: Readonly<Record<string, boolean>>;
  readonly views: Readonly<Record<string, View | undefined>>;
  /** Called by the server for each question. */
  observer?: {
    reconfigured(modes: readonly string[]): void;
    question(user: RecordedUser, attributes: RecordedAttributes): number;
    step(id: number, step: Extract<LogLine, { is: 'step' }>['step']): void;
    decision(id: number, decision: string): void;
    close(): void;
  };
}

const bufferLengthMax = 1 << 20;
const directory = process.env['KEELSON_TRACE_DIR'];
let logs = 0;

if (directory !== undefined) {
  mkdirSync(directory, { recursive: true });
  subscribe('keelson.authorization', (message) => {
    const published = message as Published;
    published.observer = createObserver(
      published,
      join(directory, `${process.pid}-${logs++}.jsonl`),
    );
  });
}

function createObserver({ modes, gates, views }: Published, path: string): Published['observer'] {
  let text = '';
  let questions = 0;
  const flush = () => {
    if (text !== '') appendFileSync(path, text);
    text = '';
  };
  const write = (line: LogLine) => {
    text += `${JSON.stringify(line)}\n`;
    if (text.length > bufferLengthMax) flush();
  };
  write({ is: 'start', modes, gates });
  const ends = Object.entries(views).map(([view, source]) => {
    for (const object of source?.list() ?? [])
      write({ is: 'object', change: 'ADDED', view, object: bare(object) });
    return source?.subscribe(({ type, object }) =>
      write({ is: 'object', change: type, view, object: bare(object) }),
    );
  });
  process.on('exit', flush);
  return {
    question(user, attributes) {
      const { name, groups } = user;
      write({ is: 'question', id: ++questions, user: { name, groups }, attributes });
      return questions;
    },
    reconfigured: (next) => write({ is: 'start', modes: next, gates }),
    step: (id, step) => write({ is: 'step', id, step }),
    decision: (id, decision) => write({ is: 'decision', id, decision }),
    close() {
      for (const end of ends) end?.();
      flush();
      process.off('exit', flush);
    },
  };
}

/** Without what no authorizer looks at. */
function bare({ metadata, rules, roleRef, subjects, spec, status }: StoredObject): StoredObject {
  const { name, namespace, uid, annotations } = metadata;
  const mirror = annotations?.['kubernetes.io/config.mirror'];
  return {
    metadata: {
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(mirror === undefined ? {} : { annotations: { 'kubernetes.io/config.mirror': mirror } }),
    },
    ...Object.fromEntries(
      Object.entries({ rules, roleRef, subjects, spec, status }).filter(
        ([, value]) => value !== undefined,
      ),
    ),
  };
}
