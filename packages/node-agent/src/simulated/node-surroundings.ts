// What the steps of a pod's life need from their node, and how they say what happens. Steps are
// synchronous: everything that takes time is a date in the record and a later step.

import type { Random } from '@keelson/apimachinery';
import type { CrashBackoff } from './crash-backoff.ts';
import type { KubeletTexts } from './kubelet-texts.ts';
import type { ContainerRecord, PodRecord } from './pod-record.ts';

export interface NodeEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface NodeSurroundings {
  readonly random: Random;
  readonly texts: KubeletTexts;
  readonly crashBackoff: CrashBackoff;
  readonly images: NodeImages;
  /** Since when the node shuts down; undefined: it does not. */
  readonly shutdownSince: () => number | undefined;
  /** About a pod, or one of its containers. */
  emit(record: PodRecord, event: NodeEvent, container?: ContainerRecord): void;
}

export interface NodeImages {
  has(image: string): boolean;
  add(image: string): void;
  /** Made up, but always the same for an image. */
  sizeOf(image: string): number;
  /** In full, as the container runtime calls it. */
  nameOf(image: string): string;
  idOf(image: string): string;
}

/** One moment in the life of one pod. */
export interface Moment {
  readonly record: PodRecord;
  readonly now: number;
  readonly node: NodeSurroundings;
  /** Calls for another step at that time, at the latest. */
  wakeAt(ms: number): void;
}
