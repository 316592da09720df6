// Who may act for a signer of certificates: the authorizer is asked about the resource `signers` of
// certificates.k8s.io with the name of the signer, and then with `<domain>/*`, which stands for all
// signers of its domain. An authorizer that fails has not allowed.

import { noDecisionTrace, type DecisionTrace } from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';
import type { Authorizer } from './authorizer.ts';

export type SignerVerb = 'approve' | 'sign' | 'attest';

export interface SignerCaller {
  readonly user: UserInfo;
  readonly trace?: DecisionTrace;
}

export async function mayActForSigner(
  authorizer: Authorizer,
  { user, trace = noDecisionTrace }: SignerCaller,
  verb: SignerVerb,
  signerName: string,
): Promise<boolean> {
  const domain = signerName.split('/', 1)[0] ?? '';
  for (const name of [signerName, `${domain}/*`]) {
    const question = {
      isResource: true,
      verb,
      namespace: '',
      group: 'certificates.k8s.io',
      version: '*',
      resource: 'signers',
      subresource: '',
      name,
    } as const;
    const answer = await authorizer.authorize(user, question, trace);
    if (answer.decision === 'allow') return true;
  }
  return false;
}
