// Validation of Services (pkg/apis/core/validation ValidateService), in Kubernetes' order.
// Addresses and families stand in `cluster-ip-validation.ts`, what an update may not change in
// `update-validation.ts`.

import { fieldError, type FieldError } from '@keelson/apimachinery';
import type {
  Service,
  ServicePort,
  ServiceSpec,
  SessionAffinityConfig,
} from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import {
  conforms,
  inRange,
  oneOf,
  portRange,
  required,
  requiredOneOf,
} from '../../validation/checks.ts';
import { labels } from '../../validation/labels.ts';
import { cidrForLegacyField, ipForLegacyField } from '../../validation/legacy-addresses.ts';
import { dns1123Label, dns1123Subdomain, portName, qualifiedName } from '../../validation/names.ts';
import { nonSpecialIp } from '../../validation/special-addresses.ts';
import { validateClusterIpFields } from './cluster-ip-validation.ts';
import { hasClusterIpType, isExternallyAccessible, needsHealthCheck } from './defaults.ts';
import { headlessIp, isHeadless } from './linked-fields.ts';

export const topologyHintsAnnotation = 'service.kubernetes.io/topology-aware-hints';
const topologyModeAnnotation = 'service.kubernetes.io/topology-mode';
const sourceRangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const protocols = ['SCTP', 'TCP', 'UDP'];
const affinities = ['ClientIP', 'None'];
const trafficPolicies = ['Cluster', 'Local'];
/** The kubelet's own port, which a load balancer must not open to the world. */
const kubeletPort = 10250;
const affinitySecondsMax = 86400;

export function validateService(
  service: Service,
  old: Service | undefined,
  features: Features,
): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = service;
  checkTopologyAnnotations(errors, service);
  if (!spec.ports?.length && !isHeadless(spec) && spec.type !== 'ExternalName') {
    errors.push(fieldError.required('spec.ports'));
  }
  checkByType(errors, spec);
  checkPorts(errors, spec);
  labels(errors, 'spec.selector', spec.selector);
  checkAffinity(errors, spec);
  errors.push(...validateClusterIpFields(service, old, features));
  spec.externalIPs?.forEach((ip, i) => {
    const path = `spec.externalIPs[${i}]`;
    if (ipForLegacyField(errors, path, ip, { existing: old?.spec.externalIPs, features })) {
      nonSpecialIp(errors, path, ip);
    }
  });
  requiredOneOf(errors, 'spec.type', spec.type, types);
  checkDuplicatePorts(errors, spec);
  checkSourceRanges(errors, [service, old], features);
  checkLoadBalancerFields(errors, spec);
  errors.push(...validateLoadBalancerClass(service, undefined));
  checkTrafficPolicies(errors, spec);
  if (spec.trafficDistribution !== undefined) {
    const supported = trafficDistributions(features);
    oneOf(errors, 'spec.trafficDistribution', spec.trafficDistribution, supported);
  }
  return errors;
}

function checkTopologyAnnotations(errors: FieldError[], { metadata }: Service): void {
  const hints = metadata.annotations?.[topologyHintsAnnotation];
  const mode = metadata.annotations?.[topologyModeAnnotation];
  if (hints === undefined || mode === undefined || hints === mode) return;
  const path = `metadata.annotations[${topologyModeAnnotation}]`;
  const why = `must match annotations[${topologyHintsAnnotation}] when both are specified`;
  errors.push(fieldError.invalid(path, mode, why));
}

function checkByType(errors: FieldError[], spec: ServiceSpec): void {
  switch (spec.type) {
    case 'LoadBalancer':
      spec.ports?.forEach(({ port }, i) => {
        if (port !== kubeletPort) return;
        const why = `may not expose port ${port} externally since it is used by kubelet`;
        errors.push(fieldError.invalid(`spec.ports[${i}]`, port, why));
      });
      refuseHeadless(errors, spec);
      break;
    case 'NodePort':
      refuseHeadless(errors, spec);
      break;
    case 'ExternalName':
      checkExternalName(errors, spec);
  }
}

function refuseHeadless(errors: FieldError[], spec: ServiceSpec): void {
  if (!isHeadless(spec)) return;
  const why = `may not be set to 'None' for ${spec.type} services`;
  errors.push(fieldError.invalid('spec.clusterIPs[0]', headlessIp, why));
}

