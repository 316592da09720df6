// API versions that are deprecated, with the warning that every request for them gets
// (https://kubernetes.io/docs/reference/using-api/deprecation-guide/, KEP-1693).

import type { ResourceDefinition } from '@keelson/apimachinery';
import type { Features } from '../features/features.ts';
import { lifecycleOf } from '../registry/api-versions/lifecycle.ts';

interface Deprecation {
  /** Minor release since which the version is deprecated. */
  readonly since: number;
  /** Minor release that no longer serves it. */
  readonly unavailableIn?: number;
  /** `group/version Kind` to use instead. */
  readonly replacement?: string;
}

/** By `apiVersion Kind`. */
const deprecations: Readonly<Record<string, Deprecation>> = {
  'v1 ComponentStatus': { since: 19 },
  'v1 Endpoints': { since: 33, replacement: 'discovery.k8s.io/v1 EndpointSlice' },
};

export function deprecationWarning(
  definition: ResourceDefinition,
  features: Features,
): string | undefined {
  const apiVersion =
    definition.group === '' ? definition.version : `${definition.group}/${definition.version}`;
  const found = deprecations[`${apiVersion} ${definition.kind}`] ?? fromLifecycle(definition);
  if (found === undefined || features.emulated.minor < found.since) return undefined;
  const gone =
    found.unavailableIn === undefined ? '' : `, unavailable in v1.${found.unavailableIn}+`;
  const instead = found.replacement === undefined ? '' : `; use ${found.replacement}`;
  return `${apiVersion} ${definition.kind} is deprecated in v1.${found.since}+${gone}${instead}`;
}

function fromLifecycle(definition: ResourceDefinition): Deprecation | undefined {
  const { deprecated, removed, replacement } = lifecycleOf(definition) ?? {};
  if (deprecated === undefined) return undefined;
  return {
    since: deprecated,
    ...(removed === undefined ? {} : { unavailableIn: removed }),
    ...(replacement === undefined ? {} : { replacement: `${replacement} ${definition.kind}` }),
  };
}
