// hostNamespaces (baseline): the pod must not share namespaces with the host.
//
// Fields: spec.hostNetwork, spec.hostPID, spec.hostIPC.
// Allowed: false, unset.
// Versions: 1.0.

import type { Check, CheckPod } from '../check.ts';
import { forbiddenField } from '../field-error.ts';

const since1_0: CheckPod = (_metadata, spec) => {
  if (spec.hostNetwork !== true && spec.hostPID !== true && spec.hostIPC !== true) return undefined;
  const shared: string[] = [];
  if (spec.hostNetwork === true) shared.push('hostNetwork');
  if (spec.hostPID === true) shared.push('hostPID');
  if (spec.hostIPC === true) shared.push('hostIPC');
  return {
    reason: 'host namespaces',
    detail: shared.map((field) => `${field}=true`).join(', '),
    fieldErrors: shared.map((field) => forbiddenField(`spec.${field}`, true)),
  };
};

export const hostNamespaces: Check = {
  id: 'hostNamespaces',
  level: 'baseline',
  versions: [{ minimumVersion: 0, checkPod: since1_0 }],
};
