// The objects that a binding gives a policy as `params`, of whatever kind the policy names.

import { compileLabelSelector, parseApiVersion, type KubeObject } from '@keelson/apimachinery';
import type {
  ParamKind,
  ParamRef,
} from '@keelson/apimachinery/types/admissionregistration.k8s.io.v1';
import type { ResourceEndpoint } from '../../registry/resource-endpoint.ts';
import { storageKey, storagePrefix } from '../../registry/store-types.ts';

/** Reads parameters; asked at each request, for definitions of kinds come and go. */
export interface ParamSource {
  /** Undefined when no resource of the kind is served. */
  find(kind: ParamKind): ParamResource | undefined;
}

export interface ParamResource {
  readonly namespaced: boolean;
  get(namespace: string, name: string): Promise<KubeObject | undefined>;
  list(namespace: string): Promise<readonly KubeObject[]>;
}

export function createParamSource(endpoints: () => readonly ResourceEndpoint[]): ParamSource {
  return {
    find({ apiVersion = '', kind = '' }) {
      const gv = parseApiVersion(apiVersion);
      const endpoint = endpoints().find(
        ({ definition, scope }) =>
          scope !== undefined &&
          definition.kind === kind &&
          definition.group === gv?.group &&
          definition.version === gv.version,
      );
      return endpoint && paramResource(endpoint);
    },
  };
}

function paramResource({ definition, scope, conversion }: ResourceEndpoint): ParamResource {
  const shown = async (object: KubeObject): Promise<KubeObject> =>
    conversion === undefined ? object : conversion.fromStored(object);
  return {
    namespaced: definition.namespaced,
    async get(namespace, name) {
      if (scope === undefined) return undefined;
      const entry = await scope.storage.get(storageKey(scope, namespace, name));
      return entry && shown(entry.object);
    },
    async list(namespace) {
      if (scope === undefined) return [];
      const { entries } = await scope.storage.list(storagePrefix(scope, namespace));
      return Promise.all(entries.map(({ object }) => shown(object)));
    },
  };
}

/** Why the parameters of a binding cannot be had. The policy's failure policy decides what follows. */
export class ParamError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ParamError';
  }
}

export interface ParamRequest {
  readonly resource: ParamResource;
  readonly ref: ParamRef;
  /** Of the request; empty outside of namespaces. */
  readonly namespace: string;
}

/** All parameters that the binding refers to; none where it allows that there are none. */
export async function collectParams(request: ParamRequest): Promise<readonly KubeObject[]> {
  const { resource, ref } = request;
  const namespace = namespaceOf(request);
  const found = ref.name
    ? await resource.get(namespace, ref.name)
    : await listSelected(resource, namespace, ref);
  const params = Array.isArray(found) ? found : found === undefined ? [] : [found as KubeObject];
  if (params.length === 0 && ref.parameterNotFoundAction === 'Deny') {
    throw new ParamError('no params found for policy binding with `Deny` parameterNotFoundAction');
  }
  return params;
}

function namespaceOf({ resource, ref, namespace }: ParamRequest): string {
  if (!resource.namespaced) {
    if (!ref.namespace) return '';
    throw new ParamError(
      'paramRef.namespace must not be provided for a cluster-scoped `paramKind`',
    );
  }
  const found = ref.namespace || namespace;
  if (found !== '') return found;
  throw new ParamError(
    'cannot use namespaced paramRef in policy binding that matches cluster-scoped resources',
  );
}

async function listSelected(
  resource: ParamResource,
  namespace: string,
  { selector }: ParamRef,
): Promise<readonly KubeObject[]> {
  const matcher = compileLabelSelector(selector ?? {});
  const all = await resource.list(namespace);
  return all.filter(({ metadata }) => matcher.matches(metadata.labels ?? {}));
}
