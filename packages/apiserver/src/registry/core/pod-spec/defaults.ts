// Defaults of a pod specification, in pods and in templates (k8s.io/kubernetes/pkg/apis/core/v1).

import {
  defaultPullPolicy,
  formatQuantity,
  parseQuantity,
  quantityScale,
  roundUpQuantity,
} from '@keelson/apimachinery';
import type {
  Container,
  LifecycleHandler,
  ObjectFieldSelector,
  PodSpec,
  PodTemplateSpec,
  Probe,
  ResourceRequirements,
} from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { containerLists, type AnyContainer } from './visit-containers.ts';
import { defaultVolume } from './volume-defaults.ts';

export function defaultPodSpec(spec: PodSpec, features: Features): void {
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.restartPolicy ||= 'Always';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  syncServiceAccount(spec);
  for (const volume of spec.volumes ?? []) defaultVolume(volume, features);
  for (const [, containers] of containerLists(spec))
    for (const c of containers) defaultContainer(c);
  if (spec.overhead) roundUpResources(spec.overhead);
  roundUpRequirements(spec.resources);
  if (features.enabled('DefaultHostNetworkHostPortsInPodTemplates')) defaultHostPorts(spec);
}

/** The template of a workload; absent parts are made. */
export function defaultPodTemplate(template: PodTemplateSpec, features: Features): void {
  template.spec ??= { containers: null };
  dropInitContainerAnnotations(template.metadata?.annotations);
  defaultPodSpec(template.spec, features);
}

/** `serviceAccount` is the old name of `serviceAccountName`; both are written. */
export function syncServiceAccount(spec: PodSpec): void {
  spec.serviceAccountName ||= spec.serviceAccount;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else {
    delete spec.serviceAccountName;
    delete spec.serviceAccount;
  }
}

/** On the node's network a port of a container is a port of the node. */
export function defaultHostPorts(spec: PodSpec): void {
  if (!spec.hostNetwork) return;
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort;
  }
}

const oldInitContainerKeys = [
  'pod.beta.kubernetes.io/init-containers',
  'pod.alpha.kubernetes.io/init-containers',
  'pod.beta.kubernetes.io/init-container-statuses',
  'pod.alpha.kubernetes.io/init-container-statuses',
];

/** Annotations in which init containers stood before there was a field. */
export function dropInitContainerAnnotations(
  annotations: Record<string, string> | undefined,
): void {
  for (const key of oldInitContainerKeys) delete annotations?.[key];
}

function defaultContainer(container: AnyContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? '');
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const { valueFrom } of container.env ?? []) {
    defaultFieldRef(valueFrom?.fieldRef);
    if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false;
  }
  roundUpRequirements(container.resources);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) defaultProbe(probe);
  }
  defaultHandler(container.lifecycle?.postStart);
  defaultHandler(container.lifecycle?.preStop);
}

export function defaultFieldRef(ref: ObjectFieldSelector | undefined): void {
  if (ref) ref.apiVersion ||= 'v1';
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHandler(probe);
  if (probe.grpc) probe.grpc.service ??= '';
}

function defaultHandler(handler: Pick<LifecycleHandler, 'httpGet'> | undefined): void {
  const get = handler?.httpGet;
  if (!get) return;
  get.path ||= '/';
  get.scheme ||= 'HTTP';
}

function roundUpRequirements(requirements: ResourceRequirements | undefined): void {
  if (requirements?.limits) roundUpResources(requirements.limits);
  if (requirements?.requests) roundUpResources(requirements.requests);
}

/** Amounts finer than a thousandth are rounded up. */
export function roundUpResources(list: Record<string, string>): void {
  for (const [name, text] of Object.entries(list)) {
    const quantity = parseQuantity(text);
    const rounded = roundUpQuantity(quantity, quantityScale.milli);
    if (rounded !== quantity) list[name] = formatQuantity(rounded);
  }
}

/** Requests of a container default to its limits; only in pods. */
export function defaultRequests(containers: readonly Container[] | null | undefined): void {
  for (const { resources } of containers ?? []) {
    if (!resources?.limits) continue;
    resources.requests ??= {};
    for (const [name, text] of Object.entries(resources.limits)) resources.requests[name] ??= text;
  }
}
