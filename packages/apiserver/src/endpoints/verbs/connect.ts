// Subresources that take over the connection or talk to a node: exec, attach, log, proxy …
// Admission sees a CONNECT before anything happens.

import { admissionAttributes, type ResourceRequest } from '../resource-request.ts';
import { connectOptions } from '../connect-options.ts';
import { methodNotAllowed } from '../discovery/endpoint.ts';
import { readEntry } from './get.ts';

export async function connectResource(request: ResourceRequest): Promise<void> {
  const { endpoint, services, context } = request;
  const handler = endpoint.connects.get(request.subresource);
  if (handler === undefined || !isConnectable(request)) throw methodNotAllowed();
  const connection = {
    context,
    namespace: request.namespace,
    name: request.name,
    dryRun: false,
    options: undefined,
    validateAdmission: async () => {},
  };
  await handler.authorize?.(connection);
  // A proxy's name may carry scheme and port; its handler looks the object up.
  if (request.subresource !== 'proxy') await readEntry(request);
  const validate = async () => {
    if (!services.admission.handles('CONNECT')) return;
    const attributes = admissionAttributes(request, {
      operation: 'CONNECT',
      object: connectOptions(request),
      oldObject: undefined,
      dryRun: false,
      options: undefined,
    });
    await services.admission.mutate(attributes);
    await services.admission.validate(attributes);
  };
  await handler.connect({ ...connection, validateAdmission: validate });
}

/** COMPAT: a proxy also passes on HEAD and OPTIONS, which have no verb of their own. */
function isConnectable({ endpoint, subresource, context }: ResourceRequest): boolean {
  const { method } = context.request;
  const isProxy = subresource === 'proxy';
  if (method === 'HEAD' || method === 'OPTIONS') return isProxy;
  const found = endpoint.definition.subresources.find((s) => s.name === subresource);
  return (found?.verbs as readonly string[] | undefined)?.includes(context.info.verb) === true;
}
