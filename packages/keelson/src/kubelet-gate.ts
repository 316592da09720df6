// Who may ask a simulated kubelet for what, found out as kubelets do with authentication and
// authorization by webhook (KEP-2862): a client certificate of the cluster's authority or a bearer
// token that a TokenReview knows, and a SubjectAccessReview for each subresource of the node that
// the request may count as. The metrics API answers the aggregator of the API server alone.
//
// SECURITY: nobody is anonymous here, and nothing is remembered: a right that was taken away is
// gone with the next request.

import { noDecisionTrace, type Clock } from '@keelson/apimachinery';
import type { TokenReview } from '@keelson/apimachinery/types/authentication.k8s.io.v1';
import type { SubjectAccessReview } from '@keelson/apimachinery/types/authorization.k8s.io.v1';
import {
  createClientCertificateAuthenticator,
  kubeletAttributes,
  kubeletErrorText,
  kubeletForbiddenText,
  peerCertificates,
  withAuthenticatedGroup,
  type Features,
  type UserInfo,
} from '@keelson/apiserver';
import type { Client } from '@keelson/client';
import type { KubeletCall, KubeletGate, Refusal } from '@keelson/node-agent';
import { frontProxyName, type Pki } from './pki.ts';

export interface KubeletGateOptions {
  readonly pki: Pki;
  /** Asks for reviews, as a node may. */
  readonly client: Client;
  readonly features: Features;
  readonly clock: Clock;
}

const tokenReviews = { group: 'authentication.k8s.io', version: 'v1', resource: 'tokenreviews' };
const accessReviews = {
  group: 'authorization.k8s.io',
  version: 'v1',
  resource: 'subjectaccessreviews',
};
const unauthorized: Refusal = [401, 'Unauthorized'];
const forbidden: Refusal = [403, 'Forbidden'];
const bearer = /^Bearer +(\S+)$/i;

export function createKubeletGate(options: KubeletGateOptions): KubeletGate {
  const { pki, clock, features } = options;
  const certified = (clientCa: string) => {
    const authenticator = createClientCertificateAuthenticator({ clientCa, clock, features });
    return ({ socket }: KubeletCall): UserInfo | undefined => {
      const connection = { peerCertificates: () => peerCertificates(socket) };
      const result = authenticator.authenticate(connection, noDecisionTrace);
      return result.outcome === 'authenticated' ? withAuthenticatedGroup(result.user) : undefined;
    };
  };
  const ofCluster = certified(pki.authority.certificatePem);
  const ofFrontProxy = certified(pki.frontProxy.authorityPem);
  return async (call) => {
    if (call.api === 'metrics') {
      const caller = ofFrontProxy(call);
      if (caller === undefined) return ofCluster(call) === undefined ? unauthorized : forbidden;
      return caller.name === frontProxyName ? undefined : forbidden;
    }
    const user = ofCluster(call) ?? (await ofToken(call, options));
    if (user === undefined) return unauthorized;
    return call.node === undefined
      ? [404, 'there is no such node here']
      : refusalOf(user, { ...call, node: call.node }, options);
  };
}

async function ofToken(
  { authorization = '' }: KubeletCall,
  { client }: KubeletGateOptions,
): Promise<UserInfo | undefined> {
  const token = bearer.exec(authorization)?.[1];
  if (token === undefined) return undefined;
  const { status } = await client
    .resource<TokenReview>(tokenReviews)
    .create({ metadata: {}, spec: { token } });
  const { username = '', uid = '', groups, extra } = status?.user ?? {};
  if (status?.authenticated !== true) return undefined;
  return { name: username, uid, groups: groups ?? [], extra: extra ?? {} };
}

async function refusalOf(
  user: UserInfo,
  { method, path, node }: KubeletCall & { readonly node: string },
  { client, features }: KubeletGateOptions,
): Promise<Refusal | undefined> {
  const asked = kubeletAttributes({ method, path }, { nodeName: node, features });
  const reviews = client.resource<SubjectAccessReview>(accessReviews);
  for (const attributes of asked) {
    const { verb, version, resource, subresource, name } = attributes;
    const resourceAttributes = { verb, version, resource, subresource, name };
    const { name: userName, uid, groups, extra } = user;
    const spec = {
      user: userName,
      uid,
      groups: [...groups],
      extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])),
      resourceAttributes,
    };
    try {
      const { status } = await reviews.create({ metadata: {}, spec });
      if (status?.allowed === true) return undefined;
    } catch {
      return [500, kubeletErrorText(userName, attributes)];
    }
  }
  return [403, kubeletForbiddenText(user.name, asked, features)];
}
