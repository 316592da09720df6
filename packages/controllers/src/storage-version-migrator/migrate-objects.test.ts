import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusErrors, type KubeObject } from '@keelson/apimachinery';
import {
  createClient,
  createInProcessTransport,
  type InProcessCallResponse,
} from '@keelson/client';
import { migrateObjects } from './migrate-objects.ts';

const resource = {
  group: 'example.com',
  version: 'v1',
  resource: 'things',
  kind: 'Thing',
  namespaced: true,
  shortNames: [],
  verbs: ['list', 'patch'],
  subresources: [],
};
const pods = { group: '', resource: 'pods' };

function answer(body: object, status = 200): InProcessCallResponse {
  const chunk = Buffer.from(JSON.stringify(body));
  return {
    status,
    headers: new Map([['content-type', 'application/json']]),
    async *chunks() {
      yield chunk;
    },
  };
}
const refusal = ({ status }: { readonly status: { readonly code?: number } }) =>
  answer({ kind: 'Status', apiVersion: 'v1', ...status }, status.code);

const object = (name: string, resourceVersion: string): KubeObject => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, resourceVersion },
});
const page = (items: readonly KubeObject[], token = '') =>
  answer({ kind: 'List', metadata: { resourceVersion: '200', continue: token }, items });

interface Row {
  readonly what: string;
  /** By the token that is asked for. */
  readonly pages: Readonly<Record<string, InProcessCallResponse>>;
  /** By name. */
  readonly refusals?: Readonly<Record<string, InProcessCallResponse>>;
  readonly wantedFor?: number;
  readonly written: readonly string[];
  readonly error?: RegExp;
}

const expired = statusErrors.expired('too old');
expired.status.metadata.continue = 'inconsistent';
const rows: readonly Row[] = [
  { what: 'nothing', pages: { '': page([]) }, written: [] },
  {
    what: 'what is as old as the checkpoint or older',
    pages: { '': page([object('a', '90'), object('b', '100'), object('c', '101')]) },
    written: ['a 90', 'b 100'],
  },
  {
    what: 'older ones whose numbers look greater as texts',
    pages: { '': page([object('a', '9'), object('b', '1000')]) },
    written: ['a 9'],
  },
  {
    what: 'every page',
    pages: { '': page([object('a', '1')], 'next'), next: page([object('b', '2')]) },
    written: ['a 1', 'b 2'],
  },
  {
    what: 'the rest of a list that has become too old',
    pages: {
      '': page([object('a', '1')], 'next'),
      next: refusal(expired),
      inconsistent: page([object('b', '2')]),
    },
    written: ['a 1', 'b 2'],
  },
  {
    what: 'no list that is too old and cannot go on',
    pages: {
      '': page([object('a', '1')], 'next'),
      next: refusal(statusErrors.expired('too old')),
    },
    written: ['a 1'],
    error: /too old/,
  },
  {
    what: 'those after one that somebody else has written, deleted or replaced',
    pages: { '': page([object('a', '1'), object('b', '2')]) },
    refusals: { a: refusal(statusErrors.conflict(pods, 'a', 'changed')) },
    written: ['a 1', 'b 2'],
  },
  {
    what: 'nothing after one that is refused',
    pages: { '': page([object('a', '1'), object('b', '2')]) },
    refusals: { a: refusal(statusErrors.forbidden(pods, 'a', 'no')) },
    written: ['a 1'],
    error: /forbidden/,
  },
  {
    what: 'nothing whose version cannot be compared',
    pages: { '': page([object('a', 'abc')]) },
    written: [],
    error: /^ResourceVersionError: resource version is not well formed: abc$/,
  },
  {
    what: 'no further page when the migration is gone',
    pages: { '': page([object('a', '1')], 'next') },
    wantedFor: 1,
    written: ['a 1'],
  },
];

describe('objects that are written again', () => {
  for (const { what, pages, refusals = {}, wantedFor = Infinity, written, error } of rows)
    it(what, async () => {
      const patches: string[] = [];
      let asked = 0;
      const transport = createInProcessTransport(async ({ method, url, body }) => {
        const { pathname, searchParams } = new URL(url, 'http://server');
        if (method === 'GET') return pages[searchParams.get('continue') ?? ''] ?? answer({}, 500);
        assert.equal(searchParams.get('fieldManager'), 'me');
        const name = pathname.split('/').at(-1) ?? '';
        const { metadata } = JSON.parse(Buffer.from(body ?? []).toString()) as KubeObject;
        assert.equal(metadata.uid, `uid-${name}`);
        patches.push(`${name} ${metadata.resourceVersion}`);
        return refusals[name] ?? answer(object(name, '201'));
      });
      const client = createClient({ transport });
      const done = migrateObjects(
        {
          client,
          resource,
          resourceVersion: '100',
          fieldManager: 'me',
          isWanted: () => asked++ < wantedFor,
        },
        new AbortController().signal,
      );
      if (error === undefined) await done;
      else await assert.rejects(done, error);
      assert.deepEqual(patches, written);
      client.close();
    });
});
