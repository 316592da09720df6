// For each controller: the kinds among which its users are busy, and what must be true when
// nothing changes any more. What is true for one is looked at in the lives of all others, too.

import {
  formatApiVersion,
  type JsonObject,
  type KubeObject,
  type OwnerReference,
} from '@keelson/apimachinery';
import type { HorizontalPodAutoscaler } from '@keelson/apimachinery/types/autoscaling.v2';
import type { Deployment, ReplicaSet, StatefulSet } from '@keelson/apimachinery/types/apps.v1';
import type { Job } from '@keelson/apimachinery/types/batch.v1';
import type { CertificateSigningRequest } from '@keelson/apimachinery/types/certificates.k8s.io.v1';
import type {
  ConfigMap,
  Namespace,
  PersistentVolumeClaim,
  Pod,
  ReplicationController,
  ResourceQuota,
  Secret,
} from '@keelson/apimachinery/types/core.v1';
import type { PodDisruptionBudget } from '@keelson/apimachinery/types/policy.v1';
import type { ClusterRole } from '@keelson/apimachinery/types/rbac.authorization.k8s.io.v1';
import type { ControllerCase } from './controller-case.ts';
import { infrastructureCases } from './infrastructure-cases.ts';
import { keyOf, served, type Look } from './look.ts';

const isActive = ({ status = {}, metadata }: Pod) =>
  status.phase !== 'Succeeded' &&
  status.phase !== 'Failed' &&
  metadata.deletionTimestamp === undefined;
const isStaying = ({ metadata }: KubeObject) => metadata.deletionTimestamp === undefined;
const controllerOf = ({ metadata: { ownerReferences = [] } }: KubeObject) =>
  ownerReferences.find(({ controller }) => controller === true);
const podCertificates = 'certificates.k8s.io/podcertificaterequests';
const livingNamespaces = (look: Look) => look.of<Namespace>('/namespaces').filter(isStaying);

