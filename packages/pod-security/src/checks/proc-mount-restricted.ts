// procMount_restricted (restricted): the default masks of /proc must stay on, also in a user
// namespace.
//
// Fields, allowed values: as procMount, without the exemption of spec.hostUsers=false.
// Versions: 1.35, when the baseline check became weaker. Overrides procMount.

import type { Check } from '../check.ts';
import { procMountSince1_0 } from './proc-mount.ts';

export const procMountRestricted: Check = {
  id: 'procMount_restricted',
  level: 'restricted',
  versions: [{ minimumVersion: 35, checkPod: procMountSince1_0, overrides: ['procMount'] }],
};
