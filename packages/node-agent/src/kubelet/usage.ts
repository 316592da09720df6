// What pods and nodes use, as their behaviour says: the numbers of the metrics API, of
// `/stats/summary` and of `/metrics/resource`.

import { usageAt } from '../simulated/container-behaviour.ts';
import type { PodRecord } from '../simulated/pod-record.ts';
import { isRunning } from '../simulated/pod-record.ts';

export interface Usage {
  /** Cores. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
}
export interface ContainerUsage extends Usage {
  readonly name: string;
}

/** The node itself: kubelet, runtime and system. */
const nodeItself: Usage = { cpu: 0.05, memory: 256 * 1024 * 1024 };

export function podUsage(record: PodRecord, now: number): ContainerUsage[] {
  return record.containers.filter(isRunning).map(({ spec, phase, behaviour }) => ({
    name: spec.name,
    cpu: usageAt(behaviour.cpu, now - phase.startedAt),
    memory: usageAt(behaviour.memory, now - phase.startedAt),
  }));
}

export function nodeUsage(records: readonly PodRecord[], now: number): Usage {
  let { cpu, memory } = nodeItself;
  for (const record of records)
    for (const used of podUsage(record, now)) {
      cpu += used.cpu;
      memory += used.memory;
    }
  return { cpu, memory };
}

/** As metrics-server writes them. */
export function quantitiesOf({ cpu, memory }: Usage): { cpu: string; memory: string } {
  return { cpu: `${Math.round(cpu * 1e9)}n`, memory: `${Math.round(memory / 1024)}Ki` };
}
