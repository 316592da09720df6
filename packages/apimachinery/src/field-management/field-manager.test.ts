import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Clock } from '../clock.ts';
import type { JsonObject } from '../json.ts';
import { asJson, asKubeObject, type KubeObject, type ManagedFieldsEntry } from '../meta/object.ts';
import { tableStruct } from '../schema/table.ts';
import { StatusError } from '../status/status.ts';
import { createFieldManager, type FieldManager } from './field-manager.ts';
import { lastAppliedAnnotation } from './last-applied.ts';

let seconds = 0;
const clock: Clock = { now: () => seconds * 1000, monotonic: () => 0, after: () => () => {} };
const time = (s: number) => new Date(s * 1000).toISOString().replace('.000Z', 'Z');

const configMaps = createFieldManager({ type: tableStruct('io.k8s.api.core.v1.ConfigMap'), clock });
const deployments = createFieldManager({
  type: tableStruct('io.k8s.api.apps.v1.Deployment'),
  clock,
  resetFields: [['status']],
});
const things = createFieldManager({ type: undefined, clock });

const by = (manager: string, apiVersion = 'v1', subresource = '') => ({
  manager,
  apiVersion,
  subresource,
});
const forced = { force: true };
const unforced = { force: false };

function configMap(data: Record<string, string | null> | undefined, metadata: JsonObject = {}) {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'o', ...metadata } };
  return freeze(asKubeObject(data === undefined ? object : { ...object, data }));
}
const blank = (apiVersion: string, kind: string): KubeObject => ({
  apiVersion,
  kind,
  metadata: {},
});
const noConfigMap = blank('v1', 'ConfigMap');
const stored = (object: KubeObject): KubeObject =>
  freeze({ ...object, metadata: { ...object.metadata, uid: 'u' } });

/** `name:operation[/subresource] fields`, one line for each entry. */
function managers(object: KubeObject): string[] {
  return (object.metadata.managedFields ?? []).map((entry) => {
    const subresource = entry.subresource === undefined ? '' : `/${entry.subresource}`;
    const operation = `${entry.manager}:${entry.operation}${subresource}`;
    return `${operation} ${JSON.stringify(entry.fieldsV1)}`;
  });
}
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}
function refusal(run: () => unknown): StatusError {
  try {
    run();
  } catch (e) {
    assert.ok(e instanceof StatusError, String(e));
    return e;
  }
  assert.fail('nothing was thrown');
}

