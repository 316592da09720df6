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
  /** Other volumes are attached to the node than before. */
  attached(): void;
  forget(record: PodRecord): void;
}

interface Inspection {
  readonly since: number;
  times: number;
  /** For volumes to be attached. */
  isWaiting: boolean;
  /** The problem that was told last. */
  said: string | undefined;
}

const retryFirstMs = 500;
/** As a kubelet's back-off for volumes: two minutes and two seconds. */
const retryMaxMs = 122_000;
/** After that a kubelet says that it waits for volumes to be attached: two minutes and three seconds. */
const attachWaitMs = 123_000;

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
      const { volumes, unattached, devices, config } = await references.inspect(record.pod);
      if (all.get(record) !== inspection) return;
      inspection.isWaiting = volumes === undefined && unattached.length > 0;
      const mount = inspection.isWaiting ? waitText(unattached) : volumes;
      // Devices are prepared when the volumes are there.
      const problem = mount ?? devices;
      const reason = mount === undefined ? 'FailedPrepareDynamicResources' : 'FailedMount';
      const isTold = !inspection.isWaiting || now() - inspection.since >= attachWaitMs;
      if (problem !== undefined && isTold && problem !== inspection.said) {
        surroundings.emit(record, { type: 'Warning', reason, message: problem });
        inspection.said = problem;
      }
      record.setupKnown = true;
      record.setupProblem = problem;
      record.configProblems = config;
      if (problem !== undefined || config.size > 0) again();
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
      const inspection = { since: now(), times: 0, isWaiting: false, said: undefined };
      all.set(record, inspection);
      void look(record, inspection);
    },
    attached() {
      for (const [record, inspection] of all)
        if (inspection.isWaiting) void look(record, inspection);
    },
    forget(record) {
      const inspection = all.get(record);
      all.delete(record);
      if (inspection !== undefined) timetable.set(inspection, undefined, () => {});
    },
  };
}

function waitText(volumes: readonly string[]): string {
  const list = `[${volumes.join(' ')}]`;
  const what = `unmounted volumes=${list}, unattached volumes=${list}, failed to process volumes=[]`;
  return `Unable to attach or mount volumes: ${what}: timed out waiting for the condition`;
}
