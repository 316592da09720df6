// A play of one controller: what is there at the beginning, what users may ask for, and what must
// hold after each write. Machines are played here: pods run, lose their health, end, are lost.

import type { GroupVersionResource, JsonValue, Random } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';
import type { Moment, Scene } from './history.ts';

export interface Scenario {
  readonly name: string;
  /** As `group/resource`: what it has to see. */
  readonly kinds: readonly string[];
  /** Rolls the dice for what does not change during one life. */
  start(random: Random): Play;
}

export interface Play {
  begin(client: Client): Promise<unknown>;
  /** What users ask for. */
  readonly moves: readonly Move[];
  /** What may not be, in words. `byHand`: uids of what a user has deleted. */
  wrong(moment: Moment, scene: Scene, byHand: ReadonlySet<string>): string | undefined;
}

export type Move = (stage: Stage) => Promise<unknown>;

export interface Stage {
  readonly client: Client;
  readonly random: Random;
  /** What is deleted here has to be named here first. */
  readonly byHand: Set<string>;
}

export const namespace = 'one';
export const podResource = { group: '', version: 'v1', resource: 'pods' };
export const template = (image = 'one') => ({
  metadata: { labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image }] },
});

export function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random.float() * list.length)] as T;
}

export const isReady = ({ status }: Pod): boolean =>
  status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
export const isOver = ({ status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed';
export const isEnding = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
export const isActive = (pod: Pod): boolean => !isOver(pod) && !isEnding(pod);
/** Whose pod it is. */
export const keeperOf = ({ metadata: { ownerReferences = [] } }: Pod): string | undefined =>
  ownerReferences.find(({ controller }) => controller === true)?.uid;

interface Kept {
  readonly resource: GroupVersionResource;
  readonly name: string;
}
/** A user wants another image, or one of those before again. */
export const newImage =
  ({ resource, name }: Kept, images: readonly string[]): Move =>
  ({ client, random }) =>
    client
      .resource(resource)
      .namespace(namespace)
      .patch(name, 'strategic', { spec: { template: template(pick(images, random)) } });
/** A user sets a field of the spec. */
export const set =
  <T extends JsonValue>({ resource, name }: Kept, field: string, values: readonly T[]): Move =>
  ({ client, random }) =>
    client
      .resource(resource)
      .namespace(namespace)
      .patch(name, 'merge', { spec: { [field]: pick(values, random) } });

const ready = (status: 'True' | 'False') => ({ conditions: [{ type: 'Ready', status }] });
const ended = (exitCode: number) => ({
  containerStatuses: [
    {
      name: 'c',
      image: '',
      imageID: '',
      ready: false,
      restartCount: 0,
      state: { terminated: { exitCode } },
    },
  ],
});

/** One pod starts to run. */
export const run: Move = (stage) =>
  setStatus(stage, (pod) => isActive(pod) && !isReady(pod), {
    phase: 'Running',
    ...ready('True'),
  });
/** Two thirds of those that have to go are gone. */
export const vanish: Move = async ({ client, random }) => {
  for (const pod of await podsOf(client, isEnding))
    if (random.float() < 0.66)
      await pods(client).delete(pod.metadata.name ?? '', { gracePeriodSeconds: 0 });
};
export const lose: Move = (stage) => setStatus(stage, isReady, ready('False'));
export const succeed: Move = (stage) =>
  setStatus(stage, (pod) => isReady(pod) && !isOver(pod), { phase: 'Succeeded', ...ended(0) });
export const fail: Move = (stage) =>
  setStatus(stage, (pod) => !isOver(pod), { phase: 'Failed', ...ended(1) });
/** A user deletes one pod. */
export const take: Move = async ({ client, random, byHand }) => {
  const pod = pick(await podsOf(client, isActive), random) as Pod | undefined;
  if (pod === undefined) return;
  byHand.add(pod.metadata.uid ?? '');
  await pods(client).delete(pod.metadata.name ?? '');
};

const pods = (client: Client) => client.resource<Pod>(podResource).namespace(namespace);

async function podsOf(client: Client, which: (pod: Pod) => boolean): Promise<Pod[]> {
  return (await pods(client).list()).items.filter(which);
}

async function setStatus({ client, random }: Stage, which: (pod: Pod) => boolean, status: object) {
  const pod = pick(await podsOf(client, which), random) as Pod | undefined;
  if (pod === undefined) return;
  // Machines are asked to by a node that the pod is on; a pod may be nowhere for these rules.
  const { name = '' } = pod.metadata;
  await pods(client).patch(name, 'strategic', JSON.parse(JSON.stringify({ status })), {
    subresource: 'status',
  });
}
