import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import {
  createSimulatedClock,
  type Clock,
  type DecisionStep,
  type KubeObject,
} from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import { callInProcess } from '../transport/in-process.ts';
import { createTestServer, type TestAnswer, type TestServer } from '../testing.ts';

const flowControlPath = '/apis/flowcontrol.apiserver.k8s.io/v1';
const configMaps = '/api/v1/namespaces/default/configmaps';
const user = (name: string, ...groups: string[]): UserInfo => ({
  name,
  uid: '',
  groups: [...groups, 'system:authenticated'],
  extra: {},
});
const ann = user('ann', 'devs');
const schemaHeader = 'x-kubernetes-pf-flowschema-uid';
const levelHeader = 'x-kubernetes-pf-prioritylevel-uid';

/** Allows everything; holds the requests of users called `slow…` until told otherwise. */
function createGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const steps: DecisionStep[] = [];
  const authorizer: Authorizer = {
    name: 'gate',
    async authorize(who, _attributes, trace) {
      steps.push(...trace.steps());
      if (who.name.startsWith('slow')) await opened;
      return { decision: 'allow', reason: '' };
    },
  };
  return { authorizer, open, steps };
}

const open: TestServer[] = [];
after(() => Promise.all(open.map((test) => test.close())));

async function start(options: { seats?: number; clock?: Clock } = {}) {
  const gate = createGate();
  const test = await createTestServer({
    authorizer: gate.authorizer,
    limits: { readOnlyInFlightMax: options.seats ?? 10, mutatingInFlightMax: 0 },
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  open.push(test);
  const put = async (resource: string, name: string, spec: object): Promise<string> => {
    const answer = await test.admin('POST', `${flowControlPath}/${resource}`, {
      metadata: { name },
      spec,
    });
    assert.equal(answer.status, 201, answer.text);
    return (answer.json() as unknown as KubeObject).metadata.uid ?? '';
  };
  const putSchema = (name: string, level: string, more: object = {}) =>
    put('flowschemas', name, {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: 500,
      distinguisherMethod: { type: 'ByUser' },
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: 'devs' } }],
          resourceRules: [
            {
              verbs: ['*'],
              apiGroups: ['*'],
              resources: ['*'],
              namespaces: ['*'],
              clusterScope: true,
            },
          ],
        },
      ],
      ...more,
    });
  const putLevel = (name: string, limitResponse: object, shares = 5) =>
    put('prioritylevelconfigurations', name, {
      type: 'Limited',
      limited: { nominalConcurrencyShares: shares, limitResponse, borrowingLimitPercent: 0 },
    });
  const slow = (name = 'slow', ...groups: string[]) =>
    test.call('GET', `${configMaps}/a`, {
      user: user(name, ...(groups.length ? groups : ['devs'])),
    });
  return { test, gate, put, putSchema, putLevel, slow };
}

const turns = async () => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
};

function assertRefused(answer: TestAnswer): void {
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get('retry-after'), '1');
  assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8');
  assert.equal(answer.text, 'Too many requests, please try again later.\n');
}

async function metric(test: TestServer, name: string): Promise<string[]> {
  const { text } = await test.admin('GET', '/metrics');
  return text.split('\n').filter((line) => line.startsWith(`apiserver_flowcontrol_${name}{`));
}

describe('classification', () => {
  it('a schema and a level are in force when their writes return, and gone likewise', async () => {
    const { test, putSchema, putLevel } = await start();
    const uids = async () => {
      const { headers } = await test.call('GET', `${configMaps}/a`, { user: ann });
      return [headers.get(schemaHeader), headers.get(levelHeader)];
    };
    assert.deepEqual(await uids(), ['', '']);
    const level = await putLevel('team', { type: 'Reject' });
    const schema = await putSchema('team', 'team');
    assert.deepEqual(await uids(), [schema, level]);
    const narrower = await putSchema('team-a', 'team', { matchingPrecedence: 499 });
    assert.deepEqual(await uids(), [narrower, level]);
    await test.admin('DELETE', `${flowControlPath}/flowschemas/team-a`);
    assert.deepEqual(await uids(), [schema, level]);
    await test.admin('DELETE', `${flowControlPath}/prioritylevelconfigurations/team`);
    assert.deepEqual(await uids(), ['', '']);
  });

  it('says nothing about requests that are not looked at', async () => {
    const { test } = await start();
    const { headers } = await test.call('GET', '/api/v1/namespaces/default/pods/a/log', {
      user: ann,
    });
    assert.equal(headers.has(schemaHeader), false);
  });

  it('is recorded in the decision trace', async () => {
    const { test, gate, putSchema, putLevel } = await start();
    await putLevel('team', { type: 'Reject' });
    await putSchema('team', 'team');
    await test.call('GET', `${configMaps}/a`, { user: ann, headers: { 'keelson-explain': '1' } });
    const step = gate.steps.find(({ stage }) => stage === 'flow-control');
    assert.deepEqual(step, {
      stage: 'flow-control',
      by: 'team',
      outcome: 'allow',
      reason: 'priority level "team" has seats for it',
      detail: { flowSchema: 'team', priorityLevel: 'team', seats: 1, waitedMs: 0 },
    });
  });
});

