// The contract of admission plugins. Mutating plugins may change `attributes.object`; validating
// plugins run after all of them (and after validation) and may only refuse. A plugin refuses by
// throwing a StatusError, usually `admissionForbidden(attributes, why)`.

import {
  statusErrors,
  type DecisionTrace,
  type GroupVersionKind,
  type GroupVersionResource,
  type KubeObject,
  type StatusError,
} from '@keelson/apimachinery';
import type { UserInfo } from '../authentication/authenticator.ts';
import type { Reinvocation } from './reinvocation.ts';

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface AdmissionAttributes {
  readonly operation: AdmissionOperation;
  readonly gvr: GroupVersionResource;
  readonly gvk: GroupVersionKind;
  readonly subresource: string;
  readonly namespace: string;
  /** Empty on create with generateName until the name is made. */
  readonly name: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** CreateOptions, UpdateOptions or DeleteOptions as the client gave them. */
  readonly options: KubeObject | undefined;
  /**
   * The new object (mutable for mutating plugins), connect options for CONNECT, undefined for
   * DELETE.
   */
  object: KubeObject | undefined;
  /** The stored object for UPDATE and DELETE; frozen. */
  readonly oldObject: KubeObject | undefined;
  readonly trace: DecisionTrace;
  readonly signal: AbortSignal;
  warn(text: string): void;
  /** Audit annotation; keys are `<plugin domain>/<name>`. */
  annotate(key: string, value: string): void;
}

export interface AdmissionPlugin {
  /** As in `--enable-admission-plugins`. */
  readonly name: string;
  handles(operation: AdmissionOperation): boolean;
  /** `reinvocation` is there when the chain can run the plugins a second time. */
  mutate?(attributes: AdmissionAttributes, reinvocation?: Reinvocation): Promise<void> | void;
  validate?(attributes: AdmissionAttributes): Promise<void> | void;
}

/** What the write path calls; `chain.ts` implements it over the ordered plugins. */
export interface AdmissionChain {
  mutate(attributes: AdmissionAttributes): Promise<void>;
  validate(attributes: AdmissionAttributes): Promise<void>;
  /** False when no plugin handles the operation on anything, so that callers can skip the work. */
  handles(operation: AdmissionOperation): boolean;
}

/** `pods "x" is forbidden: why`, naming the object as `admission.NewForbidden` does. */
export function admissionForbidden(attributes: AdmissionAttributes, why: string): StatusError {
  const { name, object } = attributes;
  const shown =
    name !== '' ? name : object?.metadata.name || object?.metadata.generateName || 'Unknown';
  return statusErrors.forbidden(
    { group: attributes.gvr.group, resource: attributes.gvr.resource },
    shown,
    why,
  );
}
