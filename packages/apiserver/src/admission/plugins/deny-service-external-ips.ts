// DenyServiceExternalIPs (off): no service gets an external IP that it did not have, because
// whoever may set one may take over other services' traffic (CVE-2020-8554). Those that it has may
// stay.

import type { Service } from '@keelson/apimachinery/types/core.v1';
import { admissionForbidden, type AdmissionPlugin } from '../admission.ts';
import { asKind, handling, isMainResource } from '../request-match.ts';

export function createDenyServiceExternalIps(): AdmissionPlugin {
  return {
    name: 'DenyServiceExternalIPs',
    handles: handling('CREATE', 'UPDATE'),
    validate(attributes) {
      if (attributes.object === undefined || !isMainResource(attributes, '', 'services')) return;
      const { oldObject } = attributes;
      const old = oldObject === undefined ? [] : externalIpsOf(asKind<Service>(oldObject));
      const wanted = externalIpsOf(asKind<Service>(attributes.object));
      if (wanted.some((ip) => !old.includes(ip)))
        throw admissionForbidden(attributes, 'Use of external IPs is denied by admission control');
    },
  };
}

function externalIpsOf(service: Service): readonly string[] {
  return service.spec?.externalIPs ?? [];
}
