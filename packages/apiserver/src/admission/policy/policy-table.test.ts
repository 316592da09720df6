import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import { createPolicyTable } from './policy-table.ts';

interface ChangeableSource extends ObjectSource {
  set(objects: readonly object[]): void;
}

function changeableSource(): ChangeableSource {
  let objects: readonly KubeObject[] = [];
  const subscribers = new Set<Parameters<ObjectSource['subscribe']>[0]>();
  return {
    get: () => undefined,
    list: () => objects,
    subscribe(onChange) {
      subscribers.add(onChange);
      return () => subscribers.delete(onChange);
    },
    set(next) {
      objects = next as readonly KubeObject[];
      const [object] = objects;
      if (object !== undefined) for (const notify of subscribers) notify({ type: 'ADDED', object });
    },
  };
}

const policy = (name: string, ...resources: readonly string[]) => ({
  metadata: { name },
  spec: { matchConstraints: { resourceRules: resources.length > 0 ? [{ resources }] : [] } },
});
const binding = (name: string, policyName: string) => ({
  metadata: { name },
  spec: { policyName },
});

describe('the table of policies', () => {
  const policies = changeableSource();
  const bindings = changeableSource();
  const table = createPolicyTable(policies, bindings);
  const shown = () =>
    table.bound().map((one) => ({
      policy: one.policy.metadata.name,
      bindings: one.bindings.map(({ metadata }) => metadata.name),
      resources: one.resources && [...one.resources],
    }));

  it('holds policies that are bound, and their bindings, by name', () => {
    policies.set([policy('b', 'pods', 'pods/exec'), policy('a', 'services'), policy('unbound')]);
    bindings.set([binding('z', 'b'), binding('y', 'b'), binding('x', 'a'), binding('w', 'gone')]);
    assert.deepEqual(shown(), [
      { policy: 'a', bindings: ['x'], resources: ['services'] },
      { policy: 'b', bindings: ['y', 'z'], resources: ['pods'] },
    ]);
  });

  it('follows every change', () => {
    bindings.set([binding('v', 'unbound')]);
    assert.deepEqual(shown(), [{ policy: 'unbound', bindings: ['v'], resources: undefined }]);
    policies.set([policy('unbound', 'nodes')]);
    assert.deepEqual(shown(), [{ policy: 'unbound', bindings: ['v'], resources: ['nodes'] }]);
  });

  it('says of no policy for all resources that it is about some', () => {
    for (const pattern of ['*', '*/*', '*/scale']) {
      policies.set([policy('unbound', 'pods', pattern)]);
      assert.deepEqual(
        shown().map(({ resources }) => resources),
        [undefined],
        pattern,
      );
    }
  });
});