function checkExternalName(errors: FieldError[], spec: ServiceSpec): void {
  const why = 'may not be set for ExternalName services';
  if (spec.clusterIPs?.length) {
    errors.push(fieldError.invalid('spec.clusterIPs', spec.clusterIPs, why));
  }
  if (spec.ipFamilies?.length) {
    errors.push(fieldError.invalid('spec.ipFamilies', spec.ipFamilies, why));
  }
  if (spec.ipFamilyPolicy !== undefined) {
    errors.push(fieldError.invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why));
  }
  // A trailing dot only says that the name is fully qualified.
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (required(errors, 'spec.externalName', name)) {
    conforms(errors, 'spec.externalName', name, dns1123Subdomain);
  }
}

function checkPorts(errors: FieldError[], spec: ServiceSpec): void {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  ports.forEach((port, i) => {
    const path = `spec.ports[${i}]`;
    if (port.name) {
      conforms(errors, `${path}.name`, port.name, dns1123Label);
      if (names.has(port.name)) errors.push(fieldError.duplicate(`${path}.name`, port.name));
      names.add(port.name);
    } else if (ports.length > 1) {
      errors.push(fieldError.required(`${path}.name`));
    }
    inRange(errors, `${path}.port`, port.port, portRange);
    requiredOneOf(errors, `${path}.protocol`, port.protocol, protocols);
    checkTargetPort(errors, `${path}.targetPort`, port.targetPort);
    if (port.appProtocol !== undefined) {
      conforms(errors, `${path}.appProtocol`, port.appProtocol, qualifiedName);
    }
  });
}

function checkTargetPort(
  errors: FieldError[],
  path: string,
  port: ServicePort['targetPort'],
): void {
  if (typeof port === 'string') conforms(errors, path, port, portName);
  else inRange(errors, path, port, portRange);
}

function checkAffinity(errors: FieldError[], spec: ServiceSpec): void {
  requiredOneOf(errors, 'spec.sessionAffinity', spec.sessionAffinity, affinities);
  if (spec.sessionAffinity === 'ClientIP') checkClientIp(errors, spec.sessionAffinityConfig);
  else if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig) {
    const why = 'must not be set when session affinity is None';
    errors.push(fieldError.forbidden('spec.sessionAffinityConfig', why));
  }
}

function checkClientIp(errors: FieldError[], config: SessionAffinityConfig | undefined): void {
  const path = 'spec.sessionAffinityConfig';
  const why = 'when session affinity type is ClientIP';
  if (!required(errors, path, config, why)) return;
  if (!required(errors, `${path}.clientIP`, config?.clientIP, why)) return;
  const seconds = config?.clientIP?.timeoutSeconds;
  const secondsPath = `${path}.clientIP.timeoutSeconds`;
  if (!required(errors, secondsPath, seconds, why) || seconds === undefined) return;
  if (seconds > 0 && seconds <= affinitySecondsMax) return;
  const range = `must be greater than 0 and less than ${affinitySecondsMax}`;
  errors.push(fieldError.invalid(secondsPath, seconds, range));
}

function checkDuplicatePorts(errors: FieldError[], spec: ServiceSpec): void {
  const ports = spec.ports ?? [];
  if (spec.type === 'ClusterIP') {
    ports.forEach(({ nodePort }, i) => {
      if (!nodePort) return;
      const why = "may not be used when `type` is 'ClusterIP'";
      errors.push(fieldError.forbidden(`spec.ports[${i}].nodePort`, why));
    });
  }
  const nodePorts = new Set<string>();
  ports.forEach(({ protocol, nodePort }, i) => {
    if (!nodePort) return;
    const key = `${protocol} ${nodePort}`;
    if (nodePorts.has(key))
      errors.push(fieldError.duplicate(`spec.ports[${i}].nodePort`, nodePort));
    nodePorts.add(key);
  });
  const numbers = new Set<string>();
  ports.forEach(({ protocol = '', port }, i) => {
    const key = `${protocol} ${port}`;
    if (numbers.has(key)) {
      errors.push(fieldError.duplicate(`spec.ports[${i}]`, duplicatePort(protocol, port)));
    }
    numbers.add(key);
  });
}

