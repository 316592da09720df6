// Derived versions have the fields that Kubernetes' messages have, under their own names.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { builtinResources, builtinType, optionalResources, typeForKind } from './builtin.ts';
import type { StructType, TypeRef } from './types.ts';

function structsOf(type: StructType): Map<string, StructType> {
  const found = new Map<string, StructType>();
  const visit = (ref: TypeRef): void => {
    if (ref.kind === 'list') visit(ref.items);
    else if (ref.kind === 'map') visit(ref.values);
    else if (ref.kind === 'struct') walk(ref.type);
  };
  const walk = (struct: StructType): void => {
    if (found.has(struct.name)) return;
    found.set(struct.name, struct);
    for (const field of struct.fields) visit(field.type);
  };
  walk(type);
  return found;
}

describe('derived versions', () => {
  for (const definition of optionalResources()) {
    const { group, version, kind } = definition;
    it(`${group}/${version} ${kind} and its list are made of structs of that version`, () => {
      const sibling = [...builtinResources(), ...optionalResources()].find(
        (d) => d.group === group && d.kind === kind && d.version !== version,
      );
      const foreign = `${group.split('.')[0]}.v1.`;
      for (const [name] of structsOf(definition.type)) {
        const isSiblings = name.startsWith(`io.k8s.api.${foreign}`);
        assert.ok(!isSiblings || name.endsWith('.UserInfo'), name);
      }
      assert.equal(definition.type.goName, kind);
      if (sibling !== undefined)
        assert.equal(definition.type.description, sibling.type.description);
      if (definition.keyPrefix !== undefined)
        assert.ok(typeForKind({ group, version, kind: `${kind}List` }) !== undefined);
    });
  }

  const numbers = (name: string) =>
    Object.fromEntries(
      (builtinType(`io.k8s.api.${name}`)?.fields ?? []).map((f) => [f.name, f.protobuf]),
    );
  const rows: readonly [struct: string, fields: Readonly<Record<string, number>>][] = [
    [
      'flowcontrol.v1beta2.LimitedPriorityLevelConfiguration',
      {
        assuredConcurrencyShares: 1,
        limitResponse: 2,
        lendablePercent: 3,
        borrowingLimitPercent: 4,
      },
    ],
    ['resource.v1beta1.Device', { name: 1, basic: 2 }],
    [
      'resource.v1beta1.BasicDevice',
      {
        attributes: 1,
        capacity: 2,
        consumesCounters: 3,
        nodeName: 4,
        nodeSelector: 5,
        allNodes: 6,
        taints: 7,
        bindsToNode: 8,
        bindingConditions: 9,
        bindingFailureConditions: 10,
        allowMultipleAllocations: 11,
        nodeAllocatableResourceMappings: 12,
      },
    ],
    [
      'resource.v1beta1.DeviceRequest',
      {
        name: 1,
        deviceClassName: 2,
        selectors: 3,
        allocationMode: 4,
        count: 5,
        adminAccess: 6,
        firstAvailable: 7,
        tolerations: 8,
        capacity: 9,
      },
    ],
    [
      'resource.v1beta1.DeviceSubRequest',
      {
        name: 1,
        deviceClassName: 2,
        selectors: 3,
        allocationMode: 4,
        count: 5,
        tolerations: 7,
        capacity: 8,
      },
    ],
  ];
  for (const [struct, fields] of rows)
    it(`${struct} has its own fields`, () => assert.deepEqual(numbers(struct), fields));

  it('a version that nobody derived has no types', () => {
    assert.equal(builtinType('io.k8s.api.networking.v1beta7.IPAddress'), undefined);
    assert.equal(builtinType('io.k8s.api.resource.v1beta1.ExactDeviceRequest'), undefined);
    assert.equal(
      typeForKind({ group: 'networking.k8s.io', version: 'v1beta1', kind: 'Ingress' }),
      undefined,
    );
  });
});
