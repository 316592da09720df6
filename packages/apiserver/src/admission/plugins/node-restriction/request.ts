// What the checks of NodeRestriction share: the request of a node, and where they look things up.

import { statusErrors, type KubeObject, type StatusError } from '@keelson/apimachinery';
import type { Authorizer } from '../../../authorization/authorizer.ts';
import type { Features } from '../../../features/features.ts';
import type { ObjectSource } from '../../../object-source.ts';
import type { AdmissionAttributes } from '../../admission.ts';

export interface NodeRestrictionDependencies {
  readonly features: Features;
  readonly pods: ObjectSource;
  readonly nodes: ObjectSource;
  readonly serviceAccounts: ObjectSource;
  readonly persistentVolumeClaims: ObjectSource;
  readonly persistentVolumes: ObjectSource;
  readonly csiDrivers: ObjectSource;
  /** Asked whether a node may request tokens for an audience that its pod does not name. */
  readonly authorizer: Authorizer;
}

export interface NodeRequest {
  /** The node that asks; never empty. */
  readonly nodeName: string;
  readonly attributes: AdmissionAttributes;
  readonly dependencies: NodeRestrictionDependencies;
  /** The 403 with this text. */
  readonly refuse: (why: string) => StatusError;
}

/** The object, or the 404 to answer. */
export function existing(
  source: ObjectSource,
  resource: string,
  at: { readonly namespace: string; readonly name: string },
): KubeObject {
  const object = source.get(at.namespace, at.name);
  if (object === undefined) throw statusErrors.notFound({ group: '', resource }, at.name);
  return object;
}

/** The name of the object, also on create. */
export function nameOf({ name, object }: AdmissionAttributes): string {
  return name !== '' ? name : (object?.metadata.name ?? '');
}
