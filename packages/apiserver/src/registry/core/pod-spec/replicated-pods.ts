// What ReplicaSets and their ancestor, ReplicationControllers, have in common: a number of pods of
// one template. They differ in how they select pods.

import { copyJson } from '@keelson/apimachinery';
import type { KubeObject } from '@keelson/apimachinery';
import type { ReplicaSetStatus } from '@keelson/apimachinery/types/apps.v1';
import type {
  PodTemplateSpec,
  ReplicationControllerStatus,
} from '@keelson/apimachinery/types/core.v1';
import { advanceGeneration, startGeneration } from '../../generation.ts';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import type { Errors } from '../../validation/checks.ts';
import { isSemanticallyEqual } from '../../validation/equality.ts';
import { nameIsDns1123Subdomain } from '../../validation/names.ts';
import { dropDisabledPodFields } from './disabled-fields.ts';
import { nonNegativeCounters, withinReplicas } from './workload-status.ts';
import { containerCells } from './workload.ts';

type ReplicaStatus = ReplicaSetStatus | ReplicationControllerStatus;
interface ReplicatedPods extends KubeObject {
  spec: { replicas?: number; template?: PodTemplateSpec };
  status?: ReplicaStatus;
}

type SharedPart =
  | 'nameRule'
  | 'prepareForCreate'
  | 'prepareForUpdate'
  | 'tableCells'
  | 'resetFields'
  | 'subresources';

/** `selectorText` is the last cell of a table row. */
export function replicatedPods<T extends ReplicatedPods>(
  selectorText: (object: T) => string,
): Pick<Strategy<T>, SharedPart> {
  return {
    nameRule: nameIsDns1123Subdomain,
    prepareForCreate(object, { features }) {
      object.status = { replicas: 0 };
      startGeneration(object);
      const template = object.spec.template?.spec;
      if (template) dropDisabledPodFields(template, undefined, features);
    },
    prepareForUpdate(object, old, { features }) {
      object.status = copyJson(old.status);
      const template = object.spec.template?.spec;
      if (template) dropDisabledPodFields(template, old.spec.template?.spec, features);
      advanceGeneration(object, old, !isSemanticallyEqual(object.spec, old.spec));
    },
    tableCells: (object, nowMs) => [
      object.metadata.name ?? '',
      object.spec.replicas ?? 0,
      object.status?.replicas ?? 0,
      object.status?.readyReplicas ?? 0,
      age(object, nowMs),
      ...containerCells(object.spec.template),
      selectorText(object),
    ],
    resetFields: [['status']],
    subresources: {
      status: {
        prepareForUpdate(object, old) {
          object.spec = copyJson(old.spec);
        },
        validateUpdate: ({ status }) => validateStatus(status ?? { replicas: 0 }),
        resetFields: [['spec']],
      },
    },
  };
}

function validateStatus(status: ReplicaStatus): Errors {
  const errors: Errors = [];
  const parts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const;
  const others = ['terminatingReplicas', 'observedGeneration'] as const;
  nonNegativeCounters(errors, status, ['replicas', ...parts, ...others]);
  withinReplicas(errors, status, [...parts]);
  return errors;
}
