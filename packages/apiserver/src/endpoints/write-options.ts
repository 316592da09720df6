// The options of a write as the admission chain sees them, as an object. A patch is admitted as what
// it turns out to be, a creation or an update.

import type { KubeObject } from '@keelson/apimachinery';
import type { WriteOptions } from './query-options.ts';

export function optionsObject(
  kind: 'CreateOptions' | 'UpdateOptions',
  { dryRun, fieldManager, fieldValidationGiven }: WriteOptions,
): KubeObject {
  return {
    kind,
    apiVersion: 'meta.k8s.io/v1',
    ...(dryRun && { dryRun: ['All'] }),
    ...(fieldManager !== '' && { fieldManager }),
    ...(fieldValidationGiven !== '' && { fieldValidation: fieldValidationGiven }),
  } as unknown as KubeObject;
}
