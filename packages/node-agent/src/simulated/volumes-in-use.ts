// Which volumes the pods of a node use that have to be attached to it, as it says in its status: as
// long as it says so, nobody detaches them.

import { hasRunning } from './pod-life.ts';
import type { PodRecord } from './pod-record.ts';
import { attachableVolumesOf, type StorageLookup } from './node-storage.ts';

export interface VolumesInUse {
  /** The pod has come, or made a step. */
  update(record: PodRecord): void;
  /** Its object is gone. */
  remove(record: PodRecord): void;
  /** In order. */
  names(): readonly string[];
}

/** `onChange`: other volumes are in use than before. */
export function createVolumesInUse(storage: StorageLookup, onChange: () => void): VolumesInUse {
  const used = new Map<PodRecord, readonly string[]>();
  const set = (record: PodRecord, names: readonly string[]) => {
    const before = used.get(record) ?? [];
    if (names.length === 0) used.delete(record);
    else used.set(record, names);
    if (before.join() !== names.join()) onChange();
  };
  return {
    update(record) {
      const isOver = record.finalPhase !== undefined && !hasRunning(record);
      const now = isOver ? [] : attachableVolumesOf(record.pod, storage);
      // What was mounted stays so, whatever becomes of its claim meanwhile.
      set(record, isOver ? [] : [...new Set([...(used.get(record) ?? []), ...now])]);
    },
    remove: (record) => set(record, []),
    names: () => [...new Set([...used.values()].flat())].toSorted(),
  };
}
