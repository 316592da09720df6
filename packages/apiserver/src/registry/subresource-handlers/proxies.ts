// The proxy subresources: HTTP to a pod, to one of the pods behind a service, or to a node, below
// the path of the object. Redirects lead back through the proxy.
//
// SECURITY: what pods, endpoints and nodes say about their addresses decides where the server
// connects to, so only addresses of other hosts are taken, and endpoints only when they are pods.

import { lookup } from 'node:dns/promises';
import { statusErrors, type Random } from '@keelson/apimachinery';
import type { Pod, Service } from '@keelson/apimachinery/types/core.v1';
import type { ObjectSource } from '../../object-source.ts';
import {
  createOutboundClient,
  type Address,
  type OutboundClient,
  type Route,
} from '../../transport/outbound.ts';
import { escapePath, proxyRequest, queryOf } from '../../transport/reverse-proxy.ts';
import { readyAddresses, slicesOf } from '../../transport/service-endpoints.ts';
import type { ConnectHandler, HandlerRequest } from '../handlers.ts';
import { isGlobalUnicast } from './global-unicast.ts';
import type { NodeConnections } from './node-connections.ts';
import { parseProxyName, type ProxyName } from './proxy-name.ts';

export interface ProxyOptions {
  readonly pods: ObjectSource;
  readonly services: ObjectSource;
  readonly endpointSlices: ObjectSource;
  readonly nodes: NodeConnections;
  readonly random: Random;
  readonly route?: Route;
}

interface Place {
  readonly client: OutboundClient;
  readonly protocol: 'http' | 'https';
  readonly address: Address;
}
type Locate = (wanted: ProxyName, request: HandlerRequest) => Place | Promise<Place>;

const addressNotAllowed = 'address not allowed';

export function createProxyHandlers(options: ProxyOptions): readonly ConnectHandler[] {
  // COMPAT: nobody knows which name the certificate of a pod should carry.
  const client = createOutboundClient({
    tls: { insecureSkipVerify: true },
    ...(options.route === undefined ? {} : { route: options.route }),
  });
  return [
    proxyHandler('pods', 'pod', (wanted, request) => locatePod(wanted, request, options, client)),
    proxyHandler('services', 'service', (wanted, request) =>
      locateService(wanted, request, options, client),
    ),
    proxyHandler('nodes', 'node', (wanted) => locateNode(wanted, options.nodes, client)),
  ];
}

function proxyHandler(resource: string, kind: string, locate: Locate): ConnectHandler {
  return {
    resource: { group: '', resource },
    subresource: 'proxy',
    async connect(request) {
      const { context } = request;
      await request.validateAdmission({ metadata: {} });
      const wanted = parseProxyName(request.name);
      if (wanted === undefined)
        throw statusErrors.badRequest(`invalid ${kind} request ${JSON.stringify(request.name)}`);
      const place = await locate(wanted, request);
      const path = pathBehind(request);
      await proxyRequest(
        context,
        { ...place, path, prefix: ownPath(request, path), query: queryOf(context.request.url) },
        { refuseRedirects: false },
      );
    },
  };
}

/** What follows the subresource; empty when nothing does, not even a slash. */
function pathBehind({ context }: HandlerRequest): string {
  const endsInSlash = (context.request.url.split('?', 1)[0] ?? '').endsWith('/');
  const parts: string[] = [];
  for (const part of context.info.parts.slice(3)) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  if (parts.length === 0) return endsInSlash ? '/' : '';
  return escapePath(`/${parts.join('/')}${endsInSlash ? '/' : ''}`);
}

function ownPath({ context }: HandlerRequest, behind: string): string {
  const path = context.request.url.split('?', 1)[0] ?? '';
  return path.endsWith(behind) ? path.slice(0, path.length - behind.length) : path;
}

