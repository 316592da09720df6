import assert from 'node:assert/strict';
import { test } from 'node:test';
import { remoteMembers } from './merge-v2.ts';
import type { RemoteOpenApiV2 } from './remote-openapi.ts';

const shared = { name: 'body', in: 'body', schema: { $ref: '#/definitions/io.example.Body' } };
const remote: RemoteOpenApiV2 = {
  prefixes: ['/apis/a.example.com/v1/'],
  document: {
    paths: {
      '/apis/a.example.com/v1/things': {
        get: { parameters: [{ $ref: '#/parameters/body-abc' }] },
      },
      '/apis/b.example.com/v1/others': {
        get: { parameters: [{ $ref: '#/parameters/other-abc' }] },
      },
    },
    definitions: { 'io.example.Body': { type: 'object' }, 'io.example.Unused': {} },
    parameters: { 'body-abc': shared, 'other-abc': { name: 'other', in: 'query' } },
  },
};

test('parameters come with the paths that use them, and with what they refer to', () => {
  const { paths, parameters, schemas } = remoteMembers([remote], () => undefined);
  const namesOf = (members: readonly (readonly [string, string])[]) => members.map(([n]) => n);
  assert.deepEqual(namesOf(paths), ['/apis/a.example.com/v1/things']);
  assert.deepEqual(namesOf(parameters), ['body-abc']);
  assert.deepEqual(namesOf(schemas), ['io.example.Body']);
});

test('a parameter follows a definition that was renamed', () => {
  const taken = (name: string) => (name === 'io.example.Body' ? { type: 'string' } : undefined);
  const { parameters } = remoteMembers([remote], taken);
  assert.match(parameters[0]?.[1] ?? '', /#\/definitions\/io\.example\.Body_v2/);
});
