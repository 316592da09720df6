// What is missed without each of the controllers. Whoever adds one says here what it is good for.

import type { ControllerName } from '../../controller-list.ts';
import { credentialSymptoms } from './credentials.ts';
import { objectSymptoms } from './objects.ts';
import { schedulingSymptoms } from './scheduling.ts';
import { serviceAndNodeSymptoms } from './services-and-nodes.ts';
import type { Symptom } from './symptom.ts';
import { volumeSymptoms } from './volumes.ts';
import { workloadSymptoms } from './workloads.ts';

export const symptoms: Readonly<Record<ControllerName, Symptom>> = {
  ...objectSymptoms,
  ...workloadSymptoms,
  ...credentialSymptoms,
  ...serviceAndNodeSymptoms,
  ...volumeSymptoms,
  ...schedulingSymptoms,
};