/** COMPAT: the key under which Kubernetes looks for duplicates, printed with Go's field names. */
function duplicatePort(protocol: string, port: number) {
  return {
    Name: '',
    Protocol: protocol,
    AppProtocol: null,
    Port: port,
    TargetPort: 0,
    NodePort: 0,
  };
}

function checkSourceRanges(
  errors: FieldError[],
  [service, old]: readonly [Service, Service | undefined],
  features: Features,
): void {
  const { spec } = service;
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const why = "may only be used when `type` is 'LoadBalancer'";
  if (ranges.length > 0) {
    // COMPAT: the capital letter is Kubernetes' own.
    const path = 'spec.LoadBalancerSourceRanges';
    if (spec.type !== 'LoadBalancer') errors.push(fieldError.forbidden(path, why));
    const existing = old?.spec.loadBalancerSourceRanges?.map((range) => range.trim());
    ranges.forEach((range, i) => {
      cidrForLegacyField(errors, `${path}[${i}]`, range.trim(), { existing, features });
    });
    return;
  }
  const annotation = service.metadata.annotations?.[sourceRangesAnnotation];
  if (annotation === undefined) return;
  const path = `metadata.annotations[${sourceRangesAnnotation}]`;
  if (spec.type !== 'LoadBalancer') errors.push(fieldError.forbidden(path, why));
  if (annotation.trim() === '') return;
  if (old?.metadata.annotations?.[sourceRangesAnnotation] === annotation) return;
  for (const range of annotation.split(',')) {
    cidrForLegacyField(errors, path, range.trim(), { features });
  }
}

function checkLoadBalancerFields(errors: FieldError[], spec: ServiceSpec): void {
  const isSet = spec.allocateLoadBalancerNodePorts !== undefined;
  if (isSet && spec.type !== 'LoadBalancer') {
    const why = "may only be used when `type` is 'LoadBalancer'";
    errors.push(fieldError.forbidden('spec.allocateLoadBalancerNodePorts', why));
  }
  if (!isSet && spec.type === 'LoadBalancer') {
    errors.push(fieldError.required('allocateLoadBalancerNodePorts'));
  }
}

export function validateLoadBalancerClass(
  service: Service,
  old: Service | undefined,
): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'spec.loadBalancerClass';
  const { type, loadBalancerClass } = service.spec;
  if (old?.spec.type === 'LoadBalancer' && type === 'LoadBalancer') {
    if (old.spec.loadBalancerClass !== loadBalancerClass) {
      errors.push(fieldError.invalid(path, loadBalancerClass, 'may not change once set'));
    }
  }
  if (loadBalancerClass === undefined) return errors;
  if (type === 'LoadBalancer') conforms(errors, path, loadBalancerClass, qualifiedName);
  else errors.push(fieldError.forbidden(path, "may only be used when `type` is 'LoadBalancer'"));
  return errors;
}

function checkTrafficPolicies(errors: FieldError[], spec: ServiceSpec): void {
  const external = spec.externalTrafficPolicy;
  const externalPath = 'spec.externalTrafficPolicy';
  if (isExternallyAccessible(spec)) {
    requiredOneOf(errors, externalPath, external, trafficPolicies);
  } else if (external) {
    const why = 'may only be set for externally-accessible services';
    errors.push(fieldError.invalid(externalPath, external, why));
  }
  checkHealthCheckPort(errors, spec);
  const internal = spec.internalTrafficPolicy;
  const internalPath = 'spec.internalTrafficPolicy';
  if (internal !== undefined) oneOf(errors, internalPath, internal, trafficPolicies);
  else if (hasClusterIpType(spec)) errors.push(fieldError.required(internalPath));
}

function checkHealthCheckPort(errors: FieldError[], spec: ServiceSpec): void {
  const port = spec.healthCheckNodePort ?? 0;
  const path = 'spec.healthCheckNodePort';
  if (needsHealthCheck(spec)) {
    if (port === 0) errors.push(fieldError.required(path));
    else inRange(errors, path, port, portRange);
  } else if (port !== 0) {
    const why =
      "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(fieldError.invalid(path, port, why));
  }
}

function trafficDistributions(features: Features): string[] {
  return features.enabled('PreferSameTrafficDistribution')
    ? ['PreferClose', 'PreferSameNode', 'PreferSameZone']
    : ['PreferClose'];
}
