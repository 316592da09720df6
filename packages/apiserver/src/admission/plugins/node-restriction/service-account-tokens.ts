// Tokens that a node requests are for pods that run on it, by uid, and (from 1.33 on) for audiences
// that such a pod names: in projected volumes, or through the drivers of its volumes. Other
// audiences need the permission `request-serviceaccounts-token-audience` on the audience.

import { quoteGo, type KubeObject } from '@keelson/apimachinery';
import type { TokenRequest } from '@keelson/apimachinery/types/authentication.k8s.io.v1';
import { nodeNameOfPod } from '../../../authorization/node/pod-references.ts';
import { asKind } from '../../request-match.ts';
import { audienceInPod } from './pod-audiences.ts';
import { existing, type NodeRequest } from './request.ts';

export async function admitServiceAccountToken(request: NodeRequest): Promise<void> {
  const { nodeName, attributes, dependencies, refuse } = request;
  const { operation, subresource, namespace, object } = attributes;
  if (operation !== 'CREATE' || subresource !== 'token' || object === undefined) return;
  const { spec } = asKind<TokenRequest>(object);
  const reference = spec?.boundObjectRef;
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name)
    throw refuse('node requested token not bound to a pod');
  if (!reference.uid) throw refuse('node requested token with a pod binding without a uid');
  const pod = existing(dependencies.pods, 'pods', { namespace, name: reference.name });
  if (pod.metadata.uid !== reference.uid)
    throw refuse(
      `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  if (nodeNameOfPod(pod) !== nodeName)
    throw refuse('node requested token bound to a pod scheduled on a different node');
  if (dependencies.features.enabled('ServiceAccountNodeAudienceRestriction'))
    await checkAudience(request, pod, spec?.audiences ?? []);
}

async function checkAudience(
  request: NodeRequest,
  pod: KubeObject,
  audiences: readonly string[],
): Promise<void> {
  const { nodeName, attributes, dependencies, refuse } = request;
  if (audiences.length > 1) throw refuse('node may only request 0 or 1 audiences');
  const audience = audiences[0] ?? '';
  const quoted = quoteGo(audience);
  const search = audienceInPod(pod, audience, dependencies);
  if (search.found) return;
  if (search.problem !== undefined)
    throw refuse(`error validating audience ${quoted}: ${search.problem}`);
  const question = {
    isResource: true,
    verb: 'request-serviceaccounts-token-audience',
    namespace: attributes.namespace,
    group: '',
    version: 'v1',
    resource: audience,
    subresource: '',
    name: attributes.name,
  } as const;
  const { user, trace } = attributes;
  const result = await dependencies.authorizer.authorize(user, question, trace);
  if (result.decision === 'allow') return;
  const who = `system:node:${nodeName}`;
  const what = 'to request tokens for this audience';
  throw refuse(
    result.evaluationError === undefined
      ? `audience ${quoted} not found in pod spec volume, ${who} is not authorized ${what}`
      : `audience ${quoted} not found in pod spec volume, error authorizing ${who} ${what}: ${result.evaluationError}`,
  );
}
