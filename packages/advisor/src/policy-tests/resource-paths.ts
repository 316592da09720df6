// Where objects live on the server: kinds to paths, as discovery has them.

import { isJsonObject, nextTurn, parseApiVersion, type JsonObject } from '@keelson/apimachinery';
import type { AdvisedCluster } from '../cluster.ts';
import { identityOf, type ObjectIdentity } from './object-names.ts';
import { SuiteError, type SuiteObject } from './suite.ts';

export interface ResourcePath {
  readonly resource: string;
  readonly namespaced: boolean;
  readonly subresources: ReadonlySet<string>;
  /** `/api/v1/namespaces/shop/pods`, without name. */
  collection(namespace: string): string;
}

export interface ResourcePaths {
  /** Throws SuiteError when the kind is not served. */
  find(cluster: AdvisedCluster, object: SuiteObject): Promise<ResourcePath>;
}

/** A definition is served a moment after it was created. */
const attemptsMax = 200;

/** Remembers what it finds: for clusters that serve the same kinds. */
export function createResourcePaths(): ResourcePaths {
  const known = new Map<string, ResourcePath>();
  return {
    async find(cluster, { object, source }) {
      const identity = identityOf(object);
      const key = `${identity.apiVersion}/${identity.kind}`;
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const path = known.get(key) ?? (await discover(cluster, identity));
        if (path !== undefined) {
          known.set(key, path);
          return path;
        }
        if (isBuiltin(identity)) break;
        await nextTurn();
      }
      const { apiVersion, kind } = identity;
      throw new SuiteError(source, `no ${kind} is served in ${apiVersion} by this release`);
    },
  };
}

/** Groups of custom resources have a dot, and no domain of Kubernetes behind it. */
function isBuiltin({ apiVersion }: ObjectIdentity): boolean {
  const { group = '' } = parseApiVersion(apiVersion) ?? {};
  return !group.includes('.') || group.endsWith('.k8s.io');
}

async function discover(
  cluster: AdvisedCluster,
  { apiVersion, kind }: ObjectIdentity,
): Promise<ResourcePath | undefined> {
  const base = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const { status, body } = await cluster.decide({ method: 'GET', path: base });
  if (status !== 200 || !isJsonObject(body) || !Array.isArray(body['resources'])) return undefined;
  const resources = body['resources'].filter((one): one is JsonObject => isJsonObject(one));
  const own = resources.find((one) => one['kind'] === kind && !String(one['name']).includes('/'));
  if (own === undefined) return undefined;
  const resource = String(own['name']);
  const namespaced = own['namespaced'] === true;
  const names = resources.map((one) => String(one['name']));
  const subresources = names.filter((name) => name.startsWith(`${resource}/`));
  return {
    resource,
    namespaced,
    subresources: new Set(subresources.map((name) => name.slice(resource.length + 1))),
    collection: (namespace) =>
      namespaced
        ? `${base}/namespaces/${encodeURIComponent(namespace)}/${resource}`
        : `${base}/${resource}`,
  };
}
