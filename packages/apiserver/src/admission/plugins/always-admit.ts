// AlwaysAdmit (off): admits everything, as if it were not there. Kept because old configurations
// name it.

import type { AdmissionPlugin } from '../admission.ts';

export function createAlwaysAdmit(): AdmissionPlugin {
  return { name: 'AlwaysAdmit', handles: () => true, mutate() {}, validate() {} };
}
