// Warnings about pods and templates of pods: things that are allowed and most likely not meant, and
// features that no longer do anything (k8s.io/kubernetes/pkg/api/pod/warnings.go).

import { isDeepStrictEqual } from 'node:util';
import { quoteGo } from '@keelson/apimachinery';
import type {
  EnvVar,
  PodAffinity,
  PodAntiAffinity,
  PodSpec,
  PodTemplateSpec,
  Volume,
} from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import type { StringMap } from '../../validation/labels.ts';
import { ipWarnings } from '../../validation/networks.ts';
import {
  claimSpecWarnings,
  fractionalBytes,
} from '../persistentvolumeclaims/claim-spec-warnings.ts';
import { appArmorProfileOf } from './app-armor-profiles.ts';
import {
  nodeLabelDeprecation,
  nodeSelectorTermWarnings,
  nodeSelectorWarnings,
} from './node-label-warnings.ts';
import { overlappingPathWarnings } from './overlapping-paths.ts';
import { portWarnings } from './port-warnings.ts';
import { appArmorPrefix, seccompContainerPrefix, seccompPodKey } from './profile-annotations.ts';
import { containersWithPath, type AnyContainer } from './visit-containers.ts';

interface WarningSubject {
  readonly spec: PodSpec;
  readonly annotations: StringMap;
  /** Path in front of `spec` and `metadata`, with a dot at its end; empty for pods. */
  readonly prefix: string;
  readonly features: Features;
}

export function podWarnings(
  spec: PodSpec,
  annotations: StringMap | undefined,
  features: Features,
): string[] {
  return warnings({ spec, annotations: annotations ?? {}, prefix: '', features });
}

/** `path` is that of the template, `spec.template`. */
export function podTemplateWarnings(
  path: string,
  template: PodTemplateSpec | undefined,
  features: Features,
): string[] {
  if (!template?.spec) return [];
  const annotations = template.metadata?.annotations ?? {};
  return warnings({ spec: template.spec, annotations, prefix: `${path}.`, features });
}

function warnings(subject: WarningSubject): string[] {
  const { spec, prefix } = subject;
  return [
    ...placementWarnings(subject),
    ...annotationWarnings(subject),
    ...(spec.volumes ?? []).flatMap((v, i) => volumeWarnings(subject, v, i)),
    ...overlappingPathWarnings(spec.volumes ?? []),
    ...listWarnings(subject),
    ...profileWarnings(subject),
    ...[...containersWithPath(spec, `${prefix}spec`)].flatMap(([c, at]) =>
      containerWarnings(subject, c, at),
    ),
    ...portWarnings(`${prefix}spec`, spec),
    ...gracePeriodWarnings(subject),
    ...affinityTermWarnings(subject),
    ...addressWarnings(subject),
  ];
}

const noMatch = 'a null labelSelector results in matching no pod';

function placementWarnings({ spec, prefix }: WarningSubject): string[] {
  const out: string[] = [];
  for (const label of Object.keys(spec.nodeSelector ?? {})) {
    const why = nodeLabelDeprecation(label);
    if (why !== undefined) out.push(`${prefix}spec.nodeSelector[${label}]: ${why}`);
  }
  const node = spec.affinity?.nodeAffinity;
  const at = `${prefix}spec.affinity.nodeAffinity`;
  const required = `${at}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  out.push(...nodeSelectorWarnings(required, node?.requiredDuringSchedulingIgnoredDuringExecution));
  node?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ preference }, i) => {
    const term = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`;
    out.push(...nodeSelectorTermWarnings(term, preference, { checkValues: true }));
  });
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, i) => {
    const constraint = `${prefix}spec.topologySpreadConstraints[${i}]`;
    const why = nodeLabelDeprecation(topologyKey);
    if (why !== undefined) out.push(`${constraint}.topologyKey: ${topologyKey} is ${why}`);
    if (!labelSelector) out.push(`${constraint}.labelSelector: ${noMatch}`);
  });
  return out;
}

