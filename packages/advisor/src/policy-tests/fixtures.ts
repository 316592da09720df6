// Puts objects into a cluster before anything is asked of it: as the administrator, definitions and
// namespaces first. No controller runs, so what controllers do for such objects is done here:
// namespaces have their default service account, quotas are counted from their spec.

import { isJsonObject, type JsonObject } from '@keelson/apimachinery';
import type { AdvisedCluster, Decision } from '../cluster.ts';
import { identityOf, namespaceOf, showIdentity } from './object-names.ts';
import type { ResourcePath, ResourcePaths } from './resource-paths.ts';
import { SuiteError, type Suite, type SuiteObject } from './suite.ts';

export interface FixtureContext {
  readonly cluster: AdvisedCluster;
  readonly paths: ResourcePaths;
  /** Of objects that name none. */
  readonly namespace: string;
}

const first = ['CustomResourceDefinition', 'Namespace', 'ServiceAccount', 'PriorityClass'];

/** In an order in which each finds what it needs. Throws SuiteError for one that is refused. */
export async function createFixtures(
  context: FixtureContext,
  objects: readonly SuiteObject[],
): Promise<void> {
  const rank = ({ object }: SuiteObject) => {
    const at = first.indexOf(identityOf(object).kind);
    return at < 0 ? first.length : at;
  };
  for (const object of objects.toSorted((a, b) => rank(a) - rank(b)))
    await createFixture(context, object);
}

async function createFixture(context: FixtureContext, one: SuiteObject): Promise<void> {
  const { cluster, paths } = context;
  const path = await paths.find(cluster, one);
  const collection = path.collection(namespaceOf(one.object, context.namespace));
  const created = await cluster.decide({ method: 'POST', path: collection, body: one.object });
  const identity = identityOf(one.object);
  // What the server makes by itself may be given again, to have it as it should be.
  const exists = created.status === 409;
  const written = exists
    ? await cluster.decide({
        method: 'PUT',
        path: `${collection}/${identity.name}`,
        body: one.object,
      })
    : created;
  if (written.status >= 400) throw refused(one, written);
  await writeStatus(context, one, { path, collection, written });
  if (identity.kind === 'Namespace' && identity.apiVersion === 'v1' && !exists)
    await createServiceAccount(cluster, identity.name);
}

interface Written {
  readonly path: ResourcePath;
  readonly collection: string;
  readonly written: Decision;
}

/** A create leaves the status out. */
async function writeStatus(
  { cluster }: FixtureContext,
  one: SuiteObject,
  { path, collection, written }: Written,
): Promise<void> {
  const status = statusOf(one.object);
  if (status === undefined || !path.subresources.has('status') || !isJsonObject(written.body))
    return;
  const { name } = identityOf(written.body);
  const answer = await cluster.decide({
    method: 'PUT',
    path: `${collection}/${name}/status`,
    body: { ...written.body, status },
  });
  if (answer.status >= 400) throw refused(one, answer);
}

function statusOf(object: JsonObject): JsonObject | undefined {
  const { status, spec } = object;
  if (isJsonObject(status)) return status;
  const hard = isJsonObject(spec) ? spec['hard'] : undefined;
  if (identityOf(object).kind !== 'ResourceQuota' || !isJsonObject(hard)) return undefined;
  return { hard, used: Object.fromEntries(Object.keys(hard).map((key) => [key, '0'])) };
}

async function createServiceAccount(cluster: AdvisedCluster, namespace: string): Promise<void> {
  await cluster.decide({
    method: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts`,
    body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } },
  });
}

function refused({ object, source }: SuiteObject, { status, body }: Decision): SuiteError {
  const message = isJsonObject(body) ? String(body['message']) : `status ${status}`;
  return new SuiteError(source, `${showIdentity(identityOf(object))} was not taken: ${message}`);
}

/** The namespaces that a suite speaks of and nobody defines, as objects. */
export function missingNamespaces(suite: Suite): SuiteObject[] {
  const source = { file: suite.file, line: 1 };
  const objects = [
    ...suite.objects,
    ...suite.cases.flatMap(({ object, oldObject, given }) => [object, oldObject, ...given]),
  ].filter((one) => one !== undefined);
  const defined = new Set(
    objects
      .map(({ object }) => identityOf(object))
      .filter(({ kind, apiVersion }) => kind === 'Namespace' && apiVersion === 'v1')
      .map(({ name }) => name),
  );
  const named = new Set([
    ...suite.cases.map(({ namespace }) => namespace),
    ...objects.map(({ object }) => identityOf(object).namespace),
  ]);
  const builtin = ['', 'kube-system', 'kube-public', 'kube-node-lease'];
  return [...named]
    .filter((name) => !defined.has(name) && !builtin.includes(name))
    .map((name) => ({
      object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      source,
    }));
}