export const controllerCases: Readonly<Record<string, ControllerCase>> = {
  'namespace-controller': {
    kinds: ['/configmaps', '/pods', '/serviceaccounts', 'apps/deployments', '/secrets'],
    *wrong(look) {
      const there = new Set(look.of('/namespaces').map(({ metadata }) => metadata.name));
      for (const object of look.all) {
        const { namespace } = object.metadata;
        if (namespace !== undefined && !there.has(namespace))
          yield `${keyOf(object)} is in a namespace that is gone`;
      }
      const ours = new Set(['kubernetes', 'orphan', 'foregroundDeletion']);
      for (const { metadata, spec } of look.of<Namespace>('/namespaces')) {
        const { name = '', deletionTimestamp, finalizers = [] } = metadata;
        // What others hold is theirs to let go.
        const isHeld = [...finalizers, ...(spec?.finalizers ?? [])].some((one) => !ours.has(one));
        const isEmpty = look.all.every((object) => object.metadata.namespace !== name);
        if (deletionTimestamp !== undefined && isEmpty && !isHeld)
          yield `${name} is empty and stays`;
      }
    },
  },
  'serviceaccount-controller': {
    kinds: ['/serviceaccounts', '/namespaces'],
    lives: [
      // A namespace with a finalizer of somebody else among those of its spec.
      [
        203707, 512911, 10575, 823739, 940068, 15088, 84788, 79452, 137642, 319375, 421211, 699918,
        430042, 362102, 906747, 702306, 889679, 333150, 279573, 956234, 576061, 832530, 336574,
        464258,
      ],
    ],
    *wrong(look) {
      for (const { metadata } of livingNamespaces(look))
        if (!has(look, '/serviceaccounts', `${metadata.name}/default`))
          yield `${metadata.name} has no default account`;
    },
  },
  'serviceaccount-token-controller': {
    kinds: ['/serviceaccounts', '/secrets'],
    *wrong(look) {
      for (const secret of look.of<Secret>('/secrets')) {
        if (secret.type !== 'kubernetes.io/service-account-token') continue;
        const account = secret.metadata.annotations?.['kubernetes.io/service-account.name'];
        if (!has(look, '/serviceaccounts', `${secret.metadata.namespace}/${account}`))
          yield `${keyOf(secret)} is for an account that is gone`;
      }
    },
  },
  'service-ca-certificate-publisher-controller': publisher('openshift-service-ca.crt'),
  'root-ca-certificate-publisher-controller': publisher('kube-root-ca.crt'),
  'garbage-collector-controller': {
    kinds: ['/configmaps', '/secrets', 'apps/replicasets', 'apps/deployments', '/pods'],
    *wrong(look) {
      const owners = new Map(look.all.map((object) => [object.metadata.uid, object]));
      for (const object of look.all) {
        const { ownerReferences = [], namespace } = object.metadata;
        const isThere = ({ uid }: OwnerReference) => {
          const owner = owners.get(uid);
          const space = owner?.metadata.namespace;
          return owner !== undefined && (space === undefined || space === namespace);
        };
        // What is in no namespace cannot say which namespace its owner is in, and stays.
        if (namespace === undefined && ownerReferences.some(isNamespaced)) continue;
        if (isStaying(object) && ownerReferences.length > 0 && !ownerReferences.some(isThere))
          yield `${keyOf(object)} stays, and its owners are gone`;
        if (ownerReferences.filter(({ controller }) => controller === true).length > 1)
          yield `${keyOf(object)} has two controllers`;
      }
    },
  },
  'clusterrole-aggregation-controller': {
    kinds: ['rbac.authorization.k8s.io/clusterroles'],
    *wrong(look) {
      const roles = look.of<ClusterRole>('rbac.authorization.k8s.io/clusterroles');
      const view = roles.find(({ metadata }) => metadata.name === 'view');
      const all = new Set(view?.rules?.map((rule) => JSON.stringify(rule)));
      for (const { metadata, rules } of roles) {
        const label = metadata.labels?.['rbac.authorization.k8s.io/aggregate-to-view'];
        if (label !== 'true') continue;
        for (const rule of rules ?? [])
          if (!all.has(JSON.stringify(rule))) yield `view has no rule of ${metadata.name}`;
      }
    },
  },
  'deployment-controller': {
    kinds: ['apps/deployments', 'apps/replicasets', '/pods'],
    *wrong(look) {
      for (const deployment of look.of<Deployment>('apps/deployments').filter(isStaying)) {
        const { replicas = 1, strategy } = deployment.spec ?? {};
        const { generation, uid } = deployment.metadata;
        if (deployment.status?.observedGeneration !== generation)
          yield `${keyOf(deployment)} is not observed`;
        const sets = look
          .of<ReplicaSet>('apps/replicasets')
          .filter((set) => isStaying(set) && controllerOf(set)?.uid === uid);
        const wanted = sets.reduce((sum, { spec }) => sum + (spec?.replicas ?? 1), 0);
        const most = replicas + surgeOf(strategy?.rollingUpdate?.maxSurge, replicas);
        if (wanted > most) yield `${keyOf(deployment)} wants ${wanted} of ${most} pods at most`;
      }
    },
  },
  'statefulset-controller': {
    kinds: ['apps/statefulsets', '/pods', '/persistentvolumeclaims'],
    *wrong(look) {
      const pods = look.of<Pod>('/pods').filter(isActive);
      for (const set of look.of<StatefulSet>('apps/statefulsets').filter(isStaying)) {
        const count = pods.filter((pod) => controllerOf(pod)?.uid === set.metadata.uid).length;
        const { replicas = 1 } = set.spec ?? {};
        if (count > replicas) yield `${keyOf(set)} has ${count} of ${replicas} pods`;
      }
    },
  },
  'daemonset-controller': { kinds: ['apps/daemonsets', '/nodes', '/pods'] },
  'job-controller': {
    kinds: ['batch/jobs', '/pods'],
    *wrong(look) {
      const jobs = new Set(look.of<Job>('batch/jobs').map(({ metadata }) => metadata.uid));
      for (const pod of look.of<Pod>('/pods')) {
        const isHeld = pod.metadata.finalizers?.includes('batch.kubernetes.io/job-tracking');
        const owner = controllerOf(pod);
        if (isHeld === true && owner?.kind === 'Job' && !jobs.has(owner.uid))
          yield `${keyOf(pod)} is held for a Job that is gone`;
      }
    },
  },
  'cronjob-controller': { kinds: ['batch/cronjobs', 'batch/jobs'] },
  'ttl-after-finished-controller': {
    kinds: ['batch/jobs', '/pods'],
    *wrong(look) {
      for (const job of look.of<Job>('batch/jobs').filter(isStaying)) {
        const { ttlSecondsAfterFinished: ttl } = job.spec ?? {};
        if (job.status?.completionTime !== undefined && ttl === 0) yield `${keyOf(job)} stays`;
      }
    },
  },
  'replicaset-controller': {
    kinds: ['apps/replicasets', '/pods'],
    wrong: (look) => miscounted(look, 'apps/replicasets'),
  },
  'replicationcontroller-controller': {
    kinds: ['/replicationcontrollers', '/pods'],
    lives: [
      // Events that were not written yet when the controllers were stopped.
      [
        186188, 208747, 154793, 59507, 947025, 774714, 713917, 245561, 240027, 717579, 462715,
        721065, 495538, 263023, 90903, 687646, 847667, 791004,
      ],
    ],
    wrong: (look) => miscounted(look, '/replicationcontrollers'),
  },
  'horizontal-pod-autoscaler-controller': {
    kinds: ['autoscaling/horizontalpodautoscalers', 'apps/deployments'],
    *wrong(look) {
      const scalers = look.of<HorizontalPodAutoscaler>('autoscaling/horizontalpodautoscalers');
      for (const scaler of scalers.filter(isStaying)) {
        const { desiredReplicas = 0 } = scaler.status ?? {};
        const { maxReplicas } = scaler.spec;
        const followed = scaler.status?.lastScaleTime !== undefined;
        if (followed && desiredReplicas > maxReplicas)
          yield `${keyOf(scaler)} wants ${desiredReplicas} of at most ${maxReplicas}`;
      }
    },
  },
  'disruption-controller': {
    kinds: ['policy/poddisruptionbudgets', 'apps/replicasets', '/pods'],
    *wrong(look) {
      for (const budget of look.of<PodDisruptionBudget>('policy/poddisruptionbudgets')) {
        const { status, metadata } = budget;
        if (!isStaying(budget)) continue;
        const spare = Math.max(0, (status?.currentHealthy ?? 0) - (status?.desiredHealthy ?? 0));
        if ((status?.disruptionsAllowed ?? 0) > spare)
          yield `${keyOf(budget)} allows more than the ${spare} that it may`;
        if (status?.observedGeneration !== metadata.generation)
          yield `${keyOf(budget)} is not observed`;
      }
    },
  },
  'resourcequota-controller': {
    kinds: ['/resourcequotas', '/configmaps', '/pods', '/services'],
    *wrong(look) {
      for (const quota of look.of<ResourceQuota>('/resourcequotas').filter(isStaying)) {
        const { namespace } = quota.metadata;
        for (const resource of ['configmaps', 'secrets', 'resourcequotas']) {
          const used = quota.status?.used?.[resource];
          const all = look.of(`/${resource}`).filter((one) => one.metadata.namespace === namespace);
          if (used !== undefined && Number(used) !== all.length)
            yield `${keyOf(quota)} counts ${used} ${resource} of ${all.length}`;
        }
      }
    },
  },
  ...infrastructureCases,
  'persistentvolumeclaim-protection-controller': {
    kinds: ['/persistentvolumeclaims', '/pods', '/persistentvolumes'],
    wrong: (look) => kept(look, '/persistentvolumeclaims', 'kubernetes.io/pvc-protection'),
  },
  'persistentvolume-protection-controller': {
    kinds: ['/persistentvolumes', '/persistentvolumeclaims'],
    wrong: (look) => kept(look, '/persistentvolumes', 'kubernetes.io/pv-protection'),
  },
  'volumeattributesclass-protection-controller': {
    kinds: ['storage.k8s.io/volumeattributesclasses', '/persistentvolumeclaims'],
    *wrong(look) {
      const claims = look.of<PersistentVolumeClaim>('/persistentvolumeclaims');
      for (const object of look.of('storage.k8s.io/volumeattributesclasses')) {
        if (isStaying(object)) continue;
        const { name, finalizers } = object.metadata;
        const isWanted = claims.some(({ spec }) => spec?.volumeAttributesClassName === name);
        if (!isWanted && finalizers?.includes('kubernetes.io/vac-protection'))
          yield `${keyOf(object)} is kept, and nobody uses it`;
      }
    },
  },
  'validatingadmissionpolicy-status-controller': {
    kinds: ['admissionregistration.k8s.io/validatingadmissionpolicies'],
    *wrong(look) {
      const id = 'admissionregistration.k8s.io/validatingadmissionpolicies';
      for (const policy of look.of<KubeObject & { status?: JsonObject }>(id))
        if (policy.status?.['observedGeneration'] !== policy.metadata.generation)
          yield `${keyOf(policy)} is not observed`;
    },
  },
  'certificatesigningrequest-approving-controller': {
    kinds: ['certificates.k8s.io/certificatesigningrequests'],
  },
  'certificatesigningrequest-signing-controller': {
    kinds: ['certificates.k8s.io/certificatesigningrequests'],
    *wrong(look) {
      const id = 'certificates.k8s.io/certificatesigningrequests';
      for (const { metadata, spec, status } of look.of<CertificateSigningRequest>(id)) {
        const types = (status?.conditions ?? []).map(({ type }) => type);
        const isOurs = spec?.signerName?.startsWith('kubernetes.io/kube-apiserver-client') === true;
        const isDecided = types.includes('Denied') || types.includes('Failed');
        if (isOurs && types.includes('Approved') && !isDecided && status?.certificate === undefined)
          yield `${metadata.name} is approved and not signed`;
      }
    },
  },
  'certificatesigningrequest-cleaner-controller': {
    kinds: ['certificates.k8s.io/certificatesigningrequests'],
  },
  'podcertificaterequest-cleaner-controller': {
    kinds: [podCertificates, '/pods', '/serviceaccounts'],
    *wrong(look) {
      for (const request of look.of(podCertificates))
        if (isStaying(request)) yield `${keyOf(request)} was not deleted in time`;
    },
  },
  'kube-apiserver-serving-clustertrustbundle-publisher-controller': { kinds: ['/configmaps'] },
  'legacy-serviceaccount-token-cleaner-controller': {
    kinds: ['/secrets', '/serviceaccounts', '/pods'],
  },
  'bootstrap-signer-controller': { kinds: ['/secrets', '/configmaps'] },
  'token-cleaner-controller': { kinds: ['/secrets'] },
};

