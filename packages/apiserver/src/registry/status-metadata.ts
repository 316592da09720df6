// Some kinds let writers of status change nothing of the metadata: whoever may report must not be
// able to relabel an object or drop its finalizers.

import type { KubeObject } from '@keelson/apimachinery';

const fields = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

/** Takes the metadata that a status update must not change from `old`. */
export function keepMetadata({ metadata }: KubeObject, old: KubeObject): void {
  for (const field of fields) {
    if (old.metadata[field] === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: old.metadata[field] });
  }
}
