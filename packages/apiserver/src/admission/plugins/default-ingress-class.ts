// DefaultIngressClass: a new ingress that names no class, neither by field nor by the old
// annotation kubernetes.io/ingress.class, gets the default one: the class that says so by
// annotation; of several the newest, then the first by name; without any the ingress stays as it
// is.

import type { Ingress } from '@keelson/apimachinery/types/networking.k8s.io.v1';
import type { ObjectSource } from '../../object-source.ts';
import type { AdmissionPlugin } from '../admission.ts';
import { newestByAnnotation } from '../default-class.ts';
import { asKind, handling, isMainResource } from '../request-match.ts';

const oldClassAnnotation = 'kubernetes.io/ingress.class';
const isDefaultKeys = ['ingressclass.kubernetes.io/is-default-class'];

export function createDefaultIngressClass(ingressClasses: ObjectSource): AdmissionPlugin {
  return {
    name: 'DefaultIngressClass',
    handles: handling('CREATE'),
    mutate(attributes) {
      if (!isMainResource(attributes, 'networking.k8s.io', 'ingresses')) return;
      if (attributes.object === undefined) return;
      const ingress = asKind<Ingress>(attributes.object);
      if (ingress.metadata.annotations?.[oldClassAnnotation] !== undefined) return;
      if (ingress.spec?.ingressClassName !== undefined) return;
      const byDefault = newestByAnnotation(ingressClasses, isDefaultKeys);
      if (byDefault === undefined) return;
      const spec = (ingress.spec ??= {});
      spec.ingressClassName = byDefault.metadata.name ?? '';
    },
  };
}
