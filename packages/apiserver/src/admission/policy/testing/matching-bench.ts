// What a request pays before five hundred bound policies that are not about it: because they name
// another resource, or because they select other namespaces. `npm run bench -- cel` runs it:
//
//   node packages/apiserver/src/admission/policy/testing/matching-bench.ts

import type { KubeObject } from '@keelson/apimachinery';
import { createValidatingAdmissionPolicy } from '../../plugins/validating-admission-policy.ts';
import { createTestAttributes } from '../../testing.ts';
import { createFeatures } from '../../../features/create-features.ts';
import type { ObjectSource } from '../../../object-source.ts';
import { expressionsOf } from '../../../registry/expressions/expressions.ts';

const policyCount = 500;
const rounds = 100;
const times = 20;

const figures = {
  otherResource: await nanosecondsBefore('services', {}),
  otherNamespace: await nanosecondsBefore('pods', { matchLabels: { team: 'other' } }),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

async function nanosecondsBefore(resource: string, namespaceSelector: object): Promise<number> {
  const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: [resource] };
  const numbers = Array.from({ length: policyCount }, (_, i) => String(i));
  const policies = numbers.map((i) => ({
    metadata: { name: `policy-${i}` },
    spec: {
      matchConstraints: { resourceRules: [rule], namespaceSelector },
      validations: [{ expression: 'object.metadata.name == "x"' }],
    },
  }));
  const bindings = numbers.map((i) => ({
    metadata: { name: `binding-${i}` },
    spec: { policyName: `policy-${i}`, validationActions: ['Deny'] },
  }));
  const plugin = createValidatingAdmissionPolicy({
    policies: sourceOf(policies),
    bindings: sourceOf(bindings),
    namespaces: sourceOf([{ metadata: { name: 'shop', labels: { team: 'shop' } } }]),
    versions: {
      equivalents: (gvr) => [gvr],
      kindOf: () => undefined,
      show: async ({ object, oldObject }) => ({ object, oldObject }),
      take: async ({ object }) => object ?? { metadata: {} },
    },
    params: { find: () => undefined },
    authorizer: { name: 'none', authorize: () => ({ decision: 'no-opinion', reason: '' }) },
    environment: expressionsOf(createFeatures({})).environments.storedExpressions,
  });
  const attributes = createTestAttributes({
    namespace: 'shop',
    object: { metadata: { name: 'web' } },
  });
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const startedAt = process.hrtime.bigint();
    for (let i = 0; i < times; i++) await plugin.validate?.(attributes);
    best = Math.min(best, Number(process.hrtime.bigint() - startedAt) / times);
  }
  return best;
}

function sourceOf(objects: readonly KubeObject[]): ObjectSource {
  return {
    get: (_namespace, name) => objects.find(({ metadata }) => metadata.name === name),
    list: () => objects,
    subscribe: () => () => {},
  };
}
