// LimitPodHardAntiAffinityTopology (off): a pod may keep other pods away from its own machine, but
// not from a whole zone or anything else. Every term of
// affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution must have the topology
// key kubernetes.io/hostname. Preferences are free.

import { admissionForbidden, type AdmissionPlugin } from '../admission.ts';
import { handling, podOf } from '../request-match.ts';

const hostname = 'kubernetes.io/hostname';

export function createLimitPodHardAntiAffinityTopology(): AdmissionPlugin {
  return {
    name: 'LimitPodHardAntiAffinityTopology',
    handles: handling('CREATE', 'UPDATE'),
    validate(attributes) {
      const antiAffinity = podOf(attributes)?.spec.affinity?.podAntiAffinity;
      const terms = antiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
      const other = terms.find((term) => term.topologyKey !== hostname);
      if (other === undefined) return;
      throw admissionForbidden(
        attributes,
        `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${other.topologyKey} ` +
          `but only key ${hostname} is allowed`,
      );
    },
  };
}
