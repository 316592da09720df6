// IngressClasses: which controller implements an Ingress.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  IngressClass,
  IngressClassParametersReference,
} from '@keelson/apimachinery/types/networking.k8s.io.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age, noneText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { conforms, immutable, notLongerThan, required } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { domainPrefixedPath } from '../../validation/domain-paths.ts';
import { dns1123Label, dns1123Subdomain, pathSegmentName } from '../../validation/names.ts';

const controllerBytesMax = 250;

export const ingressClassStrategy: Strategy<IngressClass> = {
  applyDefaults({ spec }) {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster';
  },
  prepareForCreate: startGeneration,
  prepareForUpdate(ingressClass, old) {
    const changed = !isSemanticallyEqual(ingressClass.spec, old.spec);
    advanceGeneration(ingressClass, old, changed);
  },
  validate: validateIngressClass,
  validateUpdate(ingressClass, old) {
    const errors: FieldError[] = [];
    const controllers = [ingressClass.spec?.controller ?? '', old.spec?.controller ?? ''] as const;
    immutable(errors, 'spec.controller', controllers);
    return [...errors, ...validateIngressClass(ingressClass)];
  },
  tableCells: (ingressClass, nowMs) => [
    ingressClass.metadata.name,
    ingressClass.spec?.controller ?? '',
    parametersText(ingressClass.spec?.parameters),
    age(ingressClass, nowMs),
  ],
};

function parametersText(parameters: IngressClassParametersReference | undefined): string {
  if (!parameters) return noneText;
  const { apiGroup, kind, name } = parameters;
  return apiGroup ? `${kind}.${apiGroup}/${name}` : `${kind}/${name}`;
}

function validateIngressClass({ spec }: IngressClass): FieldError[] {
  const errors: FieldError[] = [];
  const controller = spec?.controller ?? '';
  notLongerThan(errors, 'spec.controller', controller, controllerBytesMax);
  domainPrefixedPath(errors, 'spec.controller', controller);
  if (spec?.parameters) checkParameters(errors, spec.parameters);
  return errors;
}

function checkParameters(errors: FieldError[], reference: IngressClassParametersReference): void {
  const path = 'spec.parameters';
  const { apiGroup, kind, name, scope, namespace } = reference;
  if (typeof apiGroup === 'string') {
    conforms(errors, `${path}.apiGroup`, apiGroup, dns1123Subdomain);
  }
  if (required(errors, `${path}.kind`, kind, 'kind is required')) {
    conforms(errors, `${path}.kind`, kind, (text) => pathSegmentName(text, false));
  }
  if (required(errors, `${path}.name`, name, 'name is required')) {
    conforms(errors, `${path}.name`, name, (text) => pathSegmentName(text, false));
  }
  if (scope === undefined) {
    errors.push(fieldError.required(`${path}.scope`));
  } else if (scope === 'Namespace') {
    if (namespace === undefined) {
      const why = "`parameters.scope` is set to 'Namespace'";
      errors.push(fieldError.required(`${path}.namespace`, why));
    } else {
      conforms(errors, `${path}.namespace`, namespace, dns1123Label);
    }
  } else if (scope === 'Cluster') {
    if (namespace === undefined) return;
    const why = "`parameters.scope` is set to 'Cluster'";
    errors.push(fieldError.forbidden(`${path}.namespace`, why));
  } else {
    errors.push(fieldError.notSupported(`${path}.scope`, scope, ['Cluster', 'Namespace']));
  }
}
