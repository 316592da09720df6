// A request of a pod for a certificate, with the proof that its kubelet has the key.

import { generateKeyPairSync, sign } from 'node:crypto';
import type { KubeObject } from '@keelson/apimachinery';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const podUID = 'pod-uid';

/** `version`: in which requests are served. */
export const podCertificateRequests = (version = 'v1beta1') => ({
  group: 'certificates.k8s.io',
  version,
  resource: 'podcertificaterequests',
});

export function podCertificateRequest(name: string): KubeObject & Record<string, unknown> {
  return {
    metadata: { name },
    spec: {
      signerName: 'example.com/signer',
      podName: 'p',
      podUID,
      serviceAccountName: 'default',
      serviceAccountUID: 'account-uid',
      nodeName: 'n',
      nodeUID: 'node-uid',
      pkixPublicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      proofOfPossession: sign('sha256', Buffer.from(podUID), privateKey).toString('base64'),
    },
  };
}