describe('update', () => {
  it('gives what was set to who created the object', () => {
    seconds = 1;
    const created = configMaps.update(
      noConfigMap,
      configMap({ a: '1' }, { labels: { l: 'x' } }),
      by('me'),
    );
    assert.deepEqual(created.metadata.managedFields, [
      {
        manager: 'me',
        operation: 'Update',
        apiVersion: 'v1',
        time: time(1),
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:data': { '.': {}, 'f:a': {} },
          'f:metadata': { 'f:labels': { '.': {}, 'f:l': {} } },
        },
      },
    ]);
  });
  it('does not give away what a kind always has', () => {
    const deployment = asKubeObject({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: {
        replicas: 1,
        selector: { matchLabels: { a: 'b' } },
        template: { metadata: {}, spec: { containers: [{ name: 'c', resources: {} }] } },
        strategy: {},
      },
      status: {},
    });
    const created = deployments.update(
      blank('apps/v1', 'Deployment'),
      freeze(deployment),
      by('me', 'apps/v1'),
    );
    assert.deepEqual(created.metadata.managedFields?.[0]?.fieldsV1, {
      'f:spec': {
        'f:replicas': {},
        'f:selector': {},
        'f:template': {
          'f:spec': {
            'f:containers': { 'k:{"name":"c"}': { '.': {}, 'f:name': {}, 'f:resources': {} } },
          },
        },
      },
    });
  });
  it('moves what changed to who changed it', () => {
    seconds = 1;
    const created = stored(
      configMaps.update(noConfigMap, configMap({ a: '1', b: '2' }), by('one')),
    );
    seconds = 2;
    const changed = stored(
      configMaps.update(created, configMap({ a: '9', b: '2', c: '3' }), by('two')),
    );
    assert.deepEqual(managers(changed), [
      'one:Update {"f:data":{".":{},"f:b":{}}}',
      'two:Update {"f:data":{"f:a":{},"f:c":{}}}',
    ]);
    assert.deepEqual(
      changed.metadata.managedFields?.map((e) => e.time),
      [time(1), time(2)],
    );
    const emptied = configMaps.update(changed, configMap(undefined), by('three'));
    assert.equal(emptied.metadata.managedFields, undefined);
  });
  it('keeps entries and times when nothing changes', () => {
    seconds = 1;
    const created = stored(configMaps.update(noConfigMap, configMap({ a: '1' }), by('one')));
    seconds = 2;
    const same = configMaps.update(created, freeze(structuredClone(created)), by('two'));
    assert.equal(same.metadata.managedFields, created.metadata.managedFields);
  });
  it('takes valid entries of the request over', () => {
    const created = stored(configMaps.update(noConfigMap, configMap({ a: '1' }), by('one')));
    const given: ManagedFieldsEntry = {
      manager: 'x',
      operation: 'Apply',
      apiVersion: 'v1',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': { 'f:a': {} } },
    };
    const request = { ...created, metadata: { ...created.metadata, managedFields: [given] } };
    assert.deepEqual(configMaps.update(created, request, by('two')).metadata.managedFields, [
      given,
    ]);
    assert.deepEqual(
      managers(configMaps.update(created, request, by('two', 'v1', 'status'))),
      managers(created),
    );
  });
  const useless: [name: string, entries: unknown[] | undefined][] = [
    ['no entries', undefined],
    ['an empty list', []],
    [
      'another operation',
      [
        {
          manager: 'x',
          operation: 'Delete',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: {},
        },
      ],
    ],
    ['no version', [{ manager: 'x', operation: 'Apply', fieldsType: 'FieldsV1', fieldsV1: {} }]],
    ['no type', [{ manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsV1: {} }]],
    [
      'another type',
      [
        {
          manager: 'x',
          operation: 'Apply',
          apiVersion: 'v1',
          fieldsType: 'FieldsV2',
          fieldsV1: {},
        },
      ],
    ],
    [
      'fields that are none',
      [
        {
          manager: 'x',
          operation: 'Apply',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { nonsense: {} },
        },
      ],
    ],
  ];
  for (const [name, entries] of useless) {
    it(`keeps the stored entries for ${name}`, () => {
      const created = stored(configMaps.update(noConfigMap, configMap({ a: '1' }), by('one')));
      const metadata = { ...created.metadata, managedFields: entries as ManagedFieldsEntry[] };
      const updated = configMaps.update(created, { ...created, metadata }, by('two'));
      assert.deepEqual(managers(updated), managers(created));
    });
  }
  it('forgets all managers for one empty entry, and then tracks no more', () => {
    const created = stored(configMaps.update(noConfigMap, configMap({ a: '1' }), by('one')));
    const metadata = { ...created.metadata, managedFields: [{}] };
    const reset = stored(configMaps.update(created, { ...created, metadata }, by('two')));
    assert.equal(reset.metadata.managedFields, undefined);
    const changed = configMaps.update(reset, configMap({ a: '2' }), by('two'));
    assert.equal(changed.metadata.managedFields, undefined);
  });
  it('keeps subresources apart and resets their fields', () => {
    const deployment = (replicas: number, ready: number) =>
      freeze(
        asKubeObject({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'd' },
          spec: { replicas },
          status: { readyReplicas: ready },
        }),
      );
    const created = stored(
      deployments.update(blank('apps/v1', 'Deployment'), deployment(1, 1), by('me', 'apps/v1')),
    );
    assert.deepEqual(managers(created), ['me:Update {"f:spec":{"f:replicas":{}}}']);
    const status = { ...by('ctl', 'apps/v1', 'status'), resetFields: [['spec']] };
    const updated = deployments.update(created, deployment(5, 2), status);
    assert.deepEqual(managers(updated), [
      'ctl:Update/status {"f:status":{"f:readyReplicas":{}}}',
      'me:Update {"f:spec":{"f:replicas":{}}}',
    ]);
  });
  it('tolerates duplicates and drops what cannot be tracked', () => {
    const pods = createFieldManager({ type: tableStruct('io.k8s.api.core.v1.Pod'), clock });
    const pod = (containers: unknown) =>
      freeze(
        asKubeObject({
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: 'p' },
          spec: { containers },
        } as JsonObject),
      );
    const twice = pods.update(blank('v1', 'Pod'), pod([{ name: 'a' }, { name: 'a' }]), by('me'));
    assert.deepEqual(managers(twice), [
      'me:Update {"f:spec":{"f:containers":{"k:{\\"name\\":\\"a\\"}":{}}}}',
    ]);
    const broken = pods.update(blank('v1', 'Pod'), pod([null]), by('me'));
    assert.equal(broken.metadata.managedFields, undefined);
  });
  it('merges the oldest of more than ten updaters', () => {
    let live: KubeObject = noConfigMap;
    const data: Record<string, string> = {};
    for (let i = 0; i < 13; i++) {
      seconds = 100 + i;
      data[`k${String(i).padStart(2, '0')}`] = 'x';
      live = stored(configMaps.update(live, configMap({ ...data }), by(`m${i}`)));
    }
    const lines = managers(live);
    assert.equal(lines.length, 10);
    assert.equal(
      lines[0],
      'ancient-changes:Update {"f:data":{".":{},"f:k00":{},"f:k01":{},"f:k02":{},"f:k03":{}}}',
    );
    assert.equal(live.metadata.managedFields?.[0]?.time, time(103));
  });
});

