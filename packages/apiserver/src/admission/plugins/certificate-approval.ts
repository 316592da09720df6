// CertificateApproval: who updates `approval` of a CertificateSigningRequest, to approve or to
// deny, needs the verb `approve` for its signer. The signer is that of the new object, so that
// nobody approves one request as if it were another.

import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { admissionForbidden, type AdmissionPlugin } from '../admission.ts';
import { asKind, handling, isAbout } from '../request-match.ts';
import { mayActForSigner } from '../../authorization/signer-permission.ts';

export function createCertificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    handles: handling('UPDATE'),
    async validate(attributes) {
      if (attributes.subresource !== 'approval' || attributes.object === undefined) return;
      if (!isAbout(attributes, 'certificates.k8s.io', 'certificatesigningrequests')) return;
      const { signerName } = asKind<CertificateSigningRequest>(attributes.object).spec;
      if (await mayActForSigner(authorizer, attributes, 'approve', signerName)) return;
      throw admissionForbidden(
        attributes,
        `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`,
      );
    },
  };
}
