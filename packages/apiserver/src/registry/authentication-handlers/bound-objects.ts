// What a token may be bound to: a pod of the service account, a secret of its namespace, or a node.
// The token carries the uid that the object has now, and for a pod the node on which it runs.

import { parseApiVersion, statusErrors, type KubeObject } from '@keelson/apimachinery';
import type { ServiceAccountObjects } from '../../authentication/service-accounts/bound-token.ts';
import type { ObjectClaim } from '../../authentication/service-accounts/token-claims.ts';
import type { TokenContents } from '../../authentication/service-accounts/token-issuer.ts';
import type { Features } from '../../features/features.ts';

export interface BoundObjectReference {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly name?: string;
  readonly uid?: string;
}

type Bound = Pick<TokenContents, 'pod' | 'node' | 'secret'>;

export interface BoundObjectDependencies {
  readonly objects: ServiceAccountObjects;
  readonly features: Features;
}

/** Looks the object up. Throws the StatusError to answer when it cannot be bound to. */
export function resolveBoundObject(
  { objects, features }: BoundObjectDependencies,
  reference: BoundObjectReference | undefined,
  scope: { readonly namespace: string; readonly serviceAccountName: string },
): Bound {
  if (reference === undefined) return {};
  const { group, version } = parseApiVersion(reference.apiVersion ?? '') ?? {
    group: '',
    version: '',
  };
  const { kind = '', name = '' } = reference;
  if (group === '' && kind === 'Pod') {
    const pod = found(objects.pods.get(scope.namespace, name), 'pods', name);
    const spec = pod['spec'] as PodSpec | undefined;
    if (spec?.serviceAccountName !== scope.serviceAccountName)
      throw statusErrors.badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(scope.serviceAccountName)} to pod running with different serviceaccount name.`,
      );
    const node = features.enabled('ServiceAccountTokenPodNodeInfo')
      ? nodeClaim(objects, spec.nodeName)
      : undefined;
    return { pod: claim(pod, reference), ...(node === undefined ? {} : { node }) };
  }
  if (group === '' && kind === 'Node') {
    if (!features.enabled('ServiceAccountTokenNodeBinding'))
      throw statusErrors.badRequest(
        'cannot bind token to a Node object as the "ServiceAccountTokenNodeBinding" feature-gate is disabled',
      );
    return { node: claim(found(objects.nodes.get('', name), 'nodes', name), reference) };
  }
  if (group === '' && kind === 'Secret') {
    const secret = found(objects.secrets.get(scope.namespace, name), 'secrets', name);
    return { secret: claim(secret, reference) };
  }
  throw statusErrors.badRequest(
    `cannot bind token to object of type ${group}/${version}, Kind=${kind}`,
  );
}

interface PodSpec {
  readonly serviceAccountName?: string;
  readonly nodeName?: string;
}

function found(object: KubeObject | undefined, resource: string, name: string): KubeObject {
  if (object === undefined) throw statusErrors.notFound({ group: '', resource }, name);
  return object;
}

/** Name only, when the node has no object. */
function nodeClaim(
  { nodes }: ServiceAccountObjects,
  name: string | undefined,
): ObjectClaim | undefined {
  return name ? { name, uid: nodes.get('', name)?.metadata.uid ?? '' } : undefined;
}

function claim(
  { metadata }: KubeObject,
  { kind = '', name = '', uid }: BoundObjectReference,
): ObjectClaim {
  if (uid && uid !== metadata.uid)
    throw statusErrors.conflict(
      { group: '', resource: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  return { name, uid: metadata.uid ?? '' };
}
