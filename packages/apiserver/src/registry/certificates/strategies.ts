// The strategies of the certificates.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { certificateSigningRequestStrategy } from './certificatesigningrequests/strategy.ts';

export const certificatesStrategies: Readonly<Record<string, Strategy>> = {
  certificatesigningrequests: certificateSigningRequestStrategy as Strategy,
};
