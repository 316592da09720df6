import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeviceClaim } from '@keelson/apimachinery/types/resource.k8s.io.v1';
import { runCreate, testContext } from '../testing/run-strategy.ts';
import { uncheckedExpressions } from '../validation/expression-checker.ts';
import { createAdminAccessRule } from './admin-access.ts';
import { createResourceStrategies } from './strategies.ts';

const labels: Record<string, string> = {
  yes: 'true',
  no: 'false',
  loud: 'TRUE',
};
const namespaces = {
  get: (_namespace: string, name: string) =>
    name === 'gone'
      ? undefined
      : {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: {
            name,
            ...(labels[name] !== undefined && {
              labels: { 'resource.kubernetes.io/admin-access': labels[name] },
            }),
          },
        },
};
const strategies = createResourceStrategies(uncheckedExpressions, {
  guardStatus: () => Promise.resolve([]),
  adminAccess: createAdminAccessRule(namespaces),
});
const asking = (adminAccess?: boolean): DeviceClaim => ({
  requests: [
    { name: 'plain', exactly: { deviceClassName: 'gpu' } },
    {
      name: 'r',
      exactly: { deviceClassName: 'gpu', ...(adminAccess !== undefined && { adminAccess }) },
    },
  ],
});
const refusal =
  ': Forbidden: admin access to devices requires the `resource.kubernetes.io/admin-access: true` label on the containing namespace';

const kinds = [
  { resource: 'resourceclaims', kind: 'ResourceClaim', nest: (spec: object) => spec },
  {
    resource: 'resourceclaimtemplates',
    kind: 'ResourceClaimTemplate',
    nest: (spec: object) => ({ spec }),
  },
];
const rows: [namespace: string, adminAccess: boolean | undefined, isRefused: boolean][] = [
  ['yes', true, false],
  ['no', true, true],
  ['loud', true, true],
  ['plain', true, true],
  ['gone', true, true],
  ['plain', false, false],
  ['plain', undefined, false],
];

for (const { resource, kind, nest } of kinds) {
  const create = (namespace: string, adminAccess: boolean | undefined, isEnabled = true) =>
    runCreate(
      strategies[resource] ?? {},
      {
        apiVersion: 'resource.k8s.io/v1',
        kind,
        metadata: { name: 'c', namespace },
        spec: nest({ devices: asking(adminAccess) }),
      },
      { ...testContext, features: { ...testContext.features, enabled: () => isEnabled } },
    );
  test(`node §20 (8): who may ask for access for administration, ${kind}`, () => {
    for (const [namespace, adminAccess, isRefused] of rows)
      assert.deepEqual(
        create(namespace, adminAccess).errors,
        isRefused ? [refusal] : [],
        `${namespace}, ${String(adminAccess)}`,
      );
  });
  test(`before its release it is not asked for, ${kind}`, () => {
    const { errors, object } = create('plain', true, false);
    assert.deepEqual(errors, []);
    assert.doesNotMatch(JSON.stringify(object), /adminAccess/);
  });
}
