// Binding a pod to a node: `pods/binding`, and the older `bindings` resource. Sets spec.nodeName
// once and the PodScheduled condition (pkg/registry/core/pod/storage).

import { copyJson, statusErrors, type KubeObject } from '@keelson/apimachinery';
import type { Binding, Pod } from '@keelson/apimachinery/types/core.v1';
import type { CreateHandler, HandlerRequest } from '../handlers.ts';
import { plainError, preconditionConflict } from '../storage-errors.ts';
import { storageKey, type StoreScope } from '../store-types.ts';
import { updateObject } from '../store-update.ts';
import { setPodCondition } from './pod-conditions.ts';

/** `pods` is asked for lazily: stores exist only after the handlers were named. */
export function createBindingHandlers(pods: () => StoreScope): readonly CreateHandler[] {
  const bind = (object: KubeObject, request: HandlerRequest) =>
    bindPod(pods(), object as unknown as Binding, request);
  return [
    { resource: { group: '', resource: 'pods' }, subresource: 'binding', create: bind },
    { resource: { group: '', resource: 'bindings' }, subresource: '', create: bind },
  ];
}

const bindingResource = { group: '', resource: 'pods/binding' };

async function bindPod(scope: StoreScope, binding: Binding, request: HandlerRequest) {
  const name = request.name === '' ? (binding.metadata.name ?? '') : request.name;
  if ((binding.metadata.name ?? '') !== '' && binding.metadata.name !== name)
    throw statusErrors.badRequest('name in URL does not match name in Binding object');
  checkTarget(binding);
  await request.validateAdmission(binding as unknown as KubeObject);
  await updateObject(scope, {
    user: request.context.user,
    dryRun: request.dryRun,
    namespace: request.namespace,
    name,
    warn: (text) => request.context.warn(text),
    validateAdmission: async () => {},
    transform: (existing) => assign(existing as Pod | undefined, binding, scope, name),
    // Binding changes what a pod update must not; no strategy checks it.
    subresource: { prepareForUpdate: () => {} },
    createIfAbsent: false,
    expectedUid: binding.metadata.uid,
  });
  return {
    object: {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      code: 201,
    } as unknown as KubeObject,
  };
}

// COMPAT: validation of a binding answers with a bare 500.
function checkTarget(binding: Binding): void {
  const { target } = binding;
  const kind = target?.kind ?? '';
  const problems: string[] = [];
  if (kind !== '' && kind !== 'Node')
    problems.push(
      `target.kind: Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`,
    );
  if (!target?.name) problems.push('target.name: Required value');
  if (problems.length > 0)
    throw plainError(problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`);
}

async function assign(
  existing: Pod | undefined,
  binding: Binding,
  scope: StoreScope,
  name: string,
): Promise<KubeObject> {
  if (existing === undefined) throw statusErrors.notFound({ group: '', resource: 'pods' }, name);
  const refuse = (why: string) => statusErrors.conflict(bindingResource, name, why);
  const expected = binding.metadata.resourceVersion;
  const actual = existing.metadata.resourceVersion ?? '';
  if (expected && expected !== actual) {
    const key = storageKey(scope, existing.metadata.namespace ?? '', name);
    const field = 'ResourceVersion';
    throw preconditionConflict({ group: '', resource: 'pods' }, name, {
      key,
      field,
      expected,
      actual,
    });
  }
  if (existing.metadata.deletionTimestamp !== undefined)
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  if (existing.spec?.nodeName)
    throw refuse(
      `pod ${name} is already assigned to node ${JSON.stringify(existing.spec.nodeName)}`,
    );
  if ((existing.spec?.schedulingGates?.length ?? 0) > 0)
    throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
  const pod = copyJson(existing);
  pod.spec = { ...pod.spec, nodeName: binding.target?.name ?? '' } as NonNullable<Pod['spec']>;
  // The promise is kept or overtaken.
  if (scope.features.enabled('ClearingNominatedNodeNameAfterBinding'))
    delete pod.status?.nominatedNodeName;
  copyMetadata(pod, binding);
  setPodCondition(pod, { type: 'PodScheduled', status: 'True' }, scope.clock.now());
  return pod as unknown as KubeObject;
}

/** A binding may bring annotations and, for topology, labels; they win over what the pod has. */
function copyMetadata(pod: Pod, binding: Binding): void {
  for (const key of ['annotations', 'labels'] as const) {
    const given = binding.metadata[key];
    if (given !== undefined && Object.keys(given).length > 0)
      pod.metadata[key] = { ...pod.metadata[key], ...given };
  }
}
