// The scale subresource of whatever an autoscaler points at.

import { isStatusError, parseApiVersion, type KubeObject } from '@keelson/apimachinery';
import type { HorizontalPodAutoscaler } from '@keelson/apimachinery/types/autoscaling.v2';
import type { DiscoveredResource } from '@keelson/client';
import type { ControllerContext } from '../machinery/controller.ts';
import type { ResourceMapping } from '../machinery/resource-mapping.ts';
import { requestErrorText } from './request-error.ts';

interface Scale extends KubeObject {
  spec?: { replicas?: number };
  status?: { replicas?: number; selector?: string };
}
export interface TargetScale {
  readonly namespace: string;
  readonly resource: DiscoveredResource;
  readonly object: Scale;
  readonly specReplicas: number;
  readonly statusReplicas: number;
  readonly selector: string;
}
interface ScaleTools {
  readonly context: ControllerContext;
  readonly mapping: ResourceMapping;
}

export async function readScale(
  tools: ScaleTools,
  { metadata, spec }: HorizontalPodAutoscaler,
  signal: AbortSignal,
): Promise<TargetScale> {
  const { apiVersion = '', kind, name } = spec.scaleTargetRef;
  const version = parseApiVersion(apiVersion);
  if (version === undefined) throw new Error(`unexpected GroupVersion string: ${apiVersion}`);
  // The version is not asked for: autoscalers outlive those of their targets.
  const resource = await tools.mapping.resourceOfKind({ group: version.group, kind }, signal);
  return fetchScale(tools, { namespace: metadata.namespace ?? '', resource, name }, signal);
}

async function fetchScale(
  { context }: ScaleTools,
  where: Pick<TargetScale, 'namespace' | 'resource'> & { readonly name: string },
  signal: AbortSignal,
): Promise<TargetScale> {
  const { namespace, resource, name } = where;
  const object = await context.client
    .resource<Scale>(resource)
    .namespace(namespace)
    .get(name, { subresource: 'scale', signal })
    .catch((error: unknown) => {
      const text = requestErrorText(error, `${resource.resource} ${name}`);
      throw new Error(text, { cause: error });
    });
  return {
    namespace,
    resource,
    object,
    specReplicas: object.spec?.replicas ?? 0,
    statusReplicas: object.status?.replicas ?? 0,
    selector: object.status?.selector ?? '',
  };
}

/** Somebody may write the target meanwhile: the scale is read again then. */
const attemptsMax = 5;

export async function writeScale(
  tools: ScaleTools,
  scale: TargetScale,
  { replicas, signal }: { readonly replicas: number; readonly signal: AbortSignal },
): Promise<void> {
  let latest = scale;
  for (let attempt = 1; ; attempt++) {
    const { namespace, resource, object } = latest;
    try {
      await tools.context.client
        .resource<Scale>(resource)
        .namespace(namespace)
        .update(
          { ...object, spec: { ...object.spec, replicas } },
          { subresource: 'scale', signal },
        );
      return;
    } catch (error) {
      if (!isStatusError(error, 'Conflict') || attempt === attemptsMax) throw error;
      const name = object.metadata.name ?? '';
      latest = await fetchScale(tools, { namespace, resource, name }, signal);
    }
  }
}
