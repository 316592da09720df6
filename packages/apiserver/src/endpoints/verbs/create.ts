// POST to a collection, or to a create-only resource or subresource (reviews, bindings, tokens).

import { statusErrors, type KubeObject } from '@keelson/apimachinery';
import { createObject } from '../../registry/store-create.ts';
import type { WriteRequest } from '../../registry/store-types.ts';
import { decodeBody } from '../decode-body.ts';
import { emptyObject, managerName, recordBody, recordUpdate } from '../field-manager.ts';
import { negotiateOutput } from '../negotiation.ts';
import { parseWriteOptions } from '../query-options.ts';
import {
  admissionAttributes,
  toServed,
  toStored,
  type ResourceRequest,
} from '../resource-request.ts';
import { respondResource } from '../respond-resource.ts';
import { optionsObject } from '../write-options.ts';

export async function createResource(request: ResourceRequest): Promise<void> {
  const { context, endpoint, services } = request;
  const format = negotiateOutput(context, endpoint.custom);
  const options = parseWriteOptions(context.info.query, 'CreateOptions');
  const handler = handlerOf(request);
  const decoded = await decodeBody(request, expectedKind(request), options.fieldValidation);
  checkNamespace(request, decoded);
  const admissionOptions = optionsObject('CreateOptions', options);
  const manager = managerName(request, options.fieldManager);
  const object =
    handler === undefined
      ? await toStored(endpoint, recordUpdate(request, emptyObject(request), decoded, manager))
      : recordBody(request, expectedKind(request), decoded, manager);

  const attributesOf = (subject: KubeObject | undefined, oldObject?: KubeObject) =>
    admissionAttributes(request, {
      operation: 'CREATE',
      object: subject,
      oldObject,
      dryRun: options.dryRun,
      options: admissionOptions,
    });
  const hasAdmission = services.admission.handles('CREATE');
  const attributes = attributesOf(object);
  if (hasAdmission) await services.admission.mutate(attributes);
  const admitted = attributes.object ?? object;
  const validate = async (final: KubeObject | undefined, old?: KubeObject) => {
    if (hasAdmission) await services.admission.validate(attributesOf(final, old));
  };
  if (handler !== undefined) {
    handler.applyDefaults?.(admitted);
    const answer = await handler.create(admitted, {
      context,
      namespace: request.namespace,
      name: request.name,
      dryRun: options.dryRun,
      options: admissionOptions,
      validateAdmission: validate,
    });
    return respondResource(request, answer.object, answer.status ?? 201, { format });
  }
  if (endpoint.scope === undefined)
    throw statusErrors.methodNotSupported(endpoint.definition, 'create');
  dropDuplicateOwners(request, admitted);
  const write: WriteRequest = {
    user: context.user,
    trace: context.trace,
    dryRun: options.dryRun,
    namespace: request.namespace,
    warn: (t) => context.warn(t),
    validateAdmission: validate,
  };
  const result = await createObject(endpoint.scope, admitted, write);
  respondResource(request, await toServed(endpoint, result.object), 201, {
    entry: result.entry,
    format,
  });
}

function handlerOf({ endpoint, subresource }: ResourceRequest) {
  return subresource === '' ? endpoint.createHandler : endpoint.subresourceCreates.get(subresource);
}

function expectedKind(request: ResourceRequest) {
  const { definition } = request.endpoint;
  const { group, version, kind } =
    definition.subresources.find((sub) => sub.name === request.subresource)?.gvk ?? definition;
  return { group, version, kind, acceptedVersions: handlerOf(request)?.acceptedVersions ?? [] };
}

/** The namespace of body and URL must agree; an absent one is filled in. */
export function checkNamespace(request: ResourceRequest, object: KubeObject): void {
  const { definition } = request.endpoint;
  const given = object.metadata.namespace ?? '';
  if (!definition.namespaced) return;
  if (given === '') object.metadata.namespace = request.namespace;
  else if (given !== request.namespace)
    throw statusErrors.badRequest(
      'the namespace of the provided object does not match the namespace sent on the request',
    );
}

/** The same owner twice is a mistake of some clients; the second goes, with a warning. */
export function dropDuplicateOwners(request: ResourceRequest, object: KubeObject): void {
  const owners = object.metadata.ownerReferences;
  if (owners === undefined || owners.length < 2) return;
  const seen = new Set<string>();
  const kept = owners.filter((owner) => {
    const id = JSON.stringify(owner, Object.keys(owner).toSorted());
    if (!seen.has(id)) return seen.add(id);
    warnDuplicateOwner(request, owner.uid);
    return false;
  });
  if (kept.length < owners.length) object.metadata.ownerReferences = kept;
}
function warnDuplicateOwner(request: ResourceRequest, uid: string): void {
  request.context.warn(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uid}`,
  );
}
