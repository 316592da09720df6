// What kube-controller-manager counts of attachments: volumes that pods use, those that are
// attached and are to be, and those that were taken from a node that used them.

import {
  countBy,
  type ControllerMetrics,
  type MetricLabels,
} from '../machinery/controller-metrics.ts';
import { volumeNameOf } from '../volumes/attachments.ts';
import { volumePluginName } from '../volumes/plugin-name.ts';
import { claimKeysOf } from '../volumes/pod-claims.ts';
import { podsByNode, type AttachDetachObjects } from './attach-detach-tools.ts';
import { isAttached, type ForcedReason } from './attachment-state.ts';

/** Returns what ends it. */
export function countAttachments(
  metrics: ControllerMetrics,
  objects: AttachDetachObjects,
): readonly (() => void)[] {
  return [
    metrics.counted(
      'storage_count_attachable_volumes_in_use',
      '[ALPHA] Measure number of volumes in use',
      () => countBy(volumesInUse(objects), (labels) => labels),
    ),
    metrics.counted(
      'attachdetach_controller_total_volumes',
      '[ALPHA] Number of volumes in A/D Controller',
      () => countBy([...desired(objects), ...actual(objects)], (labels) => labels),
    ),
  ];
}

/** To be told of each volume that a node loses though it uses it. */
export function createForcedMetrics(metrics: ControllerMetrics): (reason: ForcedReason) => void {
  const counter = metrics.counter(
    'attachdetach_controller_forced_detaches',
    '[ALPHA] Number of times the A/D Controller performed a forced detach',
  );
  return (reason) => counter.add({ reason });
}

function volumesInUse({ pods, claims, volumes }: AttachDetachObjects): readonly MetricLabels[] {
  return pods.store.list().flatMap((pod) => {
    const { nodeName: node = '' } = pod.spec ?? {};
    if (node === '') return [];
    return claimKeysOf(pod).flatMap((key) => {
      const slash = key.indexOf('/');
      const claim = claims.store.get(key.slice(0, slash), key.slice(slash + 1));
      const volume = volumes.store.get('', claim?.spec?.volumeName ?? '');
      return volume?.spec?.csi === undefined
        ? []
        : [{ node, volume_plugin: volumePluginName(volume) }];
    });
  });
}

function desired(objects: AttachDetachObjects): readonly MetricLabels[] {
  return objects.volumes.store.list().flatMap((volume) => {
    const labels = { plugin_name: volumePluginName(volume), state: 'desired_state_of_world' };
    return Array.from(podsByNode(objects, volume), () => labels);
  });
}

function actual({ attachments, volumes }: AttachDetachObjects): readonly MetricLabels[] {
  return attachments.store.list().flatMap((attachment) => {
    const volume = volumes.store.get('', volumeNameOf(attachment));
    if (volume === undefined || !isAttached(attachment)) return [];
    return [{ plugin_name: volumePluginName(volume), state: 'actual_state_of_world' }];
  });
}
