// The strategies of the certificates.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import type { MaySign } from './podcertificaterequests/strategy.ts';
import { certificateSigningRequestStrategy } from './certificatesigningrequests/strategy.ts';
import { clusterTrustBundleStrategy } from './clustertrustbundles/strategy.ts';
import { createPodCertificateRequestStrategy } from './podcertificaterequests/strategy.ts';

export function createCertificatesStrategies(maySign: MaySign): Readonly<Record<string, Strategy>> {
  return {
    certificatesigningrequests: certificateSigningRequestStrategy as Strategy,
    clustertrustbundles: clusterTrustBundleStrategy as Strategy,
    podcertificaterequests: createPodCertificateRequestStrategy(maySign) as Strategy,
  };
}