describe('a level that refuses', () => {
  it('answers 429 when its seats are taken, and nobody else suffers', async () => {
    const { test, gate, putSchema, putLevel, slow } = await start();
    const level = await putLevel('team', { type: 'Reject' });
    const schema = await putSchema('team', 'team');
    const held = Array.from({ length: 5 }, () => slow());
    await turns();
    const refused = await test.call('GET', `${configMaps}/a`, { user: ann });
    assertRefused(refused);
    assert.deepEqual(
      [refused.headers.get(schemaHeader), refused.headers.get(levelHeader)],
      [schema, level],
    );
    assert.equal((await test.call('GET', '/version', { user: user('bob') })).status, 200);
    assert.deepEqual(await metric(test, 'rejected_requests_total'), [
      'apiserver_flowcontrol_rejected_requests_total{flow_schema="team",priority_level="team",reason="concurrency-limit"} 1',
    ]);
    gate.open();
    for (const answer of await Promise.all(held)) assert.equal(answer.status, 404);
    assert.equal((await test.call('GET', `${configMaps}/a`, { user: ann })).status, 404);
  });

  it('masters are exempt, and cannot be made otherwise', async () => {
    const { test, putSchema, slow, gate } = await start({ seats: 1 });
    await putSchema('catch-masters', 'catch-all', {
      matchingPrecedence: 2,
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: '*' } }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    });
    const held = slow('slow', 'others');
    await turns();
    assertRefused(await test.call('GET', '/version', { user: ann }));
    for (let i = 0; i < 50; i++) assert.equal((await test.admin('GET', '/version')).status, 200);
    const exempt = await test.admin('DELETE', `${flowControlPath}/flowschemas/exempt`);
    assert.equal(exempt.status, 404);
    gate.open();
    await held;
  });

  it('SECURITY: a flood of the unauthenticated stays in its level', async () => {
    const { test, gate, putSchema, putLevel } = await start();
    await putLevel('team', { type: 'Reject' });
    await putSchema('team', 'team');
    const anonymous = {
      name: 'slow',
      uid: '',
      groups: ['system:unauthenticated'],
      extra: {},
    };
    const flood = Array.from({ length: 200 }, () =>
      test.call('GET', `${configMaps}/a`, { user: anonymous }),
    );
    await turns();
    assert.equal((await test.call('GET', `${configMaps}/a`, { user: ann })).status, 404);
    gate.open();
    const statuses = (await Promise.all(flood)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 404).length, 5);
    assert.equal(statuses.filter((status) => status === 429).length, 195);
    const [rejected] = await metric(test, 'rejected_requests_total');
    assert.match(rejected ?? '', /flow_schema="catch-all".* 195$/);
  });

  it('refusals that keep coming are sent away for longer', async () => {
    const clock = createSimulatedClock();
    const { test, slow, gate } = await start({ seats: 1, clock });
    const held = slow('slow', 'others');
    await turns();
    for (let second = 0; second < 2; second++) {
      for (let i = 0; i < 4; i++) await test.call('GET', '/version', { user: ann });
      await clock.advance(1000);
    }
    const answer = await test.call('GET', '/version', { user: ann });
    assert.equal(answer.headers.get('retry-after'), '2');
    gate.open();
    await held;
  });
});

