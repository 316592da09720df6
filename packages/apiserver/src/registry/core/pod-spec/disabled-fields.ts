// Fields of features that the emulated release does not have, or has switched off, are removed from
// what a client sends; what the object already uses stays
// (k8s.io/kubernetes/pkg/api/pod DropDisabledTemplateFields).

import type { Container, PodSpec, Volume } from '@keelson/apimachinery/types/core.v1';
import type { Features } from '../../../features/features.ts';
import { podAffinityTerms } from './options.ts';
import { allContainers, isRestartableInitContainer } from './visit-containers.ts';

interface GatedField {
  readonly gate: string;
  /** The specification uses the feature. */
  uses(spec: PodSpec): boolean;
  drop(spec: PodSpec): void;
}

/** A gate that guards one optional field of the specification. */
function field(gate: string, name: keyof PodSpec): GatedField {
  return { gate, uses: (spec) => spec[name] !== undefined, drop: (spec) => delete spec[name] };
}

/** A gate that guards something inside every container. */
function inContainers(
  gate: string,
  uses: (container: Container) => boolean,
  drop: (container: Container) => void,
): GatedField {
  return {
    gate,
    uses: (spec) => allContainers(spec).some(uses),
    drop: (spec) => allContainers(spec).forEach(drop),
  };
}

function inVolumes(
  gate: string,
  uses: (volume: Volume) => boolean,
  drop: (volume: Volume) => void,
): GatedField {
  return {
    gate,
    uses: (spec) => (spec.volumes ?? []).some(uses),
    drop: (spec) => (spec.volumes ?? []).forEach(drop),
  };
}

const projections = (volume: Volume) => volume.projected?.sources ?? [];
const hooks = ({ lifecycle }: Container) =>
  [lifecycle?.postStart, lifecycle?.preStop].filter((hook) => hook !== undefined);

const gatedFields: readonly GatedField[] = [
  field('DynamicResourceAllocation', 'resourceClaims'),
  inContainers(
    'DynamicResourceAllocation',
    (c) => c.resources?.claims !== undefined,
    (c) => delete c.resources?.claims,
  ),
  field('PodSchedulingReadiness', 'schedulingGates'),
  field('UserNamespacesSupport', 'hostUsers'),
  field('PodLevelResources', 'resources'),
  field('HostnameOverride', 'hostnameOverride'),
  field('GenericWorkload', 'schedulingGroup'),
  inContainers(
    'InPlacePodVerticalScaling',
    (c) => c.resizePolicy !== undefined,
    (c) => delete c.resizePolicy,
  ),
  inContainers(
    'ContainerRestartRules',
    (c) => c.restartPolicyRules !== undefined,
    (c) => delete c.restartPolicyRules,
  ),
  {
    gate: 'SidecarContainers',
    uses: (spec) => (spec.initContainers ?? []).some(isRestartableInitContainer),
    drop: (spec) => (spec.initContainers ?? []).forEach((c) => delete c.restartPolicy),
  },
  inContainers(
    'PodLifecycleSleepAction',
    (c) => hooks(c).some((hook) => hook.sleep !== undefined),
    (c) => hooks(c).forEach((hook) => delete hook.sleep),
  ),
  inContainers(
    'ContainerStopSignals',
    (c) => c.lifecycle?.stopSignal !== undefined,
    (c) => delete c.lifecycle?.stopSignal,
  ),
  inContainers(
    'RecursiveReadOnlyMounts',
    (c) => (c.volumeMounts ?? []).some((m) => m.recursiveReadOnly !== undefined),
    (c) => c.volumeMounts?.forEach((m) => delete m.recursiveReadOnly),
  ),
  inContainers(
    'EnvFiles',
    (c) => (c.env ?? []).some((e) => e.valueFrom?.fileKeyRef !== undefined),
    (c) => c.env?.forEach((e) => delete e.valueFrom?.fileKeyRef),
  ),
  inContainers(
    'ProcMountType',
    (c) => (c.securityContext?.procMount ?? 'Default') !== 'Default',
    // COMPAT: the value falls back to the default, it is not removed.
    (c) => {
      if (c.securityContext?.procMount !== undefined) c.securityContext.procMount = 'Default';
    },
  ),
  {
    gate: 'AppArmorFields',
    uses: (spec) =>
      [spec, ...allContainers(spec)].some((x) => x.securityContext?.appArmorProfile !== undefined),
    drop: (spec) =>
      [spec, ...allContainers(spec)].forEach((x) => delete x.securityContext?.appArmorProfile),
  },
  inContextOfPod('SELinuxChangePolicy', 'seLinuxChangePolicy'),
  inContextOfPod('SupplementalGroupsPolicy', 'supplementalGroupsPolicy'),
  inVolumes(
    'ImageVolume',
    (v) => v.image !== undefined,
    (v) => delete v.image,
  ),
  inVolumes(
    'ClusterTrustBundleProjection',
    (v) => projections(v).some((s) => s.clusterTrustBundle !== undefined),
    (v) => projections(v).forEach((s) => delete s.clusterTrustBundle),
  ),
  inVolumes(
    'PodCertificateRequest',
    (v) => projections(v).some((s) => s.podCertificate !== undefined),
    (v) => projections(v).forEach((s) => delete s.podCertificate),
  ),
  {
    gate: 'MatchLabelKeysInPodAffinity',
    uses: (spec) =>
      podAffinityTerms(spec.affinity).some((t) => t.matchLabelKeys ?? t.mismatchLabelKeys),
    drop: (spec) =>
      podAffinityTerms(spec.affinity).forEach((t) => {
        delete t.matchLabelKeys;
        delete t.mismatchLabelKeys;
      }),
  },
  {
    gate: 'MatchLabelKeysInPodTopologySpread',
    uses: (spec) => (spec.topologySpreadConstraints ?? []).some((c) => c.matchLabelKeys),
    drop: (spec) => spec.topologySpreadConstraints?.forEach((c) => delete c.matchLabelKeys),
  },
  {
    gate: 'NodeInclusionPolicyInPodTopologySpread',
    uses: (spec) =>
      (spec.topologySpreadConstraints ?? []).some(
        (c) => c.nodeAffinityPolicy ?? c.nodeTaintsPolicy,
      ),
    drop: (spec) =>
      spec.topologySpreadConstraints?.forEach((c) => {
        delete c.nodeAffinityPolicy;
        delete c.nodeTaintsPolicy;
      }),
  },
];

function inContextOfPod(
  gate: string,
  name: 'seLinuxChangePolicy' | 'supplementalGroupsPolicy',
): GatedField {
  return {
    gate,
    uses: (spec) => spec.securityContext?.[name] !== undefined,
    drop: (spec) => delete spec.securityContext?.[name],
  };
}

export function dropDisabledPodFields(
  spec: PodSpec,
  old: PodSpec | undefined,
  features: Features,
): void {
  for (const gated of gatedFields) {
    if (features.enabled(gated.gate) || !gated.uses(spec)) continue;
    if (old === undefined || !gated.uses(old)) gated.drop(spec);
  }
}
