// What a migration is made from: policies, rights to use them, namespaces, and what runs. Files are
// those that `kubectl get -o yaml` writes.

import { hasPodTemplate, podTemplateOf, type GroupResource } from '@keelson/pod-security';
import type { JsonObject } from '@keelson/apimachinery';
import { identityOf, showIdentity } from '../sources/object-names.ts';
import type { SourcedObject } from '../sources/source.ts';
import {
  isPodSecurityPolicy,
  objectOf,
  objectsOf,
  parsePodSecurityPolicy,
  textOf,
  type PodSecurityPolicy,
} from './pod-security-policy.ts';

export interface MigrationInput {
  /** By name, as the admission plugin tried them. */
  readonly policies: readonly PodSecurityPolicy[];
  /** Roles and bindings, in version v1. */
  readonly rights: readonly SourcedObject[];
  readonly namespaces: ReadonlyMap<string, JsonObject>;
  readonly pods: readonly RunningPod[];
  /** Kinds that were given and say nothing about pods. */
  readonly ignored: readonly string[];
}

export interface RunningPod {
  /** `Deployment web`. */
  readonly owner: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Who creates it: the controller of a workload; undefined for a pod, whose author is unknown. */
  readonly creator: string | undefined;
  /** Metadata and spec. */
  readonly pod: JsonObject;
  /** The policy that admitted it, which the plugin wrote down; it has been mutated since. */
  readonly admittedBy: string | undefined;
}

/** Workloads of today and of the versions in which old dumps have them. */
const resources: Readonly<Record<string, GroupResource>> = {
  PodTemplate: { group: '', resource: 'podtemplates' },
  ReplicationController: { group: '', resource: 'replicationcontrollers' },
  ReplicaSet: { group: 'apps', resource: 'replicasets' },
  Deployment: { group: 'apps', resource: 'deployments' },
  StatefulSet: { group: 'apps', resource: 'statefulsets' },
  DaemonSet: { group: 'apps', resource: 'daemonsets' },
  Job: { group: 'batch', resource: 'jobs' },
  CronJob: { group: 'batch', resource: 'cronjobs' },
};

const creators: Readonly<Record<string, string>> = {
  ReplicationController: 'replication-controller',
  ReplicaSet: 'replicaset-controller',
  Deployment: 'replicaset-controller',
  StatefulSet: 'statefulset-controller',
  DaemonSet: 'daemon-set-controller',
  Job: 'job-controller',
  CronJob: 'job-controller',
};

export function readMigrationInput(objects: readonly SourcedObject[]): MigrationInput {
  const policies: PodSecurityPolicy[] = [];
  const rights: SourcedObject[] = [];
  const namespaces = new Map<string, JsonObject>();
  const pods: RunningPod[] = [];
  const ignored = new Set<string>();
  for (const { object, source } of objects) {
    const { kind, apiVersion, name } = identityOf(object);
    if (isPodSecurityPolicy(object)) policies.push(parsePodSecurityPolicy(object));
    else if (apiVersion.startsWith('rbac.authorization.k8s.io/'))
      rights.push({ object: { ...object, apiVersion: 'rbac.authorization.k8s.io/v1' }, source });
    else if (kind === 'Namespace') namespaces.set(name, object);
    else if (kind === 'Pod') pods.push(...runningPod(object, object));
    else if (kind in resources) pods.push(...templateOf(object, kind));
    else ignored.add(kind);
  }
  for (const { namespace } of pods)
    if (!namespaces.has(namespace)) namespaces.set(namespace, { metadata: { name: namespace } });
  return {
    policies: policies.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    rights,
    namespaces,
    pods,
    ignored: [...ignored].toSorted(),
  };
}

function templateOf(object: JsonObject, kind: string): RunningPod[] {
  const resource = resources[kind];
  if (resource === undefined || !hasPodTemplate(resource)) return [];
  // A workload of another is judged by that one.
  const owners = objectsOf(objectOf(object['metadata'])['ownerReferences']);
  if (owners.some(({ controller }) => controller === true)) return [];
  const template = podTemplateOf(resource, object);
  return template === undefined || template === 'absent'
    ? []
    : runningPod(object, template as unknown as JsonObject);
}

function runningPod(object: JsonObject, pod: JsonObject): RunningPod[] {
  const { namespace, kind } = identityOf(object);
  const spec = objectOf(pod['spec']);
  const controller = creators[kind];
  const metadata = objectOf(pod['metadata']);
  const annotations = objectOf(metadata['annotations']);
  // A mirror of a static pod was admitted by nobody.
  if (annotations['kubernetes.io/config.mirror'] !== undefined) return [];
  return [
    {
      owner: showIdentity({ ...identityOf(object), namespace: '' }),
      namespace: namespace || 'default',
      serviceAccount: textOf(spec['serviceAccountName']) || 'default',
      creator: controller && `system:serviceaccount:kube-system:${controller}`,
      pod: { metadata, spec },
      admittedBy: textOf(annotations['kubernetes.io/psp']) || undefined,
    },
  ];
}
