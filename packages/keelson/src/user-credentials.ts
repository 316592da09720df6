// Credentials with which clients over TLS are the user that a test names: the administrator's own,
// the token of a service account, or a client certificate.

import type { Client } from '@keelson/client';
import type { UserSpec } from './in-process-client.ts';
import { formatKubeconfig, type UserCredentials } from './kubeconfig.ts';
import { adminName, type Pki } from './pki.ts';

/** What credentials are made with. The client acts as the administrator. */
export interface CredentialSources {
  readonly pki: Pki;
  readonly client: Client;
}

/**
 * For the server at the URL. Undefined is the administrator. A service account must exist; who it
 * is is said by the server alone. Throws for what neither a token nor a certificate can say of the
 * user, and StatusError as the token request does.
 */
export async function issueKubeconfig(
  sources: CredentialSources,
  server: string,
  user: UserSpec | undefined,
): Promise<string> {
  const { credentials, ...rest } = await issueCredentials(sources, user);
  const certificateAuthorityPem = sources.pki.authority.certificatePem;
  return formatKubeconfig({ server, certificateAuthorityPem, ...rest, ...credentials });
}

interface IssuedCredentials {
  readonly credentials: UserCredentials;
  readonly user: string;
  /** The service account's own. */
  readonly namespace?: string;
}

const serviceAccountName = /^system:serviceaccount:(?<namespace>[^:]+):(?<account>[^:]+)$/;

async function issueCredentials(
  { pki, client }: CredentialSources,
  user: UserSpec | undefined,
): Promise<IssuedCredentials> {
  if (user === undefined) return { credentials: { client: pki.admin }, user: adminName };
  const { name, uid, groups = [], extra = {} } = user;
  if (Object.keys(extra).length > 0)
    throw new TypeError(`credentials of ${JSON.stringify(name)} cannot have extra`);
  const { namespace, account } = serviceAccountName.exec(name)?.groups ?? {};
  if (namespace === undefined || account === undefined) {
    const request = { name, groups, ...(uid !== undefined && { userUid: uid }) };
    return { credentials: { client: pki.authority.issueClient(request) }, user: name };
  }
  if (uid !== undefined || groups.length > 0)
    throw new TypeError('the uid and the groups of a service account are not chosen');
  const token = await requestToken(client, { namespace, account });
  return { credentials: { token }, user: name, namespace };
}

async function requestToken(
  client: Client,
  { namespace, account }: { readonly namespace: string; readonly account: string },
): Promise<string> {
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {},
    spec: {},
  };
  const { status } = await client
    .resource({ group: '', version: 'v1', resource: 'serviceaccounts' })
    .namespace(namespace)
    .create(request, { name: account, subresource: 'token' });
  return (status as { readonly token: string }).token;
}
