import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtinType, cloneDecoded, decodeObject } from '@keelson/apimachinery';
import type { ObjectMeta } from '@keelson/apimachinery';
import type { ServiceCIDR } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { internalList, internalMap, internalValue } from './internal-value.ts';

test('every field is there, under its name in Go', () => {
  assert.deepEqual(internalValue('ContainerPort', { containerPort: 80, protocol: 'TCP' }), {
    Name: '',
    HostPort: 0,
    ContainerPort: 80,
    Protocol: 'TCP',
    HostIP: '',
  });
});

test('absent lists and pointers are null', () => {
  const value = internalValue('PodAffinityTerm', { topologyKey: 'zone' });
  assert.deepEqual(value, {
    LabelSelector: null,
    Namespaces: null,
    TopologyKey: 'zone',
    NamespaceSelector: null,
    MatchLabelKeys: null,
    MismatchLabelKeys: null,
  });
});

test('switches of the host are part of the security context', () => {
  const value = internalValue('PodSpec', { containers: null, hostPID: true, securityContext: {} });
  const context = (value as { SecurityContext: Record<string, unknown> }).SecurityContext;
  assert.equal(context['HostPID'], true);
  assert.equal(context['HostNetwork'], false);
});

test('a type that does not exist is a bug', () => {
  assert.throws(() => internalValue('NoSuchType', {}), /no built-in type/);
});

test('labels are sorted; absent ones are null', () => {
  const metadata = { labels: { b: '1', a: '2' } };
  assert.equal(JSON.stringify(internalMap(metadata, 'labels')), '{"a":"2","b":"1"}');
  assert.equal(internalMap({ labels: undefined }, 'labels'), null);
  assert.equal(internalMap<ObjectMeta>(undefined, 'labels'), null);
});

test('what the body gave as empty is shown as empty, in copies too', () => {
  const body = '{"metadata":{"labels":{}},"spec":{"cidrs":[]}}';
  const type = builtinType('io.k8s.api.networking.v1.ServiceCIDR');
  assert.ok(type);
  const { object } = decodeObject(body, type);
  for (const cidr of [object, cloneDecoded(object)] as ServiceCIDR[]) {
    assert.deepEqual(internalMap(cidr.metadata, 'labels'), {});
    assert.deepEqual(internalList(cidr.spec, 'cidrs'), []);
    assert.equal(internalList(cidr.metadata, 'finalizers'), null);
    const shown = internalValue('io.k8s.api.networking.v1.ServiceCIDRSpec', cidr.spec);
    assert.deepEqual(shown, { Cidrs: [] });
  }
  const copied = structuredClone(object) as ServiceCIDR;
  assert.equal(internalList(copied.spec, 'cidrs'), null);
});