function locatePod(
  { scheme, name, port }: ProxyName,
  { namespace }: HandlerRequest,
  { pods }: ProxyOptions,
  client: OutboundClient,
): Place {
  const pod = pods.get(namespace, name) as unknown as Pod | undefined;
  if (pod === undefined) throw statusErrors.notFound({ group: '', resource: 'pods' }, name);
  const declared = pod.spec?.containers?.flatMap((c) => c.ports ?? [])[0]?.containerPort;
  const host = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '';
  if (!isGlobalUnicast(host)) throw statusErrors.badRequest(addressNotAllowed);
  const chosen = port === '' && declared !== undefined ? String(declared) : port;
  const protocol = scheme === '' ? 'http' : scheme;
  return { client, protocol, address: { host, port: portNumber(chosen, protocol) } };
}

function portNumber(text: string, protocol: 'http' | 'https'): number {
  if (text === '') return protocol === 'https' ? 443 : 80;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw statusErrors.serviceUnavailable(
      `error trying to reach service: dial tcp: lookup tcp/${text}: unknown port`,
    );
  return port;
}

function locateService(
  { scheme, name, port }: ProxyName,
  request: HandlerRequest,
  options: ProxyOptions,
  client: OutboundClient,
): Place {
  const { namespace } = request;
  const service = options.services.get(namespace, name) as unknown as Service | undefined;
  if (service === undefined) throw statusErrors.notFound({ group: '', resource: 'services' }, name);
  const portName = servicePortName(service, port);
  const slices = slicesOf(options.endpointSlices, namespace, name);
  if (slices.every(({ endpoints }) => (endpoints ?? []).length === 0)) throw noEndpoints(name);
  const usable = readyAddresses(slices, portName).filter(({ host, pod }) => {
    if (pod === undefined || pod.namespace !== namespace) return false;
    const object = options.pods.get(namespace, pod.name) as unknown as Pod | undefined;
    return object?.status?.podIPs?.some(({ ip }) => ip === host) === true;
  });
  const chosen = usable[Math.floor(options.random.float() * usable.length)];
  if (chosen === undefined) throw noEndpoints(request.name);
  if (!isGlobalUnicast(chosen.host)) throw statusErrors.badRequest(addressNotAllowed);
  const { host, port: number } = chosen;
  return { client, protocol: scheme === '' ? 'http' : scheme, address: { host, port: number } };
}

const noEndpoints = (name: string) =>
  statusErrors.serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);

/** A number must be one of the service's ports; anything else is the name of one. */
function servicePortName({ metadata, spec }: Service, port: string): string {
  if (!/^[+-]?\d+$/.test(port)) return port;
  const found = (spec?.ports ?? []).find((p) => p.port === Number(port));
  if (found !== undefined) return found.name ?? '';
  throw statusErrors.serviceUnavailable(
    `no service port ${Number(port)} found for service ${JSON.stringify(metadata.name)}`,
  );
}

async function locateNode(
  { scheme, name, port }: ProxyName,
  nodes: NodeConnections,
  client: OutboundClient,
): Promise<Place> {
  const kubelet = nodes.find(name);
  const isKubelet = port === '' || port === String(kubelet.address.port);
  // SECURITY: a way that the server itself was told, which no object can change.
  if (isKubelet && kubelet.isRouted)
    return { client: kubelet.client, protocol: 'https', address: kubelet.address };
  const host = await allowedAddress(kubelet.address.host);
  if (isKubelet)
    return { client: kubelet.client, protocol: 'https', address: { ...kubelet.address, host } };
  const protocol = scheme === '' ? 'http' : scheme;
  return { client, protocol, address: { host, port: portNumber(port, protocol) } };
}

/** The address that is connected to afterwards, so that a name cannot change its mind. */
async function allowedAddress(host: string): Promise<string> {
  let addresses: readonly { readonly address: string }[];
  try {
    addresses = await lookup(host, { all: true });
  } catch {
    throw statusErrors.badRequest(`lookup ${host}: no such host`);
  }
  const [first] = addresses;
  if (first === undefined || !addresses.every(({ address }) => isGlobalUnicast(address)))
    throw statusErrors.badRequest(addressNotAllowed);
  return first.address;
}
