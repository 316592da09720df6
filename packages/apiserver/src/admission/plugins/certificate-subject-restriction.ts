// CertificateSubjectRestriction: nobody asks the signer kubernetes.io/kube-apiserver-client for a
// certificate of the group system:masters, which no authorizer could take anything from again. A
// request to that signer that cannot be read is refused. The groups are the organizations of the
// certificate request's subject.

import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import { parseCertificateRequest } from '../../authentication/certificates/certificate-request.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { asKind, handling, isMainResource } from '../request-match.ts';

const clientSigner = 'kubernetes.io/kube-apiserver-client';
const mastersGroup = 'system:masters';

export function createCertificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    handles: handling('CREATE'),
    validate(attributes) {
      if (attributes.object === undefined) return;
      if (!isMainResource(attributes, 'certificates.k8s.io', 'certificatesigningrequests')) return;
      const { spec } = asKind<CertificateSigningRequest>(attributes.object);
      if (spec.signerName !== clientSigner) return;
      if (organizationsOf(attributes, spec.request ?? '').includes(mastersGroup))
        throw admissionForbidden(
          attributes,
          `use of ${clientSigner} signer with ${mastersGroup} group is not allowed`,
        );
    },
  };
}

/** `request` is PEM in the base64 of JSON. */
function organizationsOf(attributes: AdmissionAttributes, request: string): readonly string[] {
  try {
    return parseCertificateRequest(Buffer.from(request, 'base64').toString('latin1')).organizations;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw admissionForbidden(attributes, `failed to parse CSR: ${why}`);
  }
}
