// How a node comes into the cluster: its Node object and its CSINode, unless they are there.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Node } from '@keelson/apimachinery/types/core.v1';
import type { Client } from '@keelson/client';

/** The Node object that is there then. */
export async function registerNode(client: Client, node: Node): Promise<Node> {
  const name = node.metadata?.name ?? '';
  const nodes = client.resource({ group: '', version: 'v1', resource: 'nodes' });
  const created = await createUnlessThere(() => nodes.create(node as unknown as KubeObject));
  const registered = (created ?? (await nodes.get(name))) as unknown as Node;
  const csiNodes = client.resource({
    group: 'storage.k8s.io',
    version: 'v1',
    resource: 'csinodes',
  });
  await createUnlessThere(() => csiNodes.create(csiNodeOf(name, registered)));
  return registered;
}

async function createUnlessThere(
  create: () => Promise<KubeObject>,
): Promise<KubeObject | undefined> {
  try {
    return await create();
  } catch (error) {
    if (isStatusError(error, 'AlreadyExists')) return undefined;
    throw error;
  }
}

function csiNodeOf(name: string, node: Node): KubeObject {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSINode',
    metadata: { name, ownerReferences: [nodeOwner(node)] },
    spec: { drivers: [] },
  };
}

export const nodeOwner = ({ metadata }: Node) => ({
  apiVersion: 'v1',
  kind: 'Node',
  name: metadata?.name ?? '',
  uid: metadata?.uid ?? '',
});
