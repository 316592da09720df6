// Claims that are made from templates, one for each reference of a pod: named after both, owned by the
// pod, and found again by an annotation.

import type { Pod } from '@keelson/apimachinery/types/core.v1';
import type {
  ResourceClaim,
  ResourceClaimTemplate,
} from '@keelson/apimachinery/types/resource.k8s.io.v1';
import type { Informer } from '@keelson/client';
import { errorText, type ControllerContext } from '../machinery/controller.ts';
import { controllerReference, dependentsOf, indexByController } from '../machinery/ownership.ts';
import { podsResource, resourceClaimsResource } from '../machinery/resources.ts';
import { createCreationMetrics, hasAdminAccess, podClaimAnnotation } from './claim-metrics.ts';

export const fieldManager = 'ResourceClaimController';
const podKind = { apiVersion: 'v1', kind: 'Pod', resource: podsResource };
/** Of the name, for what the server adds. */
const baseLengthMax = 57;
/** Claims whose creation the informer may not have told yet. */
const madeMax = 1_024;

export interface WantedClaim {
  readonly pod: Pod;
  readonly reference: string;
  readonly template: string;
}

export interface GeneratedClaims {
  /** The name of the claim that was made for the reference, or is made now. */
  claimFor(wanted: WantedClaim, signal: AbortSignal): Promise<string>;
  /** The informer has told that it is gone. */
  forget(claim: ResourceClaim): void;
}

export function createGeneratedClaims(
  { client, metrics, isEnabled }: ControllerContext,
  {
    claims,
    templates,
  }: {
    readonly claims: Informer<ResourceClaim>;
    readonly templates: Informer<ResourceClaimTemplate>;
  },
): GeneratedClaims {
  /** Made, but perhaps not seen yet: `pod uid/reference` → name. */
  const made = new Map<string, string>();
  const countCreation = createCreationMetrics(metrics);
  indexByController(claims);
  return {
    async claimFor(wanted, signal) {
      const { pod, reference } = wanted;
      const { namespace = '', uid = '' } = pod.metadata;
      const madeKey = `${uid}/${reference}`;
      const existing = dependentsOf(claims, pod).find(
        ({ metadata }) => metadata.annotations?.[podClaimAnnotation] === reference,
      );
      if (existing?.metadata.name !== undefined) return existing.metadata.name;
      const unseen = made.get(madeKey);
      if (unseen !== undefined && claims.store.get(namespace, unseen) === undefined) return unseen;
      const claim = claimOf(wanted, templates);
      if (hasAdminAccess(claim) && !isEnabled('DRAAdminAccess'))
        throw new Error('admin access is requested, but the feature is disabled');
      try {
        const { metadata } = await client
          .resource<ResourceClaim>(resourceClaimsResource)
          .namespace(namespace)
          .create(claim, { fieldManager, signal });
        countCreation(claim, true);
        if (made.size >= madeMax) made.clear();
        made.set(madeKey, metadata.name ?? '');
        return metadata.name ?? '';
      } catch (error) {
        countCreation(claim, false);
        // COMPAT: it has no name yet, and the text a place for it.
        throw new Error(`create ResourceClaim : ${errorText(error)}`, { cause: error });
      }
    },
    forget({ metadata }) {
      for (const [key, name] of made) if (name === metadata.name) made.delete(key);
    },
  };
}

function claimOf(
  { pod, reference, template: templateName }: WantedClaim,
  templates: Informer<ResourceClaimTemplate>,
): ResourceClaim {
  const { namespace = '', name: podName = '' } = pod.metadata;
  const template = templates.store.get(namespace, templateName);
  if (template === undefined) {
    const why = `resourceclaimtemplate.resource.k8s.io "${templateName}" not found`;
    throw new Error(`resource claim template "${templateName}": ${why}`);
  }
  const { metadata: { labels = {}, annotations = {} } = {}, spec } = template.spec;
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: {
      generateName: generatedName(podName, reference),
      namespace,
      labels: { ...labels },
      annotations: { ...annotations, [podClaimAnnotation]: reference },
      ownerReferences: [controllerReference(podKind, pod)],
    },
    spec: structuredClone(spec),
  };
}

/** COMPAT: of long names both are cut, so that something of each is left, and the end is without -. */
function generatedName(podName: string, reference: string): string {
  const whole = `${podName}-${reference}-`;
  if (whole.length <= baseLengthMax) return whole;
  const part = (name: string) =>
    name.slice(0, Math.floor((name.length * baseLengthMax) / whole.length));
  return `${part(podName)}-${part(reference)}`;
}
