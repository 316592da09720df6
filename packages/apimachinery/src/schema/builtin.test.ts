import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  builtinKinds,
  builtinResources,
  builtinType,
  builtinTypeNames,
  typeForKind,
} from './builtin.ts';
import type { TypeRef } from './types.ts';

const core = { group: '', version: 'v1' };

test('resources have their kind, subresources and storage place', () => {
  const pods = builtinResources().find((r) => r.resource === 'pods' && r.group === '');
  assert.ok(pods);
  assert.equal(pods.keyPrefix, '/registry/pods');
  assert.equal(pods.type, typeForKind({ ...core, kind: 'Pod' }));
  const gvkOf = (name: string) => pods.subresources.find((sub) => sub.name === name)?.gvk;
  assert.deepEqual(gvkOf('status'), { ...core, kind: 'Pod' });
  assert.deepEqual(gvkOf('eviction'), { group: 'policy', version: 'v1', kind: 'Eviction' });
  for (const resource of builtinResources()) {
    assert.ok(resource.type.fields.length > 0, resource.resource);
    for (const sub of resource.subresources) assert.ok(typeForKind(sub.gvk), sub.gvk.kind);
  }
});

test('columns say what they show, with the line breaks of the documentation', () => {
  const describe = (resource: string, column: string) =>
    builtinResources()
      .find((r) => r.resource === resource && r.group !== 'events.k8s.io')
      ?.columns.find((c) => c.name === column)?.description;
  assert.match(describe('configmaps', 'Age') ?? '', /and is in UTC\.\n\nPopulated by/);
  assert.match(describe('configmaps', 'Data') ?? '', /^Data contains the configuration data\. /);
  assert.match(describe('services', 'External-IP') ?? '', /this service\.  These IPs/);
  assert.match(describe('csidrivers', 'PodInfoOnMount') ?? '', /inline volume\n {32}defined/);
  assert.match(describe('prioritylevelconfigurations', 'NominalConcurrencyShares') ?? '', /\)  = /);
  assert.equal(describe('pods', 'Status'), 'The aggregate status of the containers in this pod.');
  for (const { resource, columns } of builtinResources()) {
    const silent = columns.filter((c) => c.description === '' || c.description === undefined);
    // COMPAT: the one column that has no text on a stock server either.
    assert.deepEqual(
      silent.map((c) => c.name),
      resource === 'runtimeclasses' ? ['Handler'] : [],
    );
  }
});

const found: readonly (readonly [group: string, version: string, kind: string, type: string])[] = [
  ['', 'v1', 'PodList', 'io.k8s.api.core.v1.PodList'],
  ['', 'v1', 'PodExecOptions', 'io.k8s.api.core.v1.PodExecOptions'],
  ['', 'v1', 'Status', 'io.k8s.apimachinery.pkg.apis.meta.v1.Status'],
  ['apps', 'v1', 'DeleteOptions', 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions'],
  ['', 'v1', 'WatchEvent', 'io.k8s.apimachinery.pkg.apis.meta.v1.WatchEvent'],
  ['autoscaling', 'v1', 'Scale', 'io.k8s.api.autoscaling.v1.Scale'],
  ['admission.k8s.io', 'v1', 'AdmissionReview', 'io.k8s.api.admission.v1.AdmissionReview'],
  ['authentication.k8s.io', 'v1', 'TokenRequest', 'io.k8s.api.authentication.v1.TokenRequest'],
];
const missing = [
  { ...core, kind: 'Pods' },
  { ...core, kind: 'Deployment' },
  { group: 'apps', version: 'v1', kind: 'Pod' },
  { ...core, kind: 'PodSpec' },
  { ...core, kind: '__proto__' },
  { group: '*', version: '', kind: 'toString' },
];

test('kinds are found by group, version and kind', () => {
  for (const [group, version, kind, type] of found) {
    assert.equal(typeForKind({ group, version, kind })?.name, type);
  }
  for (const gvk of missing) assert.equal(typeForKind(gvk), undefined, gvk.kind);
  for (const name of ['io.k8s.api.core.v1', 'Pod', '__proto__.x', 'io.k8s.api.core.v1.toString']) {
    assert.equal(builtinType(name), undefined, name);
  }
  assert.ok(builtinKinds().every((gvk) => typeForKind(gvk) !== undefined));
});

test('fields stand in the order of the Go structs', () => {
  const names = (type: string) =>
    builtinType(type)
      ?.fields.map((field) => field.name)
      .join(' ');
  assert.equal(names('io.k8s.api.core.v1.Pod'), 'kind apiVersion metadata spec status');
  assert.equal(
    names('io.k8s.api.core.v1.Probe'),
    'exec httpGet tcpSocket grpc initialDelaySeconds timeoutSeconds periodSeconds ' +
      'successThreshold failureThreshold terminationGracePeriodSeconds',
  );
});

test('fields carry the rules of Go and of OpenAPI', () => {
  const field = (type: string, name: string) => {
    const found = builtinType(`io.k8s.api.${type}`)?.byName.get(name);
    assert.ok(found, `${type}.${name}`);
    return found;
  };
  assert.equal(field('apps.v1.DeploymentSpec', 'replicas').presence, 'pointer');
  assert.equal(field('core.v1.Container', 'tty').presence, 'omitzero');
  assert.equal(field('core.v1.PodSpec', 'containers').presence, 'always');
  assert.equal(field('core.v1.TypedLocalObjectReference', 'apiGroup').nullable, true);
  assert.equal(field('core.v1.Secret', 'type').goType, 'v1.SecretType');
  assert.equal(field('core.v1.PodSpec', 'containers').goType, '[]v1.Container');
  assert.equal(field('core.v1.ContainerPort', 'protocol').default, 'TCP');
  assert.match(field('core.v1.PodSpec', 'nodeName').description ?? '', /scheduled/);
  const ports = field('core.v1.Container', 'ports').type;
  assert.ok(ports.kind === 'list' && ports.listType === 'map');
  assert.deepEqual(ports.mapKeys, ['containerPort', 'protocol']);
  assert.deepEqual(field('core.v1.Volume', 'hostPath').within, [
    { goName: 'VolumeSource', protobuf: 2 },
  ]);
});

test('every reference of every struct resolves', () => {
  const check = (ref: TypeRef): void => {
    if (ref.kind === 'list') check(ref.items);
    else if (ref.kind === 'map') check(ref.values);
    else if (ref.kind === 'struct') assert.ok(ref.type.fields);
    else if (ref.kind === 'any' && ref.union !== undefined) assert.ok(ref.union.schema.fields);
  };
  for (const name of builtinTypeNames()) {
    const struct = builtinType(name);
    assert.ok(struct, name);
    for (const field of struct.fields) check(field.type);
  }
});