const namespacedKinds = new Set(
  served
    .filter(({ namespaced }) => namespaced)
    .map(({ group, version, kind }) => `${formatApiVersion({ group, version })} ${kind}`),
);

function isNamespaced({ apiVersion, kind }: OwnerReference): boolean {
  return namespacedKinds.has(`${apiVersion} ${kind}`);
}

function has(look: Look, id: string, key: string): boolean {
  return look.of(id).some((object) => keyOf(object) === key);
}

function publisher(name: string): ControllerCase {
  return {
    kinds: ['/configmaps', '/namespaces'],
    *wrong(look) {
      for (const { metadata } of livingNamespaces(look)) {
        const key = `${metadata.name}/${name}`;
        const map = look.of<ConfigMap>('/configmaps').find((one) => keyOf(one) === key);
        if (Object.keys(map?.data ?? {}).length !== 1) yield `${key} is not as published`;
      }
    },
  };
}

/** As many pods as are wanted, unless it says why not. */
function* miscounted(look: Look, id: string): Iterable<string> {
  const pods = look.of<Pod>('/pods').filter(isActive);
  for (const keeper of look.of<ReplicaSet | ReplicationController>(id).filter(isStaying)) {
    const { uid } = keeper.metadata;
    const count = pods.filter((pod) => controllerOf(pod)?.uid === uid).length;
    const { replicas = 1 } = keeper.spec ?? {};
    const hasFailed = keeper.status?.conditions?.some(({ type }) => type === 'ReplicaFailure');
    const space = look
      .of('/namespaces')
      .find((one) => one.metadata.name === keeper.metadata.namespace);
    const isEnding = space === undefined || !isStaying(space);
    if (count > replicas || (count < replicas && hasFailed !== true && !isEnding))
      yield `${keyOf(keeper)} has ${count} of ${replicas} pods`;
    if (keeper.status?.replicas !== count) yield `${keyOf(keeper)} counts not its ${count} pods`;
  }
}

function surgeOf(surge: number | string | undefined, replicas: number): number {
  if (typeof surge === 'number') return surge;
  return Math.ceil((replicas * Number.parseFloat(surge ?? '25%')) / 100);
}

/** Deleted, and only its protection keeps what nobody uses. */
function* kept(look: Look, id: string, finalizer: string): Iterable<string> {
  const pods = look.of<Pod>('/pods').filter(({ spec }) => (spec?.nodeName ?? '') !== '');
  for (const object of look.of(id)) {
    if (isStaying(object) || !object.metadata.finalizers?.includes(finalizer)) continue;
    const { name, namespace } = object.metadata;
    const isUsed = pods.some(
      ({ metadata, spec }) =>
        metadata.namespace === namespace &&
        spec?.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === name),
    );
    const isBound = (object as KubeObject & { status?: JsonObject }).status?.['phase'] === 'Bound';
    if (!isUsed && !isBound) yield `${keyOf(object)} is kept, and nobody uses it`;
  }
}
