// Why an object belongs to a node, for the decision trace: the objects that lead from it to the
// node, each of which refers to the one before it. Looked for among all objects when somebody asks;
// the graph itself only counts.

import type { KubeObject } from '@keelson/apimachinery';
import { isMirrorPod } from '../mirror-pod.ts';
import type { GraphKind, NodeGraphObjects } from './node-graph.ts';
import { nodeNameOfPod, podReferences, volumeReferences } from './pod-references.ts';

export interface GraphVertex {
  readonly kind: GraphKind | 'node';
  /** Absent for what belongs to no namespace. */
  readonly namespace?: string;
  readonly name: string;
  /** Of objects that were looked at. */
  readonly uid?: string;
}

export interface GraphQuestion {
  readonly nodeName: string;
  readonly kind: GraphKind;
  /** Empty for kinds without namespace. */
  readonly namespace: string;
  readonly name: string;
}

/** From the object to the node; undefined when nothing leads there. */
export function findGraphPath(
  objects: NodeGraphObjects,
  question: GraphQuestion,
): readonly GraphVertex[] | undefined {
  const { nodeName, kind, namespace, name } = question;
  const node: GraphVertex = { kind: 'node', name: nodeName };
  switch (kind) {
    case 'pod': {
      const pod = objects.pods.get(namespace, name);
      return pod !== undefined && nodeNameOfPod(pod) === nodeName
        ? [vertexOf('pod', pod), node]
        : undefined;
    }
    case 'persistentvolume': {
      const volume = objects.persistentVolumes.get('', name);
      return volume && pathOfVolume(objects, volume, nodeName);
    }
    case 'volumeattachment':
      return pathOfNamed(kind, objects.volumeAttachments.get('', name), nodeName);
    case 'resourceslice':
      return pathOfNamed(kind, objects.resourceSlices.get('', name), nodeName);
    case 'podcertificaterequest':
      return pathOfNamed(kind, objects.podCertificateRequests?.get(namespace, name), nodeName);
    case 'secret':
      return pathThroughPod(objects, question) ?? pathThroughVolume(objects, question);
    default:
      return pathThroughPod(objects, question);
  }
}

function pathOfNamed(
  kind: GraphKind,
  object: KubeObject | undefined,
  nodeName: string,
): readonly GraphVertex[] | undefined {
  const spec = object?.['spec'] as { readonly nodeName?: string } | undefined;
  if (object === undefined || spec?.nodeName !== nodeName) return undefined;
  return [vertexOf(kind, object), { kind: 'node', name: nodeName }];
}

/** Of what a pod of the node refers to. SECURITY: mirror pods give nothing. */
function pathThroughPod(
  { pods }: NodeGraphObjects,
  { nodeName, kind, namespace, name }: GraphQuestion,
): readonly GraphVertex[] | undefined {
  const pod = pods
    .list(namespace)
    .find(
      (candidate) =>
        nodeNameOfPod(candidate) === nodeName &&
        !isMirrorPod(candidate) &&
        podReferences(candidate).some((r) => r.kind === kind && r.name === name),
    );
  if (pod === undefined) return undefined;
  return [{ kind, namespace, name }, vertexOf('pod', pod), { kind: 'node', name: nodeName }];
}

function pathThroughVolume(
  objects: NodeGraphObjects,
  { nodeName, kind, namespace, name }: GraphQuestion,
): readonly GraphVertex[] | undefined {
  for (const volume of objects.persistentVolumes.list()) {
    if (!volumeReferences(volume)?.secrets.includes(`${namespace}/${name}`)) continue;
    const rest = pathOfVolume(objects, volume, nodeName);
    if (rest !== undefined) return [{ kind, namespace, name }, ...rest];
  }
  return undefined;
}

function pathOfVolume(
  objects: NodeGraphObjects,
  volume: KubeObject,
  nodeName: string,
): readonly GraphVertex[] | undefined {
  const [namespace = '', name = ''] = (volumeReferences(volume)?.claim ?? '').split('/');
  const claim = { nodeName, kind: 'persistentvolumeclaim', namespace, name } as const;
  const rest = pathThroughPod(objects, claim);
  return rest && [vertexOf('persistentvolume', volume), ...rest];
}

function vertexOf(kind: GraphKind, { metadata }: KubeObject): GraphVertex {
  const { namespace, name = '', uid } = metadata;
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(uid === undefined ? {} : { uid }),
  };
}
