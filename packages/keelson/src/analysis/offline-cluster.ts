// A cluster in this process that holds the objects of files or of another cluster, so that it can be
// asked and forked. It starts with what every cluster has, the default roles and bindings among it.
// Namespaces that objects are in are made if they are missing; what the server does not take is left
// out and said.

import type { AdvisedCluster, ExplainedCluster, KnownResource } from '@keelson/advisor';
import { readRbacState } from '@keelson/advisor';
import {
  asKubeObject,
  encodeJson,
  isJsonObject,
  isStatusError,
  type JsonObject,
  type KubeObject,
} from '@keelson/apimachinery';
import { createFeatures } from '@keelson/apiserver';
import type { Client } from '@keelson/client';
import { createCluster, type Cluster } from '../create-cluster.ts';

export interface OfflineCluster extends ExplainedCluster {
  readonly cluster: Cluster & AdvisedCluster;
  readonly resources: readonly KnownResource[];
  /** Objects that the server did not take, and why. */
  readonly leftOut: readonly string[];
}

/** What RBAC and the Node authorizer look at. */
export const analyzedResources = [
  { group: '', version: 'v1', resource: 'namespaces' },
  { group: '', version: 'v1', resource: 'serviceaccounts' },
  { group: '', version: 'v1', resource: 'nodes' },
  { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterroles' },
  { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'clusterrolebindings' },
  { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'roles' },
  { group: 'rbac.authorization.k8s.io', version: 'v1', resource: 'rolebindings' },
] as const;

/** The order in which objects can be written; others come last. */
const firstKinds = [
  'Namespace',
  'CustomResourceDefinition',
  'Node',
  'ServiceAccount',
  'ClusterRole',
  'Role',
  'ClusterRoleBinding',
  'RoleBinding',
];

/** The caller closes the cluster. */
export async function openOfflineCluster(
  objects: readonly JsonObject[],
  emulatedVersion?: string,
): Promise<OfflineCluster> {
  const cluster = await createCluster({
    controllers: [],
    ...(emulatedVersion === undefined ? {} : { emulatedVersion }),
  });
  try {
    const client = cluster.client();
    const { resources } = await client.discovery.fetch();
    const leftOut = await loadObjects(client, resources, objects);
    const features = createFeatures(emulatedVersion === undefined ? {} : { emulatedVersion });
    const state = readRbacState(await readObjects(client), {
      constrainedImpersonation: features.enabled('ConstrainedImpersonation'),
    });
    await storeAggregation(client, resources, state.policy.objects);
    return { cluster, state, resources, leftOut };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** All objects that an analysis looks at. */
export async function readObjects(client: Client): Promise<KubeObject[]> {
  const lists = await Promise.all(
    analyzedResources.map(async (resource) => (await client.resource(resource).list()).items),
  );
  return lists.flat();
}

async function loadObjects(
  client: Client,
  resources: readonly KnownResource[],
  objects: readonly JsonObject[],
): Promise<string[]> {
  const rank = ({ kind }: JsonObject) => {
    const index = firstKinds.indexOf(String(kind));
    return index < 0 ? firstKinds.length : index;
  };
  const leftOut: string[] = [];
  const implied = [...missingNamespaces(objects), ...defaultAccounts(objects)];
  const sorted = [...implied, ...objects].toSorted((a, b) => rank(a) - rank(b));
  for (const object of sorted) {
    const problem = await storeObject(client, resources, object);
    if (problem !== undefined) leftOut.push(problem);
  }
  return leftOut;
}

function missingNamespaces(objects: readonly JsonObject[]): JsonObject[] {
  const needed = new Set(objects.flatMap((object) => metadataOf(object)['namespace'] ?? []));
  for (const { kind, ...object } of objects)
    if (kind === 'Namespace') needed.delete(metadataOf(object)['name'] ?? '');
  return [...needed].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
}

/** Each namespace has one. */
function defaultAccounts(objects: readonly JsonObject[]): JsonObject[] {
  const namespaces = new Set(['default', 'kube-system']);
  for (const object of objects) {
    const { name, namespace } = metadataOf(object);
    const of = object['kind'] === 'Namespace' ? name : namespace;
    if (typeof of === 'string') namespaces.add(of);
  }
  return [...namespaces].map((namespace) => ({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace },
  }));
}

function metadataOf(object: JsonObject): JsonObject {
  return isJsonObject(object['metadata']) ? object['metadata'] : {};
}

/** Undefined when it is there now; else why not. */
async function storeObject(
  client: Client,
  resources: readonly KnownResource[],
  object: JsonObject,
): Promise<string | undefined> {
  const { apiVersion = '', kind = '' } = object;
  const name = `${String(kind)} ${String(metadataOf(object)['name'])}`;
  const resource = resources.find(
    (r) => r.kind === kind && [r.group, r.version].filter(Boolean).join('/') === apiVersion,
  );
  if (resource === undefined) return `${name}: no such kind in ${String(apiVersion)}`;
  const clean = withoutSystemFields(object, resource.namespaced);
  const at = resourceOf(client, resource, clean);
  try {
    await at.create(clean);
    return undefined;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    if (error.status.reason !== 'AlreadyExists') return `${name}: ${error.message}`;
  }
  if (kind === 'Namespace') return undefined;
  return replaceObject(client, resource, clean);
}

async function replaceObject(
  client: Client,
  resource: KnownResource,
  object: KubeObject,
): Promise<string | undefined> {
  const { name = '' } = object.metadata;
  const at = resourceOf(client, resource, object);
  try {
    if (resource.resource.endsWith('bindings')) {
      // The role of a binding cannot be changed.
      await at.delete(name);
      await at.create(object);
    } else await at.update(object);
    return undefined;
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return `${object.kind} ${name}: ${error.message}`;
  }
}

function resourceOf(client: Client, resource: KnownResource, { metadata }: KubeObject) {
  const all = client.resource(resource);
  return metadata.namespace === undefined ? all : all.namespace(metadata.namespace);
}

/** As it was written, not as some server keeps it. */
function withoutSystemFields(object: JsonObject, namespaced: boolean): KubeObject {
  const { status: _status, ...rest } = object;
  const {
    uid: _uid,
    resourceVersion: _version,
    managedFields: _fields,
    creationTimestamp: _created,
    generation: _generation,
    ownerReferences: _owners,
    namespace = 'default',
    ...metadata
  } = metadataOf(object);
  const place = namespaced ? { namespace } : {};
  return asKubeObject({ ...rest, metadata: { ...metadata, ...place } } as JsonObject);
}

/** No controller runs that would do it. */
async function storeAggregation(
  client: Client,
  resources: readonly KnownResource[],
  objects: readonly KubeObject[],
): Promise<void> {
  const resource = resources.find(
    ({ kind, version }) => kind === 'ClusterRole' && version === 'v1',
  );
  if (resource === undefined) return;
  const at = client.resource(resource);
  for (const role of objects) {
    if (role.kind !== 'ClusterRole' || role['aggregationRule'] === undefined) continue;
    const stored = await at.get(role.metadata.name ?? '');
    if (Buffer.compare(encodeJson(stored), encodeJson(role)) === 0) continue;
    await at.update(asKubeObject({ ...stored, rules: role['rules'] } as never));
  }
}
