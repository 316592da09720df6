// Whether what a pod refers to is there: looked at when the pod comes, and again, less and less
// often, as long as something is missing.

import type { NodeSurroundings } from './node-surroundings.ts';
import type { PodRecord } from './pod-record.ts';
import type { ReferenceReader } from './pod-references.ts';
import type { PodWriterOptions } from './pod-writer.ts';

export interface PodInspectionOptions extends Pick<
  PodWriterOptions,
  'now' | 'timetable' | 'onError'
> {
  readonly references: ReferenceReader;
  readonly surroundings: NodeSurroundings;
}

export interface PodInspection {
  begin(record: PodRecord): void;
  forget(record: PodRecord): void;
}

interface Inspection {
  times: number;
}

const retryFirstMs = 500;
/** As a kubelet's back-off for volumes: two minutes and two seconds. */
const retryMaxMs = 122_000;

/** `onResult`: the record knows more than before. */
export function createPodInspection(
  options: PodInspectionOptions,
  onResult: (record: PodRecord) => void,
): PodInspection {
  const { now, timetable, references, surroundings } = options;
  const all = new Map<PodRecord, Inspection>();
  const look = async (record: PodRecord, inspection: Inspection) => {
    const again = () => {
      const delay = Math.min(retryFirstMs * 2 ** inspection.times, retryMaxMs);
      inspection.times++;
      timetable.set(inspection, now() + delay, () => void look(record, inspection));
    };
    try {
      const { volumes, config } = await references.inspect(record.pod);
      if (all.get(record) !== inspection) return;
      if (volumes !== undefined && volumes !== record.volumeProblem)
        surroundings.emit(record, { type: 'Warning', reason: 'FailedMount', message: volumes });
      record.volumesKnown = true;
      record.volumeProblem = volumes;
      record.configProblems = config;
      if (volumes !== undefined || config.size > 0) again();
      else all.delete(record);
    } catch (error) {
      if (all.get(record) !== inspection) return;
      options.onError(error, record.pod);
      again();
    }
    onResult(record);
  };
  return {
    begin(record) {
      const inspection = { times: 0 };
      all.set(record, inspection);
      void look(record, inspection);
    },
    forget(record) {
      const inspection = all.get(record);
      all.delete(record);
      if (inspection !== undefined) timetable.set(inspection, undefined, () => {});
    },
  };
}
