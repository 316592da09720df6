// A node asks for kubelet certificates in its own name only. Before 1.31 (and with
// AllowInsecureKubeletCertificateSigningRequests) it could ask for those of any node.

import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import { parseCertificateRequest } from '../../../authentication/certificates/certificate-request.ts';
import { asKind } from '../../request-match.ts';
import type { NodeRequest } from './request.ts';

const kubeletSigners: ReadonlySet<string> = new Set([
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/kube-apiserver-client-kubelet',
]);

export function admitCertificateSigningRequest(request: NodeRequest): void {
  const { nodeName, attributes, dependencies, refuse } = request;
  const { operation, subresource, object } = attributes;
  if (dependencies.features.enabled('AllowInsecureKubeletCertificateSigningRequests')) return;
  if (operation !== 'CREATE' || subresource !== '' || object === undefined) return;
  const { spec } = asKind<CertificateSigningRequest>(object);
  if (!kubeletSigners.has(spec?.signerName ?? '')) return;
  const expected = `system:node:${nodeName}`;
  const commonName = commonNameOf(spec?.request, refuse);
  if (commonName !== expected) throw refuse(`can only create a node CSR with CN=${expected}`);
}

function commonNameOf(encoded: unknown, refuse: NodeRequest['refuse']): string {
  try {
    return parseCertificateRequest(Buffer.from(String(encoded ?? ''), 'base64').toString('utf8'))
      .commonName;
  } catch (error) {
    throw refuse(`unable to parse csr: ${error instanceof Error ? error.message : ''}`);
  }
}
