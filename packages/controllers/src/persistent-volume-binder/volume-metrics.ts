// What kube-controller-manager counts of volumes and claims: how many there are, and how many of
// them have found each other.

import type { PersistentVolume, PersistentVolumeClaim } from '@keelson/apimachinery/types/core.v1';
import type { Informer } from '@keelson/client';
import { countBy, type ControllerMetrics } from '../machinery/controller-metrics.ts';
import { volumePluginName } from '../volumes/plugin-name.ts';
import { classOf } from './match-volume.ts';

interface Counted {
  readonly volumes: Pick<Informer<PersistentVolume>, 'store'>;
  readonly claims: Pick<Informer<PersistentVolumeClaim>, 'store'>;
}

/** Returns what ends it. */
export function countVolumes(
  metrics: ControllerMetrics,
  { volumes, claims }: Counted,
): readonly (() => void)[] {
  const gauge = (name: string, what: string, read: Parameters<ControllerMetrics['counted']>[2]) =>
    metrics.counted(`pv_collector_${name}`, `[ALPHA] Gauge measuring ${what}`, read);
  const bound = (is: boolean) => (is ? 'bound' : 'unbound');
  return [
    gauge('total_pv_count', 'total number of persistent volumes', () =>
      countBy(volumes.store.list(), (volume) => ({
        plugin_name: volumePluginName(volume),
        volume_mode: volume.spec?.volumeMode ?? 'Filesystem',
      })),
    ),
    ...[true, false].flatMap((is) => [
      gauge(`${bound(is)}_pv_count`, `number of persistent volume currently ${bound(is)}`, () =>
        countBy(
          volumes.store.list().filter(({ status }) => (status?.phase === 'Bound') === is),
          ({ spec }) => ({ storage_class: spec?.storageClassName ?? '' }),
        ),
      ),
      gauge(
        `${bound(is)}_pvc_count`,
        `number of persistent volume claim currently ${bound(is)}`,
        () =>
          countBy(
            claims.store.list().filter(({ status }) => (status?.phase === 'Bound') === is),
            (claim) => ({
              namespace: claim.metadata.namespace ?? '',
              storage_class: classOf(claim),
              volume_attributes_class: claim.spec?.volumeAttributesClassName ?? '',
            }),
          ),
      ),
    ]),
  ];
}

/** To be told whether a claim from before there was a default class could be given it. */
export function createDefaultClassMetrics(metrics: ControllerMetrics): (isGiven: boolean) => void {
  const total = metrics.counter(
    'retroactive_storageclass_total',
    '[ALPHA] Total number of retroactive StorageClass assignments to persistent volume claim',
  );
  const errors = metrics.counter(
    'retroactive_storageclass_errors_total',
    '[ALPHA] Total number of failed retroactive StorageClass assignments to persistent volume claim',
  );
  return (isGiven) => {
    total.add({});
    if (!isGiven) errors.add({});
  };
}
