// PodGroupProtection (gate GenericWorkload): pod groups start with a finalizer, so that they stay
// while they have pods. Their protection controller takes it off again.

import type { Features } from '../../features/features.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { isAbout } from '../request-match.ts';

const finalizer = 'scheduling.k8s.io/podgroup-protection';

export function createPodGroupProtection(features: Features): AdmissionPlugin {
  const isOn = features.enabled('GenericWorkload');
  return {
    name: 'PodGroupProtection',
    handles: (operation) => isOn && operation === 'CREATE',
    mutate(attributes) {
      const { object } = attributes;
      if (object === undefined || !isAbout(attributes, 'scheduling.k8s.io', 'podgroups')) return;
      const present = object.metadata.finalizers ?? [];
      if (!present.includes(finalizer)) object.metadata.finalizers = [...present, finalizer];
    },
  };
}
