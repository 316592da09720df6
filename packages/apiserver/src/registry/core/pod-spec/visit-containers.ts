// All containers of a pod in the order in which Kubernetes visits them: init, regular, ephemeral.

import type { Container, EphemeralContainer, PodSpec } from '@keelson/apimachinery/types/core.v1';

export { isRestartableInitContainer } from '@keelson/apimachinery';

export type AnyContainer = Container | EphemeralContainer;

/** The three lists of containers with the name of the field that holds them. */
export function containerLists(spec: PodSpec): [field: string, list: readonly AnyContainer[]][] {
  return [
    ['initContainers', spec.initContainers ?? []],
    ['containers', spec.containers ?? []],
    ['ephemeralContainers', spec.ephemeralContainers ?? []],
  ];
}

export function allContainers(spec: PodSpec): AnyContainer[] {
  return containerLists(spec).flatMap(([, list]) => list);
}

/** Every container with its path, e.g. `spec.initContainers[0]`. */
export function* containersWithPath(
  spec: PodSpec,
  path: string,
): Generator<[container: AnyContainer, path: string]> {
  for (const [field, list] of containerLists(spec)) {
    for (const [i, container] of list.entries()) yield [container, `${path}.${field}[${i}]`];
  }
}
