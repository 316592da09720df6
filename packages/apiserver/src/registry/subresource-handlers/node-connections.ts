// Where the kubelet of a node listens, and how the server connects to it: at the first of the
// node's addresses in Kubernetes' order, with a client certificate, over a connection whose server
// certificate is not checked, as without `--kubelet-certificate-authority`.

import { statusErrors } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { KeyPairPem } from '../../authentication/certificates/certificate-authority.ts';
import type { ObjectSource } from '../../object-source.ts';
import {
  createOutboundClient,
  type Address,
  type OutboundClient,
  type Route,
} from '../../transport/outbound.ts';
import { plainError } from '../storage-errors.ts';

export interface NodeConnection {
  readonly client: OutboundClient;
  readonly address: Address;
  /** What its kubelet says that it can do. */
  readonly declaredFeatures: readonly string[];
  /** The server was told a way to it, so the address need not be one of the network. */
  readonly isRouted: boolean;
}
export interface NodeConnections {
  /** Throws when there is no such node, or it has no address. */
  find(nodeName: string): NodeConnection;
}
export interface NodeConnectionOptions {
  readonly nodes: ObjectSource;
  /** What kubelets know the server by, made when it is first needed. */
  readonly kubeletClient?: () => KeyPairPem;
  readonly route?: Route;
}

const addressTypes = ['Hostname', 'InternalDNS', 'InternalIP', 'ExternalDNS', 'ExternalIP'];
const kubeletPortDefault = 10_250;

export function createNodeConnections(options: NodeConnectionOptions): NodeConnections {
  let client: OutboundClient | undefined;
  const open = (): OutboundClient => {
    const pair = options.kubeletClient?.();
    return createOutboundClient({
      tls: {
        insecureSkipVerify: true,
        ...(pair === undefined
          ? {}
          : { certificate: pair.certificatePem, key: pair.privateKeyPem }),
      },
      ...(options.route === undefined ? {} : { route: options.route }),
    });
  };
  return {
    find(nodeName) {
      const node = options.nodes.get('', nodeName) as unknown as Node | undefined;
      // COMPAT: kube-apiserver names the node, but as a pod.
      if (node === undefined)
        throw statusErrors.notFound({ group: '', resource: 'pods' }, nodeName);
      const address = addressOf(node);
      const isRouted = (options.route?.(address) ?? address).host !== address.host;
      const declaredFeatures = node.status?.declaredFeatures ?? [];
      return { client: (client ??= open()), address, isRouted, declaredFeatures };
    },
  };
}

function addressOf({ status }: Node): Address {
  const known = status?.addresses ?? [];
  const found = addressTypes
    .map((type) => known.find((address) => address.type === type))
    .find((address) => address !== undefined);
  if (found === undefined) {
    const texts = known.map(({ type, address }) => `{${type} ${address}}`).join(' ');
    throw plainError(`no preferred addresses found; known addresses: [${texts}]`);
  }
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port;
  return { host: found.address, port: port ? port : kubeletPortDefault };
}
