// The generated types fit the shared ones: what compiles here is the contract.

import { test } from 'node:test';
import type { Deployment } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { ClusterRole } from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { JsonObject } from '../json.ts';
import type { KubeObject } from '../meta/object.ts';

test('built-in kinds are API objects and JSON objects', () => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', ownerReferences: [] },
    spec: { containers: [{ name: 'main', image: 'registry.example/app:1' }] },
  };
  const object: KubeObject = pod;
  const json: JsonObject = pod;
  const deployment = {} as Deployment satisfies KubeObject;
  const others: KubeObject[] = [
    object,
    deployment,
    {} as ClusterRole,
    {} as CustomResourceDefinition,
  ];
  others.push(json as KubeObject);
  // @ts-expect-error: containers have names.
  pod.spec.containers = [{}];
});
