// What is missed without the controllers that look after objects of other kinds than pods.

import type { PolicyRule } from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';
import type { KubeObject } from '@keelson/apimachinery';
import type { CustomResourceDefinition } from '@keelson/apimachinery/types/apiextensions.k8s.io.v1';
import type { ValidatingAdmissionPolicy } from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import {
  defineThings,
  definitionsResource,
  migrationsResource,
  thingDefinition,
  withMigrations,
} from '../migrations.ts';
import { core } from '../simulated-cluster.ts';
import {
  reportStorageVersions,
  storageVersion,
  storageVersionsResource,
  withStorageVersions,
} from '../storage-versions.ts';
import { stateOf, type Symptom } from './symptom.ts';

const storage = { storage: '1Gi' };
const accessModes = ['ReadWriteOnce'];
const clusterRoles = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  resource: 'clusterroles',
};
const attributesClasses = {
  group: 'storage.k8s.io',
  version: 'v1',
  resource: 'volumeattributesclasses',
};
const policies = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  resource: 'validatingadmissionpolicies',
};

export const objectSymptoms = {
  'namespace-controller': {
    async act(scene) {
      await scene.client.resource(core('namespaces')).create({ metadata: { name: 'shop' } });
      await scene.in(core('configmaps'), 'shop').create({ metadata: { name: 'a' } });
      await scene.client.resource(core('namespaces')).delete('shop');
    },
    see: (scene) => stateOf(scene.client.resource(core('namespaces')), 'shop'),
    with: 'gone',
    without: 'Terminating',
  },
  'clusterrole-aggregation-controller': {
    async act(scene) {
      const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
      const rules = [{ apiGroups: ['example.com'], resources: ['widgets'], verbs: ['get'] }];
      await scene.client.resource(clusterRoles).create({ metadata: { name: 'w', labels }, rules });
    },
    async see(scene) {
      const view = scene.client.resource<KubeObject & { rules?: PolicyRule[] }>(clusterRoles);
      const { rules = [] } = await view.get('view');
      return rules.some(({ resources = [] }) => resources.includes('widgets'))
        ? 'widgets may be viewed'
        : 'widgets may not be viewed';
    },
    with: 'widgets may be viewed',
    without: 'widgets may not be viewed',
  },
  'persistentvolumeclaim-protection-controller': {
    async act(scene) {
      const claims = scene.in(core('persistentvolumeclaims'));
      const spec = { accessModes, resources: { requests: storage } };
      await claims.create({ metadata: { name: 'c' }, spec });
      await claims.delete('c');
    },
    see: (scene) => stateOf(scene.in(core('persistentvolumeclaims')), 'c'),
    with: 'gone',
    without: 'Terminating',
  },
  'persistentvolume-protection-controller': {
    async act(scene) {
      const volumes = scene.client.resource(core('persistentvolumes'));
      const spec = { capacity: storage, accessModes, hostPath: { path: '/x' } };
      await volumes.create({ metadata: { name: 'v' }, spec });
      await volumes.delete('v');
    },
    see: (scene) => stateOf(scene.client.resource(core('persistentvolumes')), 'v'),
    with: 'gone',
    without: 'Terminating',
  },
  'volumeattributesclass-protection-controller': {
    async act(scene) {
      const classes = scene.client.resource(attributesClasses);
      await classes.create({
        metadata: { name: 'fast' },
        driverName: 'd',
        parameters: { iops: '9' },
      } as never);
      await classes.delete('fast');
    },
    see: (scene) => stateOf(scene.client.resource(attributesClasses), 'fast'),
    with: 'gone',
    without: 'Terminating',
  },
  'validatingadmissionpolicy-status-controller': {
    async act(scene) {
      const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] };
      const spec = {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: 'object.nope == 1' }],
      };
      await scene.client.resource(policies).create({ metadata: { name: 'p' }, spec });
    },
    async see(scene) {
      const policy = await scene.client.resource<ValidatingAdmissionPolicy>(policies).get('p');
      return `${policy.status?.typeChecking?.expressionWarnings?.length ?? 0} warnings`;
    },
    with: '1 warnings',
    without: '0 warnings',
  },
  'storageversion-garbage-collector-controller': {
    act: (scene) => reportStorageVersions(scene.client, { gone: 'v1' }),
    see: (scene) => stateOf(scene.client.resource(storageVersionsResource), storageVersion),
    with: 'gone',
    without: 'there',
    options: withStorageVersions,
  },
  'storage-version-migrator-controller': {
    async act(scene) {
      const definitions = scene.client.resource<CustomResourceDefinition>(definitionsResource);
      await definitions.create(defineThings('v1'));
      await scene.pass(1_000);
      const { metadata } = await definitions.get(thingDefinition);
      await definitions.update({ ...defineThings('v2'), metadata });
      const spec = { resource: { group: 'example.com', resource: 'things' } };
      await scene.client.resource(migrationsResource).create({ metadata: { name: 'm' }, spec });
    },
    async see(scene) {
      const definitions = scene.client.resource<CustomResourceDefinition>(definitionsResource);
      return `stored in ${(await definitions.get(thingDefinition)).status?.storedVersions}`;
    },
    with: 'stored in v2',
    without: 'stored in v1,v2',
    options: withMigrations,
  },
} as const satisfies Readonly<Record<string, Symptom>>;
