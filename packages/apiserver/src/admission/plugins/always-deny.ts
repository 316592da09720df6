// AlwaysDeny (off): refuses every request that changes something or connects. For tests of what
// comes before it.

import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';

export function createAlwaysDeny(): AdmissionPlugin {
  const refuse = (attributes: AdmissionAttributes): never => {
    throw admissionForbidden(attributes, 'admission control is denying all modifications');
  };
  return { name: 'AlwaysDeny', handles: () => true, mutate: refuse, validate: refuse };
}
