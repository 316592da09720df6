// DeviceTaintRules and ResourcePoolStatusRequests.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runCreate, runUpdate } from '../testing/run-strategy.ts';
import { resourceStrategies } from './strategies.ts';

const { devicetaintrules: rules = {}, resourcepoolstatusrequests: requests = {} } =
  resourceStrategies;
const apiVersion = 'resource.k8s.io/v1alpha3';
const taint = { key: 'example.com/broken', effect: 'NoSchedule' };
const rule = (spec: object, status: object = {}) => ({
  apiVersion,
  kind: 'DeviceTaintRule',
  metadata: { name: 'r', generation: 1 },
  spec: { taint, ...spec },
  status,
});
const request = (spec: object, status?: object) => ({
  apiVersion,
  kind: 'ResourcePoolStatusRequest',
  metadata: { name: 'q' },
  spec: { driver: 'example.com', ...spec },
  ...(status === undefined ? {} : { status }),
});
type Taint = { taint: { timeAdded?: string } };

describe('rules of taints', () => {
  const rows: readonly [name: string, spec: object, errors: RegExp[]][] = [
    ['for all devices', {}, []],
    ['for one', { deviceSelector: { driver: 'example.com', pool: 'a/b', device: 'd-0' } }, []],
    [
      'for a nameless driver',
      { deviceSelector: { driver: '' } },
      [/deviceSelector.driver: Required value$/],
    ],
    [
      'for a bad pool',
      { deviceSelector: { pool: 'A' } },
      [/deviceSelector.pool: Invalid value: "A"/],
    ],
    [
      'for a dotted device',
      { deviceSelector: { device: 'a.b' } },
      [/deviceSelector.device: .*must not contain dots$/],
    ],
    ['without effect', { taint: { key: 'a' } }, [/^spec.taint.effect: Required value$/]],
    [
      'with an unknown one',
      { taint: { key: 'a', effect: 'Explode' } },
      [/Unsupported value: "Explode"/],
    ],
  ];
  for (const [name, spec, expected] of rows)
    it(name, () => {
      const { errors } = runCreate(rules, rule(spec));
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
    });

  const then = '2020-01-01T00:00:00Z';
  const now = '2024-01-01T00:00:00Z';
  const times: readonly [name: string, taint: object, time: string][] = [
    ['another value', { ...taint, value: 'v', timeAdded: then }, then],
    ['another effect', { ...taint, effect: 'NoExecute', timeAdded: then }, now],
    ['no time', taint, now],
  ];
  for (const [name, wanted, time] of times)
    it(`${name}: the taint is from ${time}`, () => {
      const { object } = runUpdate(rules, [
        rule({ taint: wanted }),
        rule({ taint: { ...taint, timeAdded: then } }),
      ]);
      assert.equal((object['spec'] as Taint).taint.timeAdded, time);
      assert.equal(object.metadata.generation, 2);
    });

  it('report in their status what is evicted', () => {
    const one = { type: 'A', status: 'True', reason: 'R', lastTransitionTime: now };
    const many = Array.from({ length: 9 }, (_, i) => ({ ...one, type: `A${i}` }));
    const errorsOf = (conditions: object[]) =>
      runUpdate(rules, [rule({}, { conditions }), rule({})], 'status').errors;
    assert.deepEqual(errorsOf([one]), []);
    assert.match(
      errorsOf(many).join('\n'),
      /^status.conditions: Too many: 9: must have at most 8 items$/,
    );
  });
});

describe('questions about pools', () => {
  const rows: readonly [name: string, spec: object, errors: RegExp[]][] = [
    ['all of a driver', {}, []],
    ['one', { poolName: 'a/b', limit: 1000 }, []],
    ['of no driver', { driver: '' }, [/^spec.driver: Required value$/]],
    ['of no name', { poolName: '' }, [/^spec.poolName: Required value$/]],
    ['none of them', { limit: 0 }, [/must be greater than or equal to 1$/]],
    ['too many', { limit: 1001 }, [/must be less than or equal to 1000$/]],
  ];
  for (const [name, spec, expected] of rows)
    it(name, () => {
      const { errors, object } = runCreate(requests, request(spec, { poolCount: 1 }));
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
      assert.equal(object['status'], undefined);
    });

  it('ask for a hundred, and never change', () => {
    assert.equal((runCreate(requests, request({})).object['spec'] as { limit: number }).limit, 100);
    const { errors } = runUpdate(requests, [request({ limit: 5 }), request({})]);
    assert.match(errors.join('\n'), /^spec: Invalid value: .*: field is immutable$/);
  });

  const pool = {
    driver: 'example.com',
    poolName: 'p',
    generation: 1,
    totalDevices: 4,
    availableDevices: 3,
  };
  const answers: readonly [name: string, now: object, old: object | undefined, errors: RegExp[]][] =
    [
      ['an answer', { poolCount: 1, pools: [pool] }, undefined, []],
      [
        'a second answer',
        { poolCount: 2, pools: [pool] },
        { poolCount: 1 },
        [/^status: .*field is immutable$/],
      ],
      ['no number', { pools: [pool] }, undefined, [/^status.poolCount: Required value$/]],
      [
        'less than none',
        { poolCount: -1, pools: [{ ...pool, totalDevices: -1 }] },
        undefined,
        [/poolCount: .*greater than or equal to 0$/, /totalDevices/],
      ],
      [
        'a pool of nobody',
        { poolCount: 1, pools: [{ generation: 1 }] },
        undefined,
        [/driver: Required value$/, /poolName: Required value$/],
      ],
    ];
  for (const [name, now, old, expected] of answers)
    it(name, () => {
      const { errors } = runUpdate(requests, [request({}, now), request({}, old)], 'status');
      assert.equal(errors.length, expected.length, errors.join('\n'));
      expected.forEach((pattern, i) => assert.match(errors[i] ?? '', pattern));
    });

  it('show the sums of their pools', () => {
    const row = (status?: object) => {
      const { object } = runUpdate(requests, [request({}), request({}, status)]);
      return requests.tableCells?.(object, Date.parse('2024-01-01T00:00:10Z'));
    };
    const complete = {
      type: 'Complete',
      status: 'True',
      reason: 'R',
      lastTransitionTime: '2024-01-01T00:00:00Z',
    };
    assert.deepEqual(row(), ['q', 'example.com', '-', '-', '-', '-', '-', 0, 'Pending', '<none>']);
    assert.deepEqual(
      row({
        poolCount: 3,
        pools: [pool, { ...pool, validationError: 'e' }],
        conditions: [complete],
      }),
      ['q', 'example.com', 8, 6, 0, 0, 1, 3, 'Complete (2/3 pools)', '10s'],
    );
    assert.deepEqual(
      row({ poolCount: 0, conditions: [{ ...complete, type: 'Failed' }] })?.slice(2),
      ['-', '-', '-', '-', '-', 0, 'Failed', '<none>'],
    );
  });
});
