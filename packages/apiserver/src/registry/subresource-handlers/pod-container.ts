// Which container of a pod is meant: the one that the request names, the annotated default, or the
// only one.

import { statusErrors } from '@keelson/apimachinery';
import type { Pod } from '@keelson/apimachinery/types/core.v1';

const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container';

/** Throws the 400 that says what there is to choose from. */
export function containerOf(pod: Pod, named: string): string {
  const containers = pod.spec?.containers ?? [];
  const initContainers = pod.spec?.initContainers ?? [];
  const all = [...containers, ...initContainers, ...(pod.spec?.ephemeralContainers ?? [])];
  const podName = pod.metadata.name ?? '';
  if (named !== '') {
    if (!all.some((c) => c.name === named))
      throw statusErrors.badRequest(`container ${named} is not valid for pod ${podName}`);
    return named;
  }
  const preferred = pod.metadata.annotations?.[defaultContainerAnnotation];
  if (preferred !== undefined && all.some((c) => c.name === preferred)) return preferred;
  const only = containers[0];
  if (containers.length === 1 && only !== undefined) return only.name;
  if (containers.length === 0)
    throw statusErrors.badRequest(`a container name must be specified for pod ${podName}`);
  const names = containers.map((c) => c.name).join(' ');
  const init = initContainers.map((c) => c.name).join(' ');
  const choices =
    init === ''
      ? `choose one of: [${names}]`
      : `choose one of: [${names}] or one of the init containers: [${init}]`;
  throw statusErrors.badRequest(
    `a container name must be specified for pod ${podName}, ${choices}`,
  );
}
