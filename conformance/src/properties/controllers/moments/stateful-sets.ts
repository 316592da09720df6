// StatefulSets: one after the other, from the first up, and down from the last.

import type { StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import {
  fail,
  isActive,
  isEnding,
  isOver,
  isReady,
  lose,
  namespace,
  newImage,
  run,
  set,
  take,
  template,
  vanish,
  type Scenario,
} from './scenario.ts';

const resource = { group: 'apps', version: 'v1', resource: 'statefulsets' };
const ordinalOf = ({ metadata }: Pod) => Number(metadata.name?.split('-').at(-1));
const imageOf = ({ spec }: Pick<Pod, 'spec'>) => spec?.containers?.[0]?.image;

const ordered: Scenario = {
  name: 'a StatefulSet makes its pods in order, and takes the last first',
  kinds: ['apps/statefulsets', '/pods'],
  start: () => ({
    begin: (client) =>
      client
        .resource<StatefulSet>(resource)
        .namespace(namespace)
        .create({
          metadata: { name: 'db' },
          spec: {
            replicas: 3,
            serviceName: 'db',
            selector: { matchLabels: { app: 'x' } },
            template: template(),
          },
        }),
    moves: [
      newImage({ resource, name: 'db' }, ['one', 'two']),
      set({ resource, name: 'db' }, 'replicas', [0, 1, 2, 4]),
      run,
      run,
      run,
      run,
      run,
      run,
      lose,
      fail,
      take,
      vanish,
      vanish,
    ],
    wrong({ id, type, object, before }, scene, byHand) {
      if (id !== '/pods') return undefined;
      const [set] = scene.of<StatefulSet>('apps/statefulsets');
      const pod = object as unknown as Pod;
      const old = before as Pod | undefined;
      const ordinal = ordinalOf(pod);
      const others = scene.of<Pod>('/pods').filter((one) => ordinalOf(one) !== ordinal);
      if (type === 'ADDED') {
        const lower = others.filter((one) => ordinalOf(one) < ordinal);
        const inService = lower.filter((one) => isReady(one) && isActive(one));
        if (inService.length < ordinal) return `${ordinal} begins before those below are ready`;
        if (ordinal >= (set?.spec?.replicas ?? 1)) return `${ordinal} is not wanted`;
        return undefined;
      }
      const isTaken = old !== undefined && !isEnding(old) && (isEnding(pod) || type === 'DELETED');
      // A pod that has ended is made anew, wherever it stands.
      if (!isTaken || isOver(old) || byHand.has(pod.metadata.uid ?? '')) return undefined;
      const higher = others.filter((one) => ordinalOf(one) > ordinal);
      if (ordinal >= (set?.spec?.replicas ?? 1))
        return higher.length > 0 ? `${ordinal} goes before those above` : undefined;
      const wanted = set?.spec === undefined ? undefined : imageOf(set.spec.template);
      if (imageOf(pod) === wanted) return `${ordinal} is taken, and is as it should be`;
      const isDone = (one: Pod) => isReady(one) && isActive(one) && imageOf(one) === wanted;
      return higher.every(isDone) ? undefined : `${ordinal} is renewed before those above`;
    },
  }),
};

export const statefulSets: readonly Scenario[] = [ordered];
