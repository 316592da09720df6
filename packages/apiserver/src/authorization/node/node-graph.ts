// Which objects belong to which node, kept up to date with every change: pods by where they run,
// what these pods refer to, and volumes through the claims of these pods. Answers in a few map
// look-ups, because for every object the nodes of its pods are counted.

import type { KubeObject } from '@keelson/apimachinery';
import type { ObjectSource } from '../../object-source.ts';
import { isMirrorPod } from '../mirror-pod.ts';
import { findGraphPath, type GraphQuestion, type GraphVertex } from './graph-path.ts';
import {
  nodeNameOfPod,
  podReferences,
  volumeReferences,
  type ReferencedKind,
} from './pod-references.ts';

export interface NodeGraphObjects {
  readonly pods: ObjectSource;
  readonly persistentVolumes: ObjectSource;
  readonly volumeAttachments: ObjectSource;
  readonly resourceSlices: ObjectSource;
  /** Absent without the gate PodCertificateRequest. */
  readonly podCertificateRequests?: ObjectSource;
}

export type GraphKind =
  | ReferencedKind
  | 'pod'
  | 'persistentvolume'
  | 'volumeattachment'
  | 'resourceslice'
  | 'podcertificaterequest';

export interface NodeGraph {
  /** Whether the object has to do with the node. `namespace` is empty for cluster-scoped kinds. */
  isRelated(question: GraphQuestion): boolean;
  /** What makes it so, for people; looks at all objects. */
  path(question: GraphQuestion): readonly GraphVertex[] | undefined;
  close(): void;
}

/** Reads all objects and follows their changes until closed. */
export function createNodeGraph(objects: NodeGraphObjects): NodeGraph {
  const owners = createOwnerCounts();
  const volumes = createVolumeIndex();
  const closers = [
    followOwned(objects.pods, owners, ownedByPod),
    followOwned(objects.volumeAttachments, owners, namedNode('volumeattachment')),
    followOwned(objects.resourceSlices, owners, namedNode('resourceslice')),
    follow(objects.persistentVolumes, volumes.add, volumes.remove),
  ];
  if (objects.podCertificateRequests !== undefined)
    closers.push(
      followOwned(objects.podCertificateRequests, owners, namedNode('podcertificaterequest')),
    );
  const claimIsOn = (nodeName: string, claim: string | undefined) =>
    claim !== undefined && owners.has(`persistentvolumeclaim/${claim}`, nodeName);
  return {
    path: (question) => findGraphPath(objects, question),
    isRelated({ nodeName, kind, namespace, name }) {
      if (kind === 'persistentvolume') return claimIsOn(nodeName, volumes.claimOf(name));
      const key = `${namespace}/${name}`;
      if (owners.has(`${kind}/${key}`, nodeName)) return true;
      return kind === 'secret' && volumes.claimsUsing(key).some((c) => claimIsOn(nodeName, c));
    },
    close() {
      for (const close of closers) close();
    },
  };
}

/** Nodes of an object, as often as something there needs it. */
interface OwnerCounts {
  change(key: string, nodeName: string, by: 1 | -1): void;
  has(key: string, nodeName: string): boolean;
}

function createOwnerCounts(): OwnerCounts {
  const counts = new Map<string, Map<string, number>>();
  return {
    change(key, nodeName, by) {
      const nodes = counts.get(key) ?? new Map<string, number>();
      const count = (nodes.get(nodeName) ?? 0) + by;
      if (count > 0) nodes.set(nodeName, count);
      else nodes.delete(nodeName);
      if (nodes.size > 0) counts.set(key, nodes);
      else counts.delete(key);
    },
    has: (key, nodeName) => counts.get(key)?.has(nodeName) === true,
  };
}

interface Owned {
  readonly nodeName: string;
  readonly keys: readonly string[];
}

/** COMPAT: a pod that has ended keeps its objects until it is deleted. */
function ownedByPod(pod: KubeObject): Owned {
  const { namespace = '', name = '' } = pod.metadata;
  const own = `pod/${namespace}/${name}`;
  // SECURITY: a mirror pod is made by the node itself and must not give it anything.
  const references = isMirrorPod(pod) ? [] : podReferences(pod);
  return {
    nodeName: nodeNameOfPod(pod),
    keys: [own, ...references.map((r) => `${r.kind}/${namespace}/${r.name}`)],
  };
}

function namedNode(kind: GraphKind): (object: KubeObject) => Owned {
  return (object) => {
    const spec = object['spec'] as { readonly nodeName?: string } | undefined;
    const { namespace = '', name = '' } = object.metadata;
    return { nodeName: spec?.nodeName ?? '', keys: [`${kind}/${namespace}/${name}`] };
  };
}

function followOwned(
  source: ObjectSource,
  owners: OwnerCounts,
  ownedBy: (object: KubeObject) => Owned,
): () => void {
  const known = new Map<string, Owned>();
  const keyOf = ({ metadata }: KubeObject) => `${metadata.namespace ?? ''}/${metadata.name}`;
  const remove = (object: KubeObject) => {
    const owned = known.get(keyOf(object));
    if (owned === undefined) return;
    known.delete(keyOf(object));
    for (const key of owned.keys) owners.change(key, owned.nodeName, -1);
  };
  const add = (object: KubeObject) => {
    remove(object);
    const owned = ownedBy(object);
    if (owned.nodeName === '') return;
    known.set(keyOf(object), owned);
    for (const key of owned.keys) owners.change(key, owned.nodeName, 1);
  };
  return follow(source, add, remove);
}

/** Volumes by name, and the claims for whose volumes a secret is needed. */
function createVolumeIndex() {
  const known = new Map<string, NonNullable<ReturnType<typeof volumeReferences>>>();
  const bySecret = new Map<string, Map<string, string>>();
  const nameOf = (volume: KubeObject) => volume.metadata.name ?? '';
  const remove = (volume: KubeObject) => {
    const name = nameOf(volume);
    for (const secret of known.get(name)?.secrets ?? []) {
      const users = bySecret.get(secret);
      users?.delete(name);
      if (users?.size === 0) bySecret.delete(secret);
    }
    known.delete(name);
  };
  return {
    claimOf: (name: string) => known.get(name)?.claim,
    claimsUsing: (secret: string) => [...(bySecret.get(secret)?.values() ?? [])],
    remove,
    add(volume: KubeObject) {
      remove(volume);
      const references = volumeReferences(volume);
      if (references === undefined) return;
      known.set(nameOf(volume), references);
      for (const secret of references.secrets) {
        const users = bySecret.get(secret) ?? new Map<string, string>();
        users.set(nameOf(volume), references.claim);
        bySecret.set(secret, users);
      }
    },
  };
}

function follow(
  source: ObjectSource,
  add: (object: KubeObject) => void,
  remove: (object: KubeObject) => void,
): () => void {
  for (const object of source.list()) add(object);
  return source.subscribe(({ type, object }) =>
    type === 'DELETED' ? remove(object) : add(object),
  );
}
