// When versions of built-in resources came, were deprecated and went, as minor releases of
// Kubernetes 1.x (the prerelease lifecycle of k8s.io/api). A version that is not listed has been
// there since before the oldest release that can be emulated. A beta or alpha version is deprecated
// three releases after it came, and gone after three more.

import type { GroupVersionResource } from '@keelson/apimachinery';

export interface ApiLifecycle {
  readonly introduced: number;
  readonly deprecated?: number;
  /** The first release without it. */
  readonly removed?: number;
  /** `group/version` that has the kind instead. */
  readonly replacement?: string;
}

const mutatingPolicies = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'];
const validatingPolicies = ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'];
const devices = ['deviceclasses', 'resourceclaims', 'resourceclaimtemplates', 'resourceslices'];
const addresses = ['ipaddresses', 'servicecidrs'];
const flowControl = ['flowschemas', 'prioritylevelconfigurations'];

type Row = readonly [
  groupVersion: string,
  resources: readonly string[],
  introduced: number,
  more?: Omit<ApiLifecycle, 'introduced'> & { readonly isOpen?: true },
];
const by = (replacement: string) => ({ replacement });
/** Neither deprecated nor removed at a known release. */
const open = { isOpen: true } as const;

const rows: readonly Row[] = [
  ['admissionregistration.k8s.io/v1', mutatingPolicies, 36],
  ['admissionregistration.k8s.io/v1', validatingPolicies, 30],
  ['admissionregistration.k8s.io/v1beta1', mutatingPolicies, 34],
  ['admissionregistration.k8s.io/v1beta1', validatingPolicies, 28],
  ['admissionregistration.k8s.io/v1alpha1', mutatingPolicies, 32],
  ['admissionregistration.k8s.io/v1alpha1', validatingPolicies, 26],
  ['authentication.k8s.io/v1', ['selfsubjectreviews'], 28],
  ['authentication.k8s.io/v1beta1', ['selfsubjectreviews'], 27, by('authentication.k8s.io/v1')],
  ['authentication.k8s.io/v1alpha1', ['selfsubjectreviews'], 26, by('authentication.k8s.io/v1')],
  ['certificates.k8s.io/v1beta1', ['clustertrustbundles'], 33, { deprecated: 37, removed: 40 }],
  ['certificates.k8s.io/v1alpha1', ['clustertrustbundles'], 26, { deprecated: 34, removed: 37 }],
  ['certificates.k8s.io/v1beta1', ['podcertificaterequests'], 35],
  ['certificates.k8s.io/v1alpha1', ['podcertificaterequests'], 34, { ...open, removed: 35 }],
  ['coordination.k8s.io/v1beta1', ['leasecandidates'], 33],
  ['coordination.k8s.io/v1alpha2', ['leasecandidates'], 32],
  ['flowcontrol.apiserver.k8s.io/v1', flowControl, 29],
  ['flowcontrol.apiserver.k8s.io/v1beta3', flowControl, 26, by('flowcontrol.apiserver.k8s.io/v1')],
  ['flowcontrol.apiserver.k8s.io/v1beta2', flowControl, 23, by('flowcontrol.apiserver.k8s.io/v1')],
  ['networking.k8s.io/v1', addresses, 33],
  ['networking.k8s.io/v1beta1', addresses, 31],
  ['resource.k8s.io/v1', devices, 34],
  ['resource.k8s.io/v1beta2', devices, 33],
  ['resource.k8s.io/v1beta1', devices, 32],
  ['resource.k8s.io/v1beta2', ['devicetaintrules'], 36],
  ['resource.k8s.io/v1alpha3', ['devicetaintrules'], 33],
  ['resource.k8s.io/v1alpha3', ['resourcepoolstatusrequests'], 36],
  ['scheduling.k8s.io/v1alpha2', ['podgroups', 'workloads'], 36, open],
  ['storage.k8s.io/v1', ['volumeattributesclasses'], 34],
  ['storage.k8s.io/v1beta1', ['volumeattributesclasses'], 31],
  ['storage.k8s.io/v1alpha1', ['volumeattributesclasses'], 29],
  ['storagemigration.k8s.io/v1beta1', ['storageversionmigrations'], 35],
];

const lifecycles = new Map(
  rows.flatMap(([groupVersion, resources, introduced, { isOpen, ...more } = {}]) =>
    resources.map((resource): [string, ApiLifecycle] => [
      `${groupVersion}/${resource}`,
      {
        introduced,
        ...(isOpen || /\/v\d+$/.test(groupVersion)
          ? {}
          : { deprecated: introduced + 3, removed: introduced + 6 }),
        ...more,
      },
    ]),
  ),
);

/** Absent: it is older than what can be emulated, and stays. */
export function lifecycleOf(gvr: GroupVersionResource): ApiLifecycle | undefined {
  return lifecycles.get(`${gvr.group}/${gvr.version}/${gvr.resource}`);
}

/** Is there such a version in release 1.`minor`? */
export function existsIn(gvr: GroupVersionResource, minor: number): boolean {
  const lifecycle = lifecycleOf(gvr);
  if (lifecycle === undefined) return true;
  return minor >= lifecycle.introduced && minor < (lifecycle.removed ?? Infinity);
}

/**
 * Since 1.24 new beta versions are not served by default, and alpha versions never were; those of
 * flow control are older than that rule.
 */
export function isServedByDefault({ group, version }: GroupVersionResource): boolean {
  return /^v\d+$/.test(version) || group === 'flowcontrol.apiserver.k8s.io';
}

/** Without the gate there is no such resource, in no version; the last one whose release has come. */
const gates: Readonly<Record<string, readonly (readonly [minor: number, gate: string])[]>> = {
  'certificates.k8s.io/clustertrustbundles': [[0, 'ClusterTrustBundle']],
  'certificates.k8s.io/podcertificaterequests': [[0, 'PodCertificateRequest']],
  'resource.k8s.io/devicetaintrules': [
    [0, 'DRADeviceTaints'],
    [35, 'DRADeviceTaintRules'],
  ],
  'resource.k8s.io/resourcepoolstatusrequests': [[0, 'DRAResourcePoolStatus']],
  'scheduling.k8s.io/podgroups': [[0, 'GenericWorkload']],
  'scheduling.k8s.io/workloads': [[0, 'GenericWorkload']],
  'storagemigration.k8s.io/storageversionmigrations': [[0, 'StorageVersionMigrator']],
};

/** The feature gate that a resource needs in release 1.`minor`. */
export function gateOf({ group, resource }: GroupVersionResource, minor: number) {
  return gates[`${group}/${resource}`]?.findLast(([from]) => from <= minor)?.[1];
}
