// Who owns whom: a node for every object of the cluster, linked to its owners by their uids.
//
// An owner that is referred to and was not seen yet is a *virtual* node under the name that its
// dependent gives it. It becomes a real one when an informer sees it, or goes when the server says
// that there is no such object. Dependents can be wrong about an owner's name, kind or namespace;
// those that are, are looked at again when the truth is known. What must be looked at is handed to
// `work`; the graph itself decides nothing and asks nobody.

import type { KubeObject, OwnerReference } from '@keelson/apimachinery';
import type { AbsentOwners } from './absent-owners.ts';
import {
  isSameReference,
  namesSameOwner,
  ownerOf,
  type ObjectReference,
} from './object-reference.ts';

export const orphanFinalizer = 'orphan';
export const foregroundFinalizer = 'foregroundDeletion';

export interface GraphNode {
  /** Of a virtual node: what a dependent believes. */
  readonly identity: ObjectReference;
  readonly owners: readonly OwnerReference[];
  readonly dependents: ReadonlySet<GraphNode>;
  readonly isVirtual: boolean;
  readonly isBeingDeleted: boolean;
  /** Deleted in the foreground: it goes when the dependents that block it are gone. */
  readonly isDeletingDependents: boolean;
}

interface MutableNode {
  identity: ObjectReference;
  owners: readonly OwnerReference[];
  dependents: Set<MutableNode>;
  isVirtual: boolean;
  isBeingDeleted: boolean;
  isDeletingDependents: boolean;
}

/** What the graph asks for. Keys are uids. */
export interface GraphWork {
  /** Should the object be there still? */
  attemptToDelete(uid: string): void;
  /** It is deleted, and its dependents are to stay. */
  attemptToOrphan(uid: string): void;
  /** The object names an owner that cannot be one, because it is in another namespace. */
  reportInvalidOwner(dependent: GraphNode, ownerUid: string): void;
}

export interface DependencyGraph {
  get(uid: string): GraphNode | undefined;
  readonly size: number;
  /** An informer saw the object, new or changed. */
  observe(identity: ObjectReference, metadata: KubeObject['metadata']): void;
  /** An informer saw that it is gone. */
  remove(uid: string): void;
  /**
   * The server was asked for this reference and has no such object. A node that is virtual still
   * afterwards goes by another reference now, which is to be asked for.
   */
  removeAbsent(identity: ObjectReference): void;
}

export function createDependencyGraph(work: GraphWork, absent: AbsentOwners): DependencyGraph {
  const nodes = new Map<string, MutableNode>();
  const links = createLinks(nodes, work);

  const removeNode = (node: MutableNode, reference: ObjectReference) => {
    nodes.delete(node.identity.uid);
    links.unlink(node, node.owners);
    if (node.dependents.size > 0) absent.add(reference);
    for (const dependent of node.dependents) work.attemptToDelete(dependent.identity.uid);
    for (const { uid } of node.owners) {
      // One thing less that an owner deleted in the foreground waits for.
      if (nodes.get(uid)?.isDeletingDependents === true) work.attemptToDelete(uid);
    }
  };

  return {
    get: (uid) => nodes.get(uid),
    get size() {
      return nodes.size;
    },
    observe(identity, metadata) {
      const owners = metadata.ownerReferences ?? [];
      let node = nodes.get(identity.uid);
      if (node === undefined) {
        node = { ...blankNode(identity), owners };
        nodes.set(identity.uid, node);
        links.link(node, owners);
      } else {
        if (node.isVirtual) becomeReal(node, identity, work);
        links.relink(node, owners);
      }
      followDeletion(node, metadata, work);
    },
    remove(uid) {
      const node = nodes.get(uid);
      if (node !== undefined) removeNode(node, node.identity);
    },
    removeAbsent(identity) {
      const node = nodes.get(identity.uid);
      if (node === undefined) return;
      const isAboutNode = isSameReference(node.identity, identity);
      const { agreeing, disagreeing } = partition(node.dependents, identity);
      if (node.isVirtual && disagreeing.length === 0) return removeNode(node, identity);
      if (!node.isVirtual && isAboutNode) return removeNode(node, identity);
      // The reference is wrong, the uid may be right: only those who believe in it have lost their
      // owner.
      if (agreeing.length > 0) absent.add(identity);
      for (const dependent of agreeing) work.attemptToDelete(dependent.identity.uid);
      if (!node.isVirtual || !isAboutNode) return;
      const other = anotherReference(disagreeing, identity);
      if (other === undefined) return;
      node.identity = other;
    },
  };
}

function blankNode(identity: ObjectReference): MutableNode {
  return {
    identity,
    owners: [],
    dependents: new Set(),
    isVirtual: false,
    isBeingDeleted: false,
    isDeletingDependents: false,
  };
}

interface Links {
  link(node: MutableNode, owners: readonly OwnerReference[]): void;
  unlink(node: MutableNode, owners: readonly OwnerReference[]): void;
  /** Gives the node these owners in place of those it had. */
  relink(node: MutableNode, owners: readonly OwnerReference[]): void;
}