describe('apply', () => {
  const apply = (live: KubeObject, config: KubeObject, manager: string, options = unforced) =>
    stored(configMaps.apply(live, config, { ...by(manager), ...options }));

  it('creates, owning what is named', () => {
    seconds = 1;
    const created = configMaps.apply(noConfigMap, configMap({ a: '1' }), {
      ...by('one'),
      ...unforced,
    });
    assert.deepEqual(asJson(created), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'o',
        managedFields: [
          {
            manager: 'one',
            operation: 'Apply',
            apiVersion: 'v1',
            time: time(1),
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { 'f:a': {} } },
          },
        ],
      },
      data: { a: '1' },
    });
  });
  it('removes what the manager no longer names', () => {
    const first = apply(noConfigMap, configMap({ a: '1', b: '2' }), 'one');
    const second = apply(first, configMap({ b: '2' }), 'one');
    assert.deepEqual(second['data'], { b: '2' });
    assert.deepEqual(managers(second), ['one:Apply {"f:data":{"f:b":{}}}']);
  });
  it('does not remove what another manager owns', () => {
    const first = apply(noConfigMap, configMap({ a: '1', b: '2' }), 'one');
    const both = apply(first, configMap({ a: '1' }), 'two');
    const second = apply(both, configMap({}), 'one');
    assert.deepEqual(second['data'], { a: '1' });
    assert.deepEqual(managers(second), [
      'two:Apply {"f:data":{"f:a":{}}}',
      'one:Apply {"f:data":{}}',
    ]);
  });
  it('gives no time to an entry that changed no object', () => {
    seconds = 1;
    const first = apply(noConfigMap, configMap({ a: '1' }), 'one');
    seconds = 2;
    const shared = apply(first, configMap({ a: '1' }), 'two');
    assert.deepEqual(
      shared.metadata.managedFields?.map((e) => [e.manager, e.time]),
      [
        ['two', undefined],
        ['one', time(1)],
      ],
    );
    const again = apply(shared, configMap({ a: '1' }), 'one');
    assert.deepEqual(again.metadata.managedFields, shared.metadata.managedFields);
  });
  it('refuses to change what others own, and takes it by force', () => {
    const first = apply(noConfigMap, configMap({ a: '1' }), 'one');
    const conflict = refusal(() => apply(first, configMap({ a: '2' }), 'two'));
    assert.equal(conflict.code, 409);
    assert.equal(conflict.message, 'Apply failed with 1 conflict: conflict with "one": .data.a');
    assert.deepEqual(conflict.status.details?.causes, [
      { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
    ]);
    const second = apply(first, configMap({ a: '2' }), 'two', forced);
    assert.deepEqual(managers(second), ['two:Apply {"f:data":{"f:a":{}}}']);
  });
  it('lists conflicts by manager', () => {
    const first = apply(noConfigMap, configMap({ a: '1', b: '2' }, { labels: { l: 'x' } }), 'one');
    const scaled = stored(
      configMaps.update(
        first,
        configMap({ a: '1', b: '2', c: '3' }, { labels: { l: 'x' } }),
        by('ed', 'v1', 'scale'),
      ),
    );
    const config = configMap({ a: '9', b: '8', c: '7' }, { labels: { l: 'y' } });
    const conflict = refusal(() => apply(scaled, config, 'two'));
    assert.equal(
      conflict.message,
      'Apply failed with 4 conflicts: conflicts with "ed" with subresource "scale" using v1:\n- .data.c\nconflicts with "one":\n- .data.a\n- .data.b\n- .metadata.labels.l',
    );
  });
  it('makes a manager of what was there before', () => {
    const untracked = freeze(configMap({ a: '1', b: '2' }, { uid: 'u' }));
    const conflict = refusal(() => apply(untracked, configMap({ a: '2' }), 'one'));
    assert.match(conflict.message, /conflict with "before-first-apply" using v1: \.data\.a$/);
    const applied = apply(untracked, configMap({ a: '1', c: '3' }), 'one');
    assert.deepEqual(managers(applied), [
      'one:Apply {"f:data":{"f:a":{},"f:c":{}}}',
      'before-first-apply:Update {"f:data":{".":{},"f:a":{},"f:b":{}}}',
    ]);
  });

  const refused: [name: string, config: KubeObject, code: number, message: string][] = [
    [
      'another version',
      { ...configMap({}), apiVersion: 'v9' },
      400,
      'invalid object type: /v9, Kind=ConfigMap',
    ],
    [
      'another kind',
      { ...configMap({}), kind: 'Secret' },
      400,
      'invalid object type: /v1, Kind=Secret',
    ],
    ['no kind', { ...configMap({}), kind: undefined }, 400, 'invalid object type: /v1, Kind='],
    [
      'managed fields',
      configMap({}, { managedFields: [] }),
      400,
      'metadata.managedFields must be nil',
    ],
    [
      'an unknown field',
      { ...configMap({}), bogus: 1 },
      500,
      'failed to create typed patch object (/o; /v1, Kind=ConfigMap): .bogus: field not declared in schema',
    ],
    [
      'another form',
      { ...configMap({}), data: ['x'] },
      500,
      'failed to create typed patch object (/o; /v1, Kind=ConfigMap): .data: expected map, got &{[x]}',
    ],
  ];
  for (const [name, config, code, message] of refused) {
    it(`refuses ${name}`, () => {
      const e = refusal(() => apply(noConfigMap, config, 'one'));
      assert.deepEqual([e.code, e.message], [code, message]);
    });
  }
  it('refuses to guess at stored entries that are broken', () => {
    const live = freeze(configMap({ a: '1' }, { managedFields: [{ operation: 'Nothing' }] }));
    const e = refusal(() => apply(live, configMap({ a: '1' }), 'one'));
    assert.equal(
      e.message,
      'failed to decode managed fields: operation must be `Apply` or `Update`',
    );
  });
  it('never owns the status through the main resource', () => {
    const deployment = (status: JsonObject) =>
      freeze(
        asKubeObject({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: 'd' },
          spec: { replicas: 1 },
          status,
        }),
      );
    const applied = deployments.apply(blank('apps/v1', 'Deployment'), deployment({ replicas: 1 }), {
      ...by('one', 'apps/v1'),
      ...unforced,
    });
    assert.deepEqual(managers(applied), ['one:Apply {"f:spec":{"f:replicas":{}}}']);
  });
  it('deduces objects without a schema', () => {
    const thing = (spec: JsonObject) =>
      freeze(asKubeObject({ apiVersion: 'e/v1', kind: 'Thing', metadata: { name: 't' }, spec }));
    const run = (live: KubeObject, spec: JsonObject) =>
      stored(things.apply(live, thing(spec), { ...by('one', 'e/v1'), ...unforced }));
    const first = run(blank('e/v1', 'Thing'), { a: { b: 1 }, list: [{ x: 1 }] });
    assert.deepEqual(managers(first), [
      'one:Apply {"f:spec":{".":{},"f:a":{".":{},"f:b":{}},"f:list":{}}}',
    ]);
    assert.deepEqual(run(first, { list: [] })['spec'], { list: [] });
  });
});

