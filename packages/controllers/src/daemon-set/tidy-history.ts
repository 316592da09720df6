// Puts the history of a DaemonSet in order before it is counted with: every revision has the label
// that its pods have, and a template has one revision. Others than this controller may have written
// revisions, or handed them over.

import type { ControllerRevision, DaemonSet } from '@keelson/apimachinery/types/apps.v1';
import type { Pod } from '@keelson/apimachinery/types/core.v1';
import { controllerRevisionsResource, podsResource } from '../machinery/resources.ts';
import { isOfTemplate, type RevisionWrites } from '../revisions/controller-revisions.ts';
import { hashOf, revisionLabel } from './daemon-pod.ts';

export interface DaemonHistory {
  readonly daemonSet: DaemonSet;
  /** The latest comes last. */
  readonly history: readonly ControllerRevision[];
  readonly pods: readonly Pod[];
}

/** Whether anything had to be written, which the cache has to show first. */
export async function tidyHistory(
  { client, signal }: RevisionWrites,
  { daemonSet, history, pods }: DaemonHistory,
): Promise<boolean> {
  const { namespace = '' } = daemonSet.metadata;
  const revisions = client
    .resource<ControllerRevision>(controllerRevisionsResource)
    .namespace(namespace);
  const unlabelled = history.filter((revision) => hashOf(revision) === '');
  for (const revision of unlabelled) {
    const { name = '', labels = {} } = revision.metadata;
    const metadata = { ...revision.metadata, labels: { ...labels, [revisionLabel]: name } };
    await revisions.update({ ...revision, metadata }, { signal });
  }
  if (unlabelled.length > 0) return true;

  const same = history.filter((revision) => isOfTemplate(revision, daemonSet.spec.template));
  const [kept, ...doubles] = same.toReversed();
  if (kept === undefined || doubles.length === 0) return false;
  const hashes = new Set(doubles.map(hashOf));
  const labels = { [revisionLabel]: hashOf(kept) };
  for (const pod of pods.filter((one) => hashes.has(hashOf(one))))
    await client
      .resource<Pod>(podsResource)
      .namespace(namespace)
      .patch(pod.metadata.name ?? '', 'merge', { metadata: { labels } }, { signal });
  for (const { metadata } of doubles) await revisions.delete(metadata.name ?? '', { signal });
  return true;
}