function createLinks(nodes: Map<string, MutableNode>, work: GraphWork): Links {
  const link = (node: MutableNode, owners: readonly OwnerReference[]) => {
    let isDoubtful = false;
    for (const owner of owners) {
      const known = nodes.get(owner.uid);
      if (known === undefined) {
        const virtual = blankNode(ownerOf(owner, node.identity.namespace));
        virtual.isVirtual = true;
        virtual.dependents.add(node);
        nodes.set(owner.uid, virtual);
        work.attemptToDelete(owner.uid);
        continue;
      }
      known.dependents.add(node);
      if (isDoubtful) continue;
      const { namespace } = known.identity;
      const isElsewhere = namespace !== node.identity.namespace;
      if (isElsewhere && namespace !== '' && !known.isVirtual)
        work.reportInvalidOwner(node, owner.uid);
      // Of no namespace may be any real object; a virtual one may be there for want of better
      // knowledge: an object of the cluster was the first to name it.
      const isUnreachable = isElsewhere && (namespace !== '' || known.isVirtual);
      isDoubtful = isUnreachable || !namesSameOwner(owner, known.identity);
    }
    if (isDoubtful) work.attemptToDelete(node.identity.uid);
  };
  const unlink = (node: MutableNode, owners: readonly OwnerReference[]) => {
    for (const { uid } of owners) {
      const owner = nodes.get(uid);
      owner?.dependents.delete(node);
    }
  };
  return {
    link,
    unlink,
    relink(node, owners) {
      const before = new Map(node.owners.map((owner) => [owner.uid, owner]));
      const after = new Map(owners.map((owner) => [owner.uid, owner]));
      node.owners = owners;
      const added = owners.filter(({ uid }) => !before.has(uid));
      const removed = [...before.values()].filter(({ uid }) => !after.has(uid));
      for (const [uid, old] of before) {
        const isBlocking = after.get(uid)?.blockOwnerDeletion === true;
        if (old.blockOwnerDeletion === true && !isBlocking) work.attemptToDelete(uid);
      }
      link(node, added);
      unlink(node, removed);
    },
  };
}

/** The truth about a virtual node is known; who believed something else is looked at again. */
function becomeReal(node: MutableNode, identity: ObjectReference, work: GraphWork): void {
  node.isVirtual = false;
  if (isSameReference(node.identity, identity)) return;
  node.identity = identity;
  for (const dependent of partition(node.dependents, identity).disagreeing) {
    const { namespace } = dependent.identity;
    if (identity.namespace !== '' && identity.namespace !== namespace)
      work.reportInvalidOwner(dependent, identity.uid);
    work.attemptToDelete(dependent.identity.uid);
  }
}

function followDeletion(
  node: MutableNode,
  { deletionTimestamp, finalizers = [] }: KubeObject['metadata'],
  work: GraphWork,
): void {
  const { uid } = node.identity;
  if (deletionTimestamp === undefined) return;
  node.isBeingDeleted = true;
  if (finalizers.includes(orphanFinalizer)) return work.attemptToOrphan(uid);
  if (!finalizers.includes(foregroundFinalizer)) return;
  if (!node.isDeletingDependents) {
    node.isDeletingDependents = true;
    for (const dependent of node.dependents) work.attemptToDelete(dependent.identity.uid);
  }
  work.attemptToDelete(uid);
}

/**
 * Those whose owner reference fits the identity, and those that have one with its uid that does
 * not.
 */
function partition(dependents: ReadonlySet<MutableNode>, identity: ObjectReference) {
  const agreeing: MutableNode[] = [];
  const disagreeing: MutableNode[] = [];
  for (const dependent of dependents) {
    const isReachable =
      identity.namespace === '' || identity.namespace === dependent.identity.namespace;
    const references = dependent.owners.filter(({ uid }) => uid === identity.uid);
    if (isReachable && references.some((r) => namesSameOwner(r, identity)))
      agreeing.push(dependent);
    if (!isReachable || references.some((r) => !namesSameOwner(r, identity)))
      disagreeing.push(dependent);
  }
  return { agreeing, disagreeing };
}

/**
 * What a dependent that disagrees calls the owner: the next in order, so that all get their turn.
 */
function anotherReference(
  disagreeing: readonly MutableNode[],
  refuted: ObjectReference,
): ObjectReference | undefined {
  const orderOf = (r: ObjectReference) =>
    JSON.stringify([r.apiVersion, r.kind, r.namespace, r.name]);
  const others = disagreeing
    .flatMap(({ owners, identity }) =>
      owners.filter(({ uid }) => uid === refuted.uid).map((o) => ownerOf(o, identity.namespace)),
    )
    .filter((r) => !isSameReference(r, refuted))
    .toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  return others.find((r) => orderOf(r) > orderOf(refuted)) ?? others[0];
}
