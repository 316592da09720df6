// Who may act for a signer of certificates: the authorizer is asked about the resource `signers` of
// certificates.k8s.io with the name of the signer, and then with `<domain>/*`, which stands for all
// signers of its domain. An authorizer that fails has not allowed.

import type { Authorizer } from '../../authorization/authorizer.ts';
import type { AdmissionAttributes } from '../admission.ts';

export type SignerVerb = 'approve' | 'sign' | 'attest';

export async function mayActForSigner(
  authorizer: Authorizer,
  attributes: AdmissionAttributes,
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
    const answer = await authorizer.authorize(attributes.user, question, attributes.trace);
    if (answer.decision === 'allow') return true;
  }
  return false;
}