const deprecatedAnnotations: readonly (readonly [key: string, why: string])[] = [
  [
    'scheduler.alpha.kubernetes.io/critical-pod',
    'non-functional in v1.16+; use the "priorityClassName" field instead',
  ],
  [
    'security.alpha.kubernetes.io/sysctls',
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
  [
    'security.alpha.kubernetes.io/unsafe-sysctls',
    'non-functional in v1.11+; use the "sysctls" field instead',
  ],
];

function annotationWarnings({ annotations, prefix }: WarningSubject): string[] {
  return deprecatedAnnotations
    .filter(([key]) => annotations[key] !== undefined)
    .map(([key, why]) => `${prefix}metadata.annotations[${key}]: ${why}`);
}

/** Volume drivers that were removed, by field, with the name that the warning uses. */
const removedDrivers: readonly (readonly [field: keyof Volume, name: string, why: string])[] = [
  ['photonPersistentDisk', 'photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'storageOS', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
];
const laterRemovedDrivers: typeof removedDrivers = [
  ['cephfs', 'cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'rbd', 'deprecated in v1.28, non-functional in v1.31+'],
];

function volumeWarnings(subject: WarningSubject, volume: Volume, index: number): string[] {
  const at = `${subject.prefix}spec.volumes[${index}]`;
  const out: string[] = [];
  if (volume.gitRepo) {
    const off = subject.features.enabled('GitRepoVolumeDriver')
      ? ''
      : ', and disabled by default in v1.33+';
    out.push(`${at}.gitRepo: deprecated in v1.11${off}`);
  }
  const driver = (list: typeof removedDrivers) => {
    for (const [field, name, why] of list) if (volume[field]) out.push(`${at}.${name}: ${why}`);
  };
  driver(removedDrivers);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) out.push(...claimSpecWarnings(`${at}.ephemeral.volumeClaimTemplate.spec`, claim));
  if (subject.features.emulated.minor >= 28) driver(laterRemovedDrivers);
  return out;
}

function listWarnings({ spec, prefix }: WarningSubject): string[] {
  const out: string[] = [];
  const addresses = new Set<string>();
  spec.hostAliases?.forEach(({ ip }, i) => {
    if (addresses.has(ip))
      out.push(`${prefix}spec.hostAliases[${i}].ip: duplicate ip ${quoteGo(ip)}`);
    addresses.add(ip);
  });
  const secrets = new Set<string>();
  const secretPath = (i: number) => `${prefix}spec.imagePullSecrets[${i}].name`;
  spec.imagePullSecrets?.forEach(({ name = '' }, i) => {
    if (secrets.has(name)) out.push(`${secretPath(i)}: duplicate name ${quoteGo(name)}`);
    secrets.add(name);
  });
  spec.imagePullSecrets?.forEach(({ name = '' }, i) => {
    if (name === '') out.push(`${secretPath(i)}: invalid empty name ""`);
  });
  for (const resource of byteResources) {
    const path = `${prefix}spec.overhead[${resource}]`;
    out.push(...fractionalBytes(path, spec.overhead?.[resource]));
  }
  return out;
}

const byteResources = ['memory', 'ephemeral-storage'];

function profileWarnings({ spec, annotations, prefix }: WarningSubject): string[] {
  if (spec.securityContext?.seccompProfile || annotations[seccompPodKey] === undefined) return [];
  return [seccompWarning(prefix, seccompPodKey)];
}

const seccompWarning = (prefix: string, key: string) =>
  `${prefix}metadata.annotations[${key}]: non-functional in v1.27+; use the "seccompProfile" field instead`;

export const appArmorWarning = (prefix: string, key: string): string =>
  `${prefix}metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`;

function containerWarnings(
  subject: WarningSubject,
  container: AnyContainer,
  path: string,
): string[] {
  const { annotations, prefix, spec, features } = subject;
  const out: string[] = [];
  const seccompKey = seccompContainerPrefix + container.name;
  if (!container.securityContext?.seccompProfile && annotations[seccompKey] !== undefined) {
    out.push(seccompWarning(prefix, seccompKey));
  }
  const armorKey = appArmorPrefix + container.name;
  const armor = annotations[armorKey];
  const isTemplate = prefix !== '';
  if (isTemplate && armor !== undefined && features.enabled('AppArmorFields')) {
    const ofPod = spec.securityContext?.appArmorProfile;
    const isSame = ofPod !== undefined && isDeepStrictEqual(ofPod, appArmorProfileOf(armor));
    if (!container.securityContext?.appArmorProfile && !isSame) {
      out.push(appArmorWarning(prefix, armorKey));
    }
  }
  const { limits, requests } = container.resources ?? {};
  for (const name of byteResources) {
    out.push(...fractionalBytes(`${path}.resources.limits[${name}]`, limits?.[name]));
    out.push(...fractionalBytes(`${path}.resources.requests[${name}]`, requests?.[name]));
  }
  return [...out, ...hiddenVariables(path, container.env ?? [])];
}

/** A variable that is defined again without building on its earlier value. */
function hiddenVariables(path: string, env: readonly EnvVar[]): string[] {
  const out: string[] = [];
  const seen = new Set<string>();
  env.forEach(({ name, value = '', valueFrom }, i) => {
    const reference = `$(${name})`;
    const extendsEarlier = !valueFrom && value !== reference && value.includes(reference);
    if (seen.has(name) && !extendsEarlier) {
      out.push(
        `${path}.env[${i}]: hides previous definition of ${quoteGo(name)}, which may be dropped when using apply`,
      );
    }
    seen.add(name);
  });
  return out;
}

function gracePeriodWarnings({ spec, prefix }: WarningSubject): string[] {
  const seconds = spec.terminationGracePeriodSeconds;
  if (seconds === undefined || seconds >= 0) return [];
  return [
    `${prefix}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
  ];
}

function affinityTermWarnings({ spec, prefix }: WarningSubject): string[] {
  const out: string[] = [];
  const visit = (path: string, rules: PodAffinity | PodAntiAffinity | undefined) => {
    rules?.requiredDuringSchedulingIgnoredDuringExecution?.forEach(({ labelSelector }, i) => {
      if (labelSelector) return;
      const at = `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
      out.push(`${at}.labelSelector: ${noMatch}`);
    });
    rules?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ podAffinityTerm }, i) => {
      if (podAffinityTerm.labelSelector) return;
      const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      out.push(`${at}.podAffinityTerm.labelSelector: ${noMatch}`);
    });
  };
  visit(`${prefix}spec.affinity.podAffinity`, spec.affinity?.podAffinity);
  visit(`${prefix}spec.affinity.podAntiAffinity`, spec.affinity?.podAntiAffinity);
  return out;
}

function addressWarnings({ spec, prefix, features }: WarningSubject): string[] {
  if (features.emulated.minor < 34) return [];
  return [
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((ip, i) =>
      ipWarnings(`${prefix}spec.dnsConfig.nameservers[${i}]`, ip),
    ),
    ...(spec.hostAliases ?? []).flatMap(({ ip }, i) =>
      ipWarnings(`${prefix}spec.hostAliases[${i}].ip`, ip),
    ),
  ];
}
