// What a list answers for every combination of resourceVersion, resourceVersionMatch, limit and
// continue (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions).

import { after, before, describe, it } from 'node:test';
import assert from 'node:assert/strict';
import { createTestServer, type TestServer } from '../../testing.ts';
import { encodeContinueToken } from '../continue-token.ts';

const path = '/api/v1/namespaces/a/configmaps';
const future = '99999999999';

interface List {
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: { metadata: { name: string } }[];
}

describe('resourceVersion, match, limit and continue', () => {
  let test: TestServer;
  /** When a, b and c were there; then d came and b went. */
  let old: string;
  let now: string;
  before(async () => {
    test = await createTestServer({ limits: { revisionWaitersMax: 0 } });
    await test.admin('POST', '/api/v1/namespaces', { metadata: { name: 'a' } });
    for (const name of ['a', 'b', 'c'])
      await test.admin('POST', path, { metadata: { name, labels: { l: name } } });
    old = (await get('')).metadata.resourceVersion;
    await test.admin('POST', path, { metadata: { name: 'd', labels: { l: 'd' } } });
    await test.admin('DELETE', `${path}/b`);
    now = (await get('')).metadata.resourceVersion;
  });
  after(() => test.close());

  const answer = (query: string) => test.admin('GET', `${path}?${query}`);
  const get = async (query: string) => (await answer(query)).json() as unknown as List;
  const namesOf = (list: List) => list.items.map(({ metadata }) => metadata.name).join('');

  /** `at` is whether the list is at the old revision or at the newest one. */
  const rows: readonly [query: () => string, names: string, at: 'old' | 'now', more: boolean][] = [
    [() => '', 'acd', 'now', false],
    [() => 'limit=2', 'ac', 'now', true],
    [() => 'limit=3', 'acd', 'now', false],
    [() => 'limit=0', 'acd', 'now', false],
    [() => 'limit=-1', 'acd', 'now', false],
    [() => 'resourceVersion=', 'acd', 'now', false],
    // Any revision: never in pages.
    [() => 'resourceVersion=0', 'acd', 'now', false],
    [() => 'resourceVersion=0&limit=2', 'acd', 'now', false],
    [() => 'resourceVersion=0&limit=2&resourceVersionMatch=NotOlderThan', 'acd', 'now', false],
    // At least as new as that.
    [() => `resourceVersion=${old}`, 'acd', 'now', false],
    [() => `resourceVersion=${old}&resourceVersionMatch=NotOlderThan`, 'acd', 'now', false],
    [() => `resourceVersion=${old}&resourceVersionMatch=NotOlderThan&limit=2`, 'ac', 'now', true],
    // Exactly that one; also, for old clients, when it is limited and not said how it is meant.
    [() => `resourceVersion=${old}&resourceVersionMatch=Exact`, 'abc', 'old', false],
    [() => `resourceVersion=${old}&resourceVersionMatch=Exact&limit=2`, 'ab', 'old', true],
    [() => `resourceVersion=${old}&limit=2`, 'ab', 'old', true],
    [() => `resourceVersion=${now}&resourceVersionMatch=Exact`, 'acd', 'now', false],
    // One object by its name, in whichever way.
    [() => 'fieldSelector=metadata.name%3Dc', 'c', 'now', false],
    [() => 'fieldSelector=metadata.name%3Db', '', 'now', false],
    [() => 'fieldSelector=metadata.name%3Dc&continue=nonsense', 'c', 'now', false],
    [
      () => `fieldSelector=metadata.name%3Db&resourceVersion=${old}&resourceVersionMatch=Exact`,
      'b',
      'old',
      false,
    ],
  ];
  for (const [query, names, at, more] of rows)
    it(`${query().replace(/undefined/, 'RV') || 'nothing'}: ${names}`, async () => {
      const list = await get(query());
      assert.equal(namesOf(list), names);
      assert.equal(list.metadata.resourceVersion, at === 'old' ? old : now);
      assert.equal(list.metadata.continue !== undefined, more);
      assert.equal(list.metadata.remainingItemCount, more ? 1 : undefined);
    });

  const invalid = (why: string) => new RegExp(`^ListOptions.meta.k8s.io "" is invalid: ${why}`);
  const noRevision = 'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless';
  const refused: readonly [query: string, status: number, message: RegExp][] = [
    [
      'resourceVersion=abc',
      400,
      /^invalid resource version: resourceVersion: Invalid value: "abc"/,
    ],
    ['resourceVersion=abc&limit=2', 400, /^invalid resource version: /],
    ['resourceVersion=abc&resourceVersionMatch=Exact', 400, /^invalid resource version: /],
    ['resourceVersion=-1&resourceVersionMatch=NotOlderThan', 400, /^invalid resource version: /],
    [
      `resourceVersion=${future}`,
      504,
      /^Timeout: Too large resource version: 99999999999, current: /,
    ],
    [`resourceVersion=${future}&limit=2`, 504, /^Timeout: Too large resource version/],
    [`resourceVersion=${future}&resourceVersionMatch=NotOlderThan`, 504, /^Timeout: Too large/],
    [`resourceVersion=${future}&resourceVersionMatch=Exact&limit=1`, 504, /^Timeout: Too large/],
    ['resourceVersionMatch=Exact', 422, invalid(noRevision)],
    ['resourceVersionMatch=NotOlderThan&resourceVersion=', 422, invalid(noRevision)],
    ['resourceVersionMatch=Bogus', 422, invalid(`\\[${noRevision}.*Unsupported value: "Bogus"`)],
    [
      'resourceVersion=0&resourceVersionMatch=Exact',
      422,
      invalid('resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for'),
    ],
    [
      'sendInitialEvents=false',
      422,
      invalid('sendInitialEvents: Forbidden: .* forbidden for list'),
    ],
    ['continue=abc', 400, /^invalid continue token: /],
    ['continue=abc&resourceVersion=5', 400, /^invalid continue token: /],
    [
      `continue=${encodeContinueToken({ revision: 5, start: 'a' })}&resourceVersion=5`,
      400,
      /^specifying resource version is not allowed when using continue$/,
    ],
    [
      `continue=${encodeContinueToken({ revision: 5, start: 'a' })}&resourceVersion=5&resourceVersionMatch=Exact`,
      422,
      invalid('resourceVersionMatch: Forbidden: .* forbidden when continue is provided'),
    ],
    ['limit=x', 400, /^strconv.ParseInt: parsing "x": invalid syntax$/],
    ['labelSelector=a%20b', 400, /^unable to parse requirement: found 'b'/],
    ['fieldSelector=data.x%3Dy', 400, /"data.x" is not a known field selector/],
  ];
  for (const [query, status, message] of refused)
    it(`${query.slice(0, 70)} is refused`, async () => {
      const { status: given, text, json } = await answer(query);
      assert.equal(given, status, text);
      assert.match(String(json()['message']), message);
    });

  it('a revision that is too large says so in a cause, and when to ask again', async () => {
    const { json, headers } = await answer(`resourceVersion=${future}`);
    assert.deepEqual(json()['details'], {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    });
    assert.equal(headers.get('retry-after'), '1');
  });

  it('zero as the revision goes with a token', async () => {
    const first = await get('limit=2');
    const rest = await get(`limit=2&resourceVersion=0&continue=${first.metadata.continue}`);
    assert.equal(namesOf(rest), 'd');
  });

  it('without a limit the rest comes at once', async () => {
    const first = await get('limit=1');
    assert.equal(namesOf(await get(`continue=${first.metadata.continue}`)), 'cd');
  });

  const counted: readonly [query: string, remaining: number | undefined][] = [
    ['limit=1', 2],
    ['limit=2', 1],
    ['limit=1&labelSelector=l', undefined],
    ['limit=1&fieldSelector=metadata.name!%3Dx', undefined],
  ];
  for (const [query, remaining] of counted)
    it(`${query}: ${remaining ?? 'nobody knows how many'} remain`, async () => {
      const { metadata } = await get(query);
      assert.ok(metadata.continue !== undefined);
      assert.equal(metadata.remainingItemCount, remaining);
    });

  it('after compaction the token of the answer goes on, inconsistently', async () => {
    const first = await get('limit=1');
    await test.admin('POST', path, { metadata: { name: 'bb' } });
    const { storage } = test.server.dependencies;
    await storage.compact(storage.revision());
    for (const query of [
      `continue=${first.metadata.continue}`,
      `limit=1&continue=${first.metadata.continue}`,
    ]) {
      const gone = await answer(query);
      assert.equal(gone.status, 410);
      const status = gone.json() as unknown as {
        reason: string;
        message: string;
        metadata: { continue: string };
      };
      assert.equal(status.reason, 'Expired');
      assert.match(status.message, /^The provided continue parameter is too old to display/);
      const rest = await get(`limit=2&continue=${status.metadata.continue}`);
      assert.equal(namesOf(rest), 'bbc');
      assert.equal(rest.metadata.resourceVersion, String(storage.revision()));
      assert.equal(namesOf(await get(`continue=${rest.metadata.continue}`)), 'd');
    }
    for (const query of [
      `resourceVersion=${old}&resourceVersionMatch=Exact`,
      `resourceVersion=${old}&limit=1`,
    ]) {
      const gone = await answer(query);
      assert.equal(gone.status, 410);
      assert.equal(gone.json()['message'], 'The resourceVersion for the provided list is too old.');
    }
    assert.equal(namesOf(await get(`resourceVersion=${old}`)), 'abbcd');
  });
});