describe('client-side apply', () => {
  const applied = (data: Record<string, string>) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'o' }, data });
  const clientSide = (data: Record<string, string>) => {
    const annotations = { [lastAppliedAnnotation]: applied(data) };
    return stored(
      configMaps.update(
        noConfigMap,
        configMap(data, { annotations }),
        by('kubectl-client-side-apply'),
      ),
    );
  };
  it('hands its fields over to kubectl, and to nobody else', () => {
    const live = clientSide({ a: '1', b: '2' });
    const config = configMap({ a: '9', b: '2' });
    assert.equal(
      refusal(() => configMaps.apply(live, config, { ...by('helm'), ...unforced })).code,
      409,
    );
    const upgraded = configMaps.apply(live, config, { ...by('kubectl'), ...unforced });
    assert.deepEqual(upgraded['data'], { a: '9', b: '2' });
    assert.equal(
      upgraded.metadata.annotations?.[lastAppliedAnnotation],
      `${applied({ a: '9', b: '2' }).replace('"kind":"ConfigMap","metadata":{"name":"o"},"data":{"a":"9","b":"2"}', '"data":{"a":"9","b":"2"},"kind":"ConfigMap","metadata":{"name":"o"}')}\n`,
    );
  });
  it('does not hand over what was changed since', () => {
    const live = clientSide({ a: '1' });
    const annotations = live.metadata.annotations ?? {};
    const edited = stored(
      configMaps.update(live, configMap({ a: '2' }, { annotations }), by('ed')),
    );
    const e = refusal(() =>
      configMaps.apply(edited, configMap({ a: '3' }), { ...by('kubectl'), ...unforced }),
    );
    assert.equal(e.message, 'Apply failed with 1 conflict: conflict with "ed" using v1: .data.a');
  });
  for (const text of ['{', '[]', '{"apiVersion":"v9"}', '{"apiVersion":"v1","bogus":1}']) {
    it(`does not trust the annotation ${text}`, () => {
      const annotations = { [lastAppliedAnnotation]: text };
      const live = stored(
        configMaps.update(noConfigMap, configMap({ a: '1' }, { annotations }), by('x')),
      );
      assert.equal(
        refusal(() =>
          configMaps.apply(live, configMap({ a: '2' }), { ...by('kubectl'), ...unforced }),
        ).code,
        409,
      );
    });
  }
});

