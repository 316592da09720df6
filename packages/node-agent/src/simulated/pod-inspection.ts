// Whether what a pod refers to is there: looked at when the pod comes, and again, less and less
// often, as long as something is missing.

import { warning } from './container-trouble.ts';
import type { NodeSurroundings } from './node-surroundings.ts';
import type { PodRecord } from './pod-record.ts';
import type { PreparedDevices } from './prepared-devices.ts';
import type { ReferenceProblems, ReferenceReader } from './pod-references.ts';
import type { PodWriterOptions } from './pod-writer.ts';

export interface PodInspectionOptions extends Pick<
  PodWriterOptions,
  'now' | 'timetable' | 'onError'
> {
  readonly references: ReferenceReader;
  readonly surroundings: NodeSurroundings;
  readonly devices: Pick<PreparedDevices, 'use'>;
}

export interface PodInspection {
  begin(record: PodRecord): void;
  /** Other volumes are attached to the node than before. */
  attached(): void;
  forget(record: PodRecord): void;
}

interface Inspection {
  times: number;
  /** For volumes to be attached. */
  isWaiting: boolean;
  /** When the kubelet says that its patience with volumes is at an end. */
  outOfPatienceAt: number;
}

/** From the news of a pod to the first look at its volumes. */
const beginMs = 20;
const retryFirstMs = 500;
/** As a kubelet's back-off for volumes: two minutes and two seconds. */
const retryMaxMs = 122_000;
/** So long a kubelet waits for volumes before it says so: two minutes and three seconds. */
const patienceMs = 123_000;

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
      const found = await references.inspect(record.pod);
      if (all.get(record) !== inspection) return;
      const trouble = troubleOf(found, inspection.outOfPatienceAt <= now());
      if (trouble?.isOutOfPatience === true) inspection.outOfPatienceAt = now() + patienceMs;
      inspection.isWaiting = trouble?.isWaiting === true;
      for (const message of trouble?.messages ?? [])
        surroundings.emit(record, warning(trouble?.reason ?? '', message));
      record.isSetUp = trouble === undefined;
      record.configProblems = found.config;
      if (trouble === undefined && typeof found.devices !== 'string')
        options.devices.use(record, found.devices);
      if (trouble !== undefined || found.config.size > 0) again();
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
      const outOfPatienceAt = now() + patienceMs;
      const inspection = { times: 0, isWaiting: false, outOfPatienceAt };
      all.set(record, inspection);
      timetable.set(inspection, now() + beginMs, () => void look(record, inspection));
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

interface SetupTrouble {
  readonly reason: 'FailedMount' | 'FailedPrepareDynamicResources';
  readonly messages: readonly string[];
  /** For volumes to be attached. */
  readonly isWaiting?: boolean;
  readonly isOutOfPatience?: boolean;
}

/** Undefined when everything is there. Devices are prepared when the volumes are mounted. */
function troubleOf(found: ReferenceProblems, isLate: boolean): SetupTrouble | undefined {
  const { claim, mounts, unattached, devices } = found;
  const reason = 'FailedMount';
  if (claim !== undefined) {
    const failed = { unmounted: [claim.volume], unattached: [], failed: [claim.volume] };
    return { reason, messages: [unableText({ ...failed, why: claim.why })] };
  }
  if (mounts.size + unattached.length > 0) {
    const unmounted = [...new Set([...mounts.keys(), ...unattached])].toSorted();
    const late = { unmounted, unattached, failed: [], why: 'context deadline exceeded' };
    const messages = [...mounts.values(), ...(isLate ? [unableText(late)] : [])];
    return { reason, messages, isWaiting: unattached.length > 0, isOutOfPatience: isLate };
  }
  if (typeof devices !== 'string') return undefined;
  return { reason: 'FailedPrepareDynamicResources', messages: [devices] };
}

interface UnmountedVolumes {
  readonly unmounted: readonly string[];
  readonly unattached: readonly string[];
  readonly failed: readonly string[];
  readonly why: string;
}

function unableText({ unmounted, unattached, failed, why }: UnmountedVolumes): string {
  const list = (names: readonly string[]) => `[${names.join(' ')}]`;
  const volumes = `unmounted volumes=${list(unmounted)}, unattached volumes=${list(unattached)}`;
  const processed = `failed to process volumes=${list(failed)}`;
  return `Unable to attach or mount volumes: ${volumes}, ${processed}: ${why}`;
}