describe('a level with queues', () => {
  const queuing = { queues: 8, handSize: 1, queueLengthLimit: 2 };

  async function startQueued(clock?: Clock) {
    const all = await start(clock === undefined ? {} : { clock });
    await all.putLevel('team', { type: 'Queue', queuing });
    await all.putSchema('team', 'team');
    const held = Array.from({ length: 5 }, () => all.slow());
    await turns();
    return { ...all, held };
  }

  it('lets requests wait for seats', async () => {
    const { test, gate, held } = await startQueued();
    const waiting = test.call('GET', `${configMaps}/a`, { user: ann });
    await turns();
    const inQueue = await metric(test, 'current_inqueue_requests');
    assert.match(inQueue.join('\n'), /flow_schema="team",priority_level="team"} 1$/m);
    const dump = await test.admin(
      'GET',
      '/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1',
    );
    assert.match(dump.text, /^team, +team, +\d, +0, +ann, .* 0001-01-01T00:00:00Z, +ann, +get, /m);
    const levels = await test.admin('GET', '/debug/api_priority_and_fairness/dump_priority_levels');
    assert.match(levels.text, /^team, +1, +false, +false, +1, +5, +5, +0, +0, +0$/m);
    const queues = await test.admin('GET', '/debug/api_priority_and_fairness/dump_queues');
    assert.match(queues.text, /^team, +\d, +1, +\d, +\d, +\d+\.\d{8}ss, +1, +1, +0\.00300000ss$/m);
    gate.open();
    assert.equal((await waiting).status, 404);
    await Promise.all(held);
  });

  it('refuses when the queue is full', async () => {
    const { test, gate, held } = await startQueued();
    const calls = Array.from({ length: 3 }, () =>
      test.call('GET', `${configMaps}/a`, { user: ann }),
    );
    assertRefused(await Promise.race(calls));
    gate.open();
    await Promise.all([...calls, ...held]);
    const [rejected] = await metric(test, 'rejected_requests_total');
    assert.match(rejected ?? '', /reason="queue-full"} 1$/);
  });

  const waits: readonly (readonly [string, string, number])[] = [
    ['a quarter of the time of any request', '', 15_000],
    ['a quarter of the time that it asks for', '?timeout=20s', 5_000],
    ['no longer than without asking', '?timeout=10m', 15_000],
    ['a watch, a quarter of that of others', 's?watch=1', 15_000],
  ];
  for (const [name, query, ms] of waits)
    it(`refuses what has waited ${name}`, async () => {
      const clock = createSimulatedClock();
      const { test, gate, held } = await startQueued(clock);
      let answer: TestAnswer | undefined;
      const path = query.startsWith('s') ? configMaps.slice(0, -1) : `${configMaps}/a`;
      const call = test.call('GET', path + query, { user: ann });
      void call.then((found) => (answer = found));
      await clock.advance(ms - 1);
      assert.equal(answer, undefined);
      await clock.advance(1);
      assertRefused(await call);
      const [rejected] = await metric(test, 'rejected_requests_total');
      assert.match(rejected ?? '', /reason="time-out"} 1$/);
      gate.open();
      await clock.advance(100);
      await Promise.all(held);
    });

  it('a level that is deleted finishes what it has, then is gone', async () => {
    const { test, gate, held } = await startQueued();
    const waiting = test.call('GET', `${configMaps}/a`, { user: ann });
    await turns();
    await test.admin('DELETE', `${flowControlPath}/prioritylevelconfigurations/team`);
    const dump = () => test.admin('GET', '/debug/api_priority_and_fairness/dump_priority_levels');
    assert.match((await dump()).text, /^team, +1, +false, +true, /m);
    gate.open();
    assert.equal((await waiting).status, 404);
    await Promise.all(held);
    assert.doesNotMatch((await dump()).text, /^team,/m);
  });
});

it('a watch gives its seats back when it has started', async () => {
  const { test, putSchema, putLevel, gate } = await start();
  await putLevel('team', { type: 'Reject' });
  await putSchema('team', 'team');
  const stop = new AbortController();
  for (let i = 0; i < 20; i++) {
    const watch = await callInProcess(test.server.serve, {
      method: 'GET',
      url: `${configMaps}?watch=1`,
      user: ann,
      signal: stop.signal,
    });
    assert.equal(watch.status, 200);
    await turns();
  }
  assert.deepEqual(await metric(test, 'current_executing_seats'), [
    'apiserver_flowcontrol_current_executing_seats{flow_schema="exempt",priority_level="exempt"} 1',
    'apiserver_flowcontrol_current_executing_seats{flow_schema="team",priority_level="team"} 0',
  ]);
  const executed = (await metric(test, 'request_execution_seconds_count')).filter((line) =>
    line.includes('type="watch"'),
  );
  assert.match(executed[0] ?? '', / 20$/);
  stop.abort();
  gate.open();
});

describe('seats', () => {
  it('go from idle levels to busy ones, and come back', async () => {
    const clock = createSimulatedClock();
    const { test, gate, put, putSchema } = await start({ seats: 100, clock });
    const level = (name: string, lendablePercent: number) =>
      put('prioritylevelconfigurations', name, {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: 45,
          lendablePercent,
          limitResponse: {
            type: 'Queue',
            queuing: { queues: 4, handSize: 1, queueLengthLimit: 99 },
          },
        },
      });
    await level('busy', 0);
    await level('idle', 90);
    await putSchema('busy', 'busy');
    await putSchema('idle', 'idle', {
      matchingPrecedence: 400,
      rules: [
        {
          subjects: [{ kind: 'Group', group: { name: 'ops' } }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        },
      ],
    });
    const seatsOf = async (name: string, what: string) => {
      const found = (await metric(test, what)).find((line) => line.includes(`"${name}"`));
      return Number(found?.split(' ')[1]);
    };
    assert.equal(await seatsOf('busy', 'nominal_limit_seats'), 48);
    assert.equal(await seatsOf('idle', 'lower_limit_seats'), 5);
    const hold = (count: number, url: string, group: string) =>
      Array.from({ length: count }, (_, i) =>
        test.call('GET', url, { user: user(`slow${i}`, group) }),
      );
    const calls = hold(90, `${configMaps}/a`, 'devs');
    await clock.advance(10_000);
    assert.equal(await seatsOf('busy', 'current_limit_seats'), 90);
    assert.equal(await seatsOf('busy', 'current_executing_requests'), 90);
    calls.push(...hold(60, '/version', 'ops'));
    await clock.advance(10_000);
    assert.equal(await seatsOf('idle', 'current_limit_seats'), 47);
    assert.equal(await seatsOf('busy', 'current_limit_seats'), 48);
    gate.open();
    await clock.advance(100);
    for (const answer of await Promise.all(calls)) assert.notEqual(answer.status, 429);
  });
});
