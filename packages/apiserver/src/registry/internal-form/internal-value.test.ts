import assert from 'node:assert/strict';
import { test } from 'node:test';
import { internalLabels, internalValue } from './internal-value.ts';

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
  assert.equal(JSON.stringify(internalLabels({ b: '1', a: '2' })), '{"a":"2","b":"1"}');
  assert.equal(internalLabels(undefined), null);
});
