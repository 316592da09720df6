// CertificateSigning: who changes the certificate or the conditions in `status` of a
// CertificateSigningRequest needs the verb `sign` for its signer, as the stored object names it.

import { jsonEqual, type JsonObject } from '@keelson/apimachinery';
import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import type { Authorizer } from '../../authorization/authorizer.ts';
import { admissionForbidden, type AdmissionPlugin } from '../admission.ts';
import { asKind, handling, isAbout } from '../request-match.ts';
import { mayActForSigner } from '../../authorization/signer-permission.ts';

export function createCertificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    handles: handling('UPDATE'),
    async validate(attributes) {
      const { object, oldObject } = attributes;
      if (attributes.subresource !== 'status' || object === undefined) return;
      if (!isAbout(attributes, 'certificates.k8s.io', 'certificatesigningrequests')) return;
      const wanted = asKind<CertificateSigningRequest>(object);
      const old = oldObject && asKind<CertificateSigningRequest>(oldObject);
      if (old !== undefined && isSameResult(wanted, old)) return;
      const { signerName } = (old ?? wanted).spec;
      if (await mayActForSigner(authorizer, attributes, 'sign', signerName)) return;
      throw admissionForbidden(
        attributes,
        `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`,
      );
    },
  };
}

function isSameResult(a: CertificateSigningRequest, b: CertificateSigningRequest): boolean {
  if ((a.status?.certificate ?? '') !== (b.status?.certificate ?? '')) return false;
  const [conditions, others] = [a.status?.conditions ?? [], b.status?.conditions ?? []];
  return jsonEqual(conditions as JsonObject[], others as JsonObject[]);
}