describe('several versions', () => {
  // v1 has `size`, v2 the same as `dimension`.
  const rename = (object: KubeObject, from: string, to: string): KubeObject => {
    const { [from]: value, ...rest } = asJson(object);
    return asKubeObject(value === undefined ? rest : { ...rest, [to]: value });
  };
  const manager: FieldManager = createFieldManager({
    type: undefined,
    clock,
    versions: {
      has: (version) => version === 'e/v1' || version === 'e/v2',
      typeOf: () => undefined,
      convert: (object, from, to) => {
        const converted =
          to === 'e/v2' ? rename(object, 'size', 'dimension') : rename(object, 'dimension', 'size');
        assert.notEqual(from, to);
        return { ...converted, apiVersion: to };
      },
    },
  });
  const thing = (apiVersion: string, fields: JsonObject) =>
    freeze(asKubeObject({ apiVersion, kind: 'Thing', metadata: { name: 't' }, ...fields }));

  it('finds conflicts in the version of the other manager', () => {
    const v1 = stored(
      manager.apply(blank('e/v1', 'Thing'), thing('e/v1', { size: 1 }), {
        ...by('one', 'e/v1'),
        ...unforced,
      }),
    );
    const live = freeze({ ...rename(v1, 'size', 'dimension'), apiVersion: 'e/v2' });
    const run = (dimension: number, options: { force: boolean }) =>
      manager.apply(live, thing('e/v2', { dimension }), { ...by('two', 'e/v2'), ...options });
    assert.equal(
      refusal(() => run(2, unforced)).message,
      'Apply failed with 1 conflict: conflict with "one": .size',
    );
    assert.deepEqual(managers(run(1, unforced)), [
      'two:Apply {"f:dimension":{}}',
      'one:Apply {"f:size":{}}',
    ]);
    assert.deepEqual(managers(run(2, forced)), ['two:Apply {"f:dimension":{}}']);
  });
  it('removes in the version in which it was applied', () => {
    const first = stored(
      manager.apply(blank('e/v1', 'Thing'), thing('e/v1', { size: 1, color: 'red' }), {
        ...by('one', 'e/v1'),
        ...unforced,
      }),
    );
    const live = freeze({ ...rename(first, 'size', 'dimension'), apiVersion: 'e/v2' });
    const second = manager.apply(live, thing('e/v2', { color: 'red' }), {
      ...by('one', 'e/v2'),
      ...unforced,
    });
    assert.equal('dimension' in second, false);
    assert.deepEqual(managers(second), ['one:Apply {"f:color":{}}']);
  });
  it('forgets managers of versions that are gone', () => {
    const entry: ManagedFieldsEntry = {
      manager: 'old',
      operation: 'Update',
      apiVersion: 'e/v0',
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:size': {} },
    };
    const live = stored({
      ...thing('e/v1', { size: 1 }),
      metadata: { name: 't', managedFields: [entry] },
    });
    assert.deepEqual(
      managers(manager.update(live, thing('e/v1', { size: 1 }), by('x', 'e/v1'))),
      [],
    );
  });
});
