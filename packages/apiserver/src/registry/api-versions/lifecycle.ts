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
  replacement?: string,
];

const rows: readonly Row[] = [
  ['admissionregistration.k8s.io/v1', mutatingPolicies, 36],
  ['admissionregistration.k8s.io/v1', validatingPolicies, 30],
  ['admissionregistration.k8s.io/v1beta1', mutatingPolicies, 34],
  ['admissionregistration.k8s.io/v1beta1', validatingPolicies, 28],
  ['admissionregistration.k8s.io/v1alpha1', mutatingPolicies, 32],
  ['admissionregistration.k8s.io/v1alpha1', validatingPolicies, 26],
  ['authentication.k8s.io/v1', ['selfsubjectreviews'], 28],
  ['authentication.k8s.io/v1beta1', ['selfsubjectreviews'], 27, 'authentication.k8s.io/v1'],
  ['authentication.k8s.io/v1alpha1', ['selfsubjectreviews'], 26, 'authentication.k8s.io/v1'],
  ['flowcontrol.apiserver.k8s.io/v1', flowControl, 29],
  ['flowcontrol.apiserver.k8s.io/v1beta3', flowControl, 26, 'flowcontrol.apiserver.k8s.io/v1'],
  ['flowcontrol.apiserver.k8s.io/v1beta2', flowControl, 23, 'flowcontrol.apiserver.k8s.io/v1'],
  ['networking.k8s.io/v1', addresses, 33],
  ['networking.k8s.io/v1beta1', addresses, 31],
  ['resource.k8s.io/v1', devices, 34],
  ['resource.k8s.io/v1beta2', devices, 33],
  ['resource.k8s.io/v1beta1', devices, 32],
  ['storage.k8s.io/v1', ['volumeattributesclasses'], 34],
  ['storage.k8s.io/v1beta1', ['volumeattributesclasses'], 31],
  ['storage.k8s.io/v1alpha1', ['volumeattributesclasses'], 29],
];

const lifecycles = new Map(
  rows.flatMap(([groupVersion, resources, introduced, replacement]) =>
    resources.map((resource): [string, ApiLifecycle] => [
      `${groupVersion}/${resource}`,
      {
        introduced,
        ...(/\/v\d+$/.test(groupVersion)
          ? {}
          : { deprecated: introduced + 3, removed: introduced + 6 }),
        ...(replacement === undefined ? {} : { replacement }),
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
