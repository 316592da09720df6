// What the tests of admission share: requests to admit, and what a plugin said to them.

import { noDecisionTrace, type KubeObject } from '@keelson/apimachinery';
import type { AdmissionAttributes, AdmissionOperation, AdmissionPlugin } from './admission.ts';

export interface TestRequest {
  readonly operation?: AdmissionOperation;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly kind?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly userName?: string;
  readonly groups?: readonly string[];
  readonly dryRun?: boolean;
  readonly object?: KubeObject;
  readonly oldObject?: KubeObject;
  readonly signal?: AbortSignal;
}

export interface TestAttributes extends AdmissionAttributes {
  readonly warnings: string[];
  readonly annotations: Record<string, string>;
}

/** A creation of a pod in the namespace `shop`, unless said otherwise. Objects are copied. */
export function createTestAttributes(request: TestRequest = {}): TestAttributes {
  const { group = '', version = 'v1', resource = 'pods', kind = 'Pod' } = request;
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  const object = structuredClone(request.object);
  return {
    operation: request.operation ?? 'CREATE',
    gvr: { group, version, resource },
    gvk: { group, version, kind },
    subresource: request.subresource ?? '',
    namespace: request.namespace ?? 'shop',
    name: request.name ?? object?.metadata.name ?? '',
    user: { name: request.userName ?? 'ann', uid: '', groups: request.groups ?? [], extra: {} },
    dryRun: request.dryRun ?? false,
    options: undefined,
    object,
    oldObject: request.oldObject && deepFreeze(structuredClone(request.oldObject)),
    trace: noDecisionTrace,
    signal: request.signal ?? new AbortController().signal,
    warnings,
    annotations,
    warn: (text) => void warnings.push(text),
    annotate: (key, value) => void (annotations[key] = value),
  };
}

/**
 * Both phases, as far as the plugin handles the operation. The message of the refusal, or
 * undefined.
 */
export async function admit(
  plugin: AdmissionPlugin,
  attributes: AdmissionAttributes,
): Promise<string | undefined> {
  if (!plugin.handles(attributes.operation)) return undefined;
  try {
    await plugin.mutate?.(attributes);
    await plugin.validate?.(attributes);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
