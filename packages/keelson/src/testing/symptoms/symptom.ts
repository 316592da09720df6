// What a user would notice if one controller did not run: something is done, time passes, and what
// is then seen depends on that controller.

import { setImmediate } from 'node:timers/promises';
import {
  isStatusError,
  type GroupVersionResource,
  type KubeObject,
  type SimulatedClock,
} from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client, ResourceClient } from '@keelson/client';
import type { ClusterOptions } from '../../create-cluster.ts';
import { core, find } from '../simulated-cluster.ts';

export interface Symptom {
  /** Where the controller runs, or has something to do, only then. */
  readonly options?: Omit<ClusterOptions, 'controllers'>;
  /** What the user does; it may let time pass. */
  act(scene: Scene): Promise<unknown>;
  /** What the user sees afterwards, in a few words. */
  see(scene: Scene): Promise<string>;
  readonly with: string;
  readonly without: string;
}

export interface Scene {
  readonly client: Client;
  readonly clock: SimulatedClock;
  /** Moves the date on without letting time pass. */
  readonly leap: (ms: number) => void;
  /** Objects of the namespace `default`, or of the one that is named. */
  in<T extends KubeObject>(resource: GroupVersionResource, namespace?: string): ResourceClient<T>;
  /** Lets time pass, and work that is done on other threads come back. */
  pass(ms: number): Promise<void>;
}

export function createScene(parts: Pick<Scene, 'client' | 'clock' | 'leap'>): Scene {
  const { client, clock } = parts;
  const steps = 20;
  return {
    ...parts,
    in: (resource, namespace = 'default') => client.resource<never>(resource).namespace(namespace),
    async pass(ms) {
      for (let step = 0; step < steps; step++) {
        await clock.advance(ms / steps);
        await setImmediate();
      }
    },
  };
}

/** How the object stands: `gone`, `Terminating` or `there`. */
export async function stateOf(resource: ResourceClient, name: string): Promise<string> {
  const object = await find(resource, name);
  if (object === undefined) return 'gone';
  return object.metadata.deletionTimestamp === undefined ? 'there' : 'Terminating';
}

/**
 * What the API says to it: `done`, or the message of its refusal. Time passes meanwhile: admission
 * may wait for what it misses, and the client tries again what it is told to try later.
 */
export async function answerTo(scene: Scene, action: Promise<unknown>): Promise<string> {
  let isAnswered = false;
  const answer = action.finally(() => (isAnswered = true));
  try {
    await Promise.all([
      answer,
      (async () => {
        while (!isAnswered) await scene.pass(1_000);
      })(),
    ]);
    return 'done';
  } catch (error) {
    if (!isStatusError(error)) throw error;
    return error.status.details?.causes?.[0]?.message ?? error.message;
  }
}

/** `2 pods`: how many there are. */
export async function count(scene: Scene, resource: GroupVersionResource): Promise<string> {
  return `${(await scene.in(resource).list()).items.length} ${resource.resource}`;
}

const labels = { app: 'web' };

export const podSpec = { containers: [{ name: 'c', image: 'app' }] };

/** A workload of two pods. */
export function workload(selector: object = { matchLabels: labels }): KubeObject {
  const template = { metadata: { labels }, spec: podSpec };
  return { metadata: { name: 'web' }, spec: { replicas: 2, selector, template } };
}

export function createPod(scene: Scene, name: string, namespace = 'default'): Promise<Pod> {
  return scene
    .in<Pod>(core('pods'), namespace)
    .create({ metadata: { name, labels }, spec: podSpec });
}
