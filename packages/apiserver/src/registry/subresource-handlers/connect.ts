// exec, attach, port-forward, log and proxy, up to the node: the request is checked, the node is
// found, and as no node agent is connected yet, the answer is the one that Kubernetes gives when
// the node cannot be reached.

import { fieldError, statusErrors, type FieldError } from '@keelson/apimachinery';
import type { Pod, Service } from '@keelson/apimachinery/types/core.v1';
import { respondText } from '../../endpoints/respond.ts';
import type { ObjectSource } from '../../object-source.ts';
import type { ConnectHandler, HandlerRequest } from '../handlers.ts';
import { plainError } from '../storage-errors.ts';
import { isGlobalUnicast } from './global-unicast.ts';

export interface ConnectSources {
  readonly pods: ObjectSource;
  readonly nodes: ObjectSource;
  readonly services: ObjectSource;
}

const pods = { group: '', resource: 'pods' };

export function createConnectHandlers(sources: ConnectSources): readonly ConnectHandler[] {
  const onPod = (
    subresource: string,
    check: (pod: Pod, request: HandlerRequest) => void,
  ): ConnectHandler => ({
    resource: pods,
    subresource,
    async connect(request) {
      const pod = sources.pods.get(request.namespace, request.name) as unknown as Pod | undefined;
      if (pod === undefined) throw statusErrors.notFound(pods, request.name);
      check(pod, request);
      await request.validateAdmission({ metadata: {} });
      // COMPAT: a pod without a node has no log yet, which is an empty answer.
      if (subresource === 'log' && !pod.spec?.nodeName) return respondText(request.context, '');
      throw unreachable(sources, pod);
    },
  });
  return [
    onPod('exec', checkStream),
    onPod('attach', checkStream),
    onPod('portforward', checkHost),
    onPod('log', checkLog),
    podProxy(sources.pods),
    proxyOf('services', sources.services),
    proxyOf('nodes', sources.nodes),
  ];
}

function checkStream(pod: Pod, request: HandlerRequest): void {
  containerOf(pod, request);
  checkHost(pod);
}

/** The container that is meant: the one named, the annotated default, or the only one. */
function containerOf(pod: Pod, request: HandlerRequest): string {
  const named = request.context.info.query.get('container') ?? '';
  const all = [
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.initContainers ?? []),
    ...(pod.spec?.ephemeralContainers ?? []),
  ];
  const podName = pod.metadata.name ?? '';
  if (named !== '') {
    if (!all.some((c) => c.name === named))
      throw statusErrors.badRequest(`container ${named} is not valid for pod ${podName}`);
    return named;
  }
  const preferred = pod.metadata.annotations?.['kubectl.kubernetes.io/default-container'];
  if (preferred !== undefined && all.some((c) => c.name === preferred)) return preferred;
  const containers = pod.spec?.containers ?? [];
  const only = containers[0];
  if (containers.length === 1 && only !== undefined) return only.name;
  const names = containers.map((c) => c.name).join(' ');
  const init = (pod.spec?.initContainers ?? []).map((c) => c.name).join(' ');
  const choices =
    init === ''
      ? `choose one of: [${names}]`
      : `choose one of: [${names}] or one of the init containers: [${init}]`;
  throw statusErrors.badRequest(
    `a container name must be specified for pod ${podName}, ${choices}`,
  );
}

function checkHost(pod: Pod): void {
  if (!pod.spec?.nodeName)
    throw statusErrors.badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
}

function checkLog(pod: Pod, request: HandlerRequest): void {
  const { query } = request.context.info;
  const errors: FieldError[] = [];
  const number = (name: string, min: number, text: string) => {
    const value = query.get(name);
    if (value === null || value === '') return;
    if (!/^-?\d+$/.test(value))
      throw statusErrors.badRequest(
        `strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`,
      );
    if (Number(value) < min) errors.push(fieldError.invalid(name, Number(value), text));
  };
  number('tailLines', 0, 'must be greater than or equal to 0');
  number('limitBytes', 1, 'must be greater than 0');
  const both = query.has('sinceSeconds') && query.has('sinceTime');
  if (both)
    errors.push(
      fieldError.forbidden('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'),
    );
  else number('sinceSeconds', 1, 'must be greater than 0');
  if (errors.length > 0)
    throw statusErrors.invalid({ group: '', kind: 'PodLogOptions' }, request.name, errors);
  containerOf(pod, request);
}

function unreachable(sources: ConnectSources, pod: Pod) {
  const nodeName = pod.spec?.nodeName ?? '';
  if (nodeName === '')
    return statusErrors.badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  // COMPAT: kube-apiserver names the node, but as a pod.
  if (sources.nodes.get('', nodeName) === undefined) return statusErrors.notFound(pods, nodeName);
  return plainError(`no preferred addresses found; known addresses: []`);
}

function podProxy(source: ObjectSource): ConnectHandler {
  return {
    resource: pods,
    subresource: 'proxy',
    async connect(request) {
      const target = parseProxyTarget(request.name);
      if (target === undefined)
        throw statusErrors.badRequest(`invalid pod request ${JSON.stringify(request.name)}`);
      const pod = source.get(request.namespace, target.name) as unknown as Pod | undefined;
      if (pod === undefined) throw statusErrors.notFound(pods, target.name);
      await request.validateAdmission({ metadata: {} });
      const address = pod.status?.podIPs?.[0]?.ip ?? '';
      // SECURITY: a kubelet's word must not turn the proxy to the server's own host or link.
      if (!isGlobalUnicast(address)) throw statusErrors.badRequest('address not allowed');
      throw statusErrors.serviceUnavailable(
        `error trying to reach service: no route to ${address}`,
      );
    },
  };
}

function proxyOf(resource: 'services' | 'nodes', source: ObjectSource): ConnectHandler {
  return {
    resource: { group: '', resource },
    subresource: 'proxy',
    async connect(request) {
      const target = parseProxyTarget(request.name);
      const what = resource === 'services' ? 'service' : 'node';
      if (target === undefined)
        throw statusErrors.badRequest(`invalid ${what} request ${JSON.stringify(request.name)}`);
      await request.validateAdmission({ metadata: {} });
      const object = source.get(request.namespace, target.name);
      if (object === undefined) throw statusErrors.notFound({ group: '', resource }, target.name);
      if (resource === 'nodes')
        throw plainError('no preferred addresses found; known addresses: []');
      throw noEndpoints(object as unknown as Service, target);
    },
  };
}

interface ProxyTarget {
  readonly name: string;
  readonly port: string;
}

/** `name`, `name:port` or `scheme:name:port`; undefined for anything else. */
export function parseProxyTarget(text: string): ProxyTarget | undefined {
  const parts = text.split(':');
  if (parts.length > 3) return undefined;
  const [scheme, name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (name === '' || (scheme !== '' && scheme !== 'http' && scheme !== 'https')) return undefined;
  return { name, port };
}

// A port number must be one of the service's; nothing stands behind any of them yet.
function noEndpoints({ spec }: Service, { name, port }: ProxyTarget) {
  const isNumber = /^[+-]?\d+$/.test(port);
  if (isNumber && !(spec?.ports ?? []).some((p) => p.port === Number(port)))
    return statusErrors.serviceUnavailable(
      `no service port ${Number(port)} found for service ${JSON.stringify(name)}`,
    );
  return statusErrors.serviceUnavailable(
    `no endpoints available for service ${JSON.stringify(name)}`,
  );
}
