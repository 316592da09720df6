// The options of a write as the admission chain sees them: CreateOptions, UpdateOptions,
// PatchOptions or DeleteOptions, as an object.

import type { KubeObject } from '@keelson/apimachinery';
import type { WriteOptions } from './query-options.ts';

export function optionsObject(
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  options: WriteOptions & { force?: boolean | undefined },
): KubeObject {
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(options.dryRun ? { dryRun: ['All'] } : {}),
    ...(options.force === undefined ? {} : { force: options.force }),
    ...(options.fieldManager === '' ? {} : { fieldManager: options.fieldManager }),
    fieldValidation: options.fieldValidation,
  } as unknown as KubeObject;
}
