// SecurityContextDeny (off, gone since 1.30; behind the gate SecurityContextDeny from 1.27 on):
// pods that set certain fields of security contexts are refused: for the pod supplementalGroups,
// seLinuxOptions, runAsUser and fsGroup, for containers of every kind seLinuxOptions and runAsUser.
// Its successor is PodSecurity.

import { allContainers } from '../../registry/core/pod-spec/visit-containers.ts';
import { statusErrors } from '@keelson/apimachinery';
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts';
import { handling, podOf } from '../request-match.ts';

/** Field and its name in messages, in the order in which they are checked. */
const podFields = [
  ['supplementalGroups', 'SupplementalGroups'],
  ['seLinuxOptions', 'SELinuxOptions'],
  ['runAsUser', 'RunAsUser'],
  ['fsGroup', 'FSGroup'],
] as const;
const containerFields = [
  ['seLinuxOptions', 'SELinuxOptions'],
  ['runAsUser', 'RunAsUser'],
] as const;

export function createSecurityContextDeny(): AdmissionPlugin {
  return {
    name: 'SecurityContextDeny',
    handles: handling('CREATE', 'UPDATE'),
    validate(attributes) {
      const pod = podOf(attributes);
      if (pod === undefined) return;
      const own = pod.spec.securityContext ?? {};
      for (const [field, name] of podFields)
        if (own[field] !== undefined) refuse(attributes, `pod.Spec.SecurityContext.${name}`);
      for (const { securityContext = {} } of allContainers(pod.spec))
        for (const [field, name] of containerFields)
          if (securityContext[field] !== undefined) refuse(attributes, `SecurityContext.${name}`);
    },
  };
}

function refuse(attributes: AdmissionAttributes, what: string): never {
  const name = attributes.object?.metadata.name ?? '';
  throw statusErrors.forbidden(attributes.gvr, name, `${what} is forbidden`);
}
