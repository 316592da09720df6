// hostPathVolumes (baseline): no directory of the host may be mounted.
//
// Fields: spec.volumes[*].hostPath.
// Allowed: unset.
// Versions: 1.0.

import { createViolations, type Check, type CheckPod, type Violations } from '../check.ts';
import { forbiddenField } from '../field-error.ts';
import { joinQuoted, plural } from '../wording.ts';

const since1_0: CheckPod = (_metadata, spec) => {
  const volumes = spec.volumes ?? undefined;
  if (volumes === undefined) return undefined;
  let bad: Violations | undefined;
  for (let i = 0; i < volumes.length; i++) {
    const volume = volumes[i];
    if ((volume?.['hostPath'] ?? undefined) === undefined) continue;
    bad ??= createViolations();
    bad.values.push(volume?.name ?? '');
    bad.fieldErrors.push(forbiddenField(`spec.volumes[${i}].hostPath`));
  }
  if (bad === undefined) return undefined;
  return {
    reason: 'hostPath volumes',
    detail: `${plural('volume', 'volumes', bad.values.length)} ${joinQuoted(bad.values)}`,
    fieldErrors: bad.fieldErrors,
  };
};

export const hostPathVolumes: Check = {
  id: 'hostPathVolumes',
  level: 'baseline',
  versions: [{ minimumVersion: 0, checkPod: since1_0 }],
};
