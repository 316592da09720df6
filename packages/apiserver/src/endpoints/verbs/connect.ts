// Subresources that take over the connection or talk to a node: exec, attach, log, proxy …
// Admission sees a CONNECT before anything happens.

import { admissionAttributes, type ResourceRequest } from '../resource-request.ts';
import { methodNotAllowed } from '../discovery/endpoint.ts';
import { readEntry } from './get.ts';

export async function connectResource(request: ResourceRequest): Promise<void> {
  const { endpoint, services, context } = request;
  const handler = endpoint.connects.get(request.subresource);
  const verbs =
    endpoint.definition.subresources.find((s) => s.name === request.subresource)?.verbs ?? [];
  if (handler === undefined || !verbs.includes(context.info.verb)) throw methodNotAllowed();
  // A proxy's name may carry scheme and port; its handler looks the object up.
  const entry = request.subresource === 'proxy' ? undefined : await readEntry(request);
  const validate = async () => {
    if (!services.admission.handles('CONNECT')) return;
    const attributes = admissionAttributes(request, {
      operation: 'CONNECT',
      object: undefined,
      oldObject: entry?.object,
      dryRun: false,
      options: undefined,
    });
    await services.admission.mutate(attributes);
    await services.admission.validate(attributes);
  };
  await handler.connect({
    context,
    namespace: request.namespace,
    name: request.name,
    dryRun: false,
    options: undefined,
    validateAdmission: validate,
  });
}
