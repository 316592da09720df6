// Which controllers there are, and how `--controllers` chooses: `*` is all that are on by default,
// `name` adds one, `-name` takes one out. Names are kube-controller-manager's,
// but for those of what Keelson simulates.

export const controllerNames = [
  'namespace-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'service-ca-certificate-publisher-controller',
  'root-ca-certificate-publisher-controller',
  'garbage-collector-controller',
  'clusterrole-aggregation-controller',
  'cronjob-controller',
  'daemonset-controller',
  'deployment-controller',
  'disruption-controller',
  'endpoints-controller',
  'endpointslice-controller',
  'endpointslice-mirroring-controller',
  'node-ipam-controller',
  'node-lifecycle-controller',
  'taint-eviction-controller',
  'device-taint-eviction-controller',
  'ttl-controller',
  'pod-garbage-collector-controller',
  'persistentvolume-binder-controller',
  'persistentvolume-expander-controller',
  'persistentvolume-attach-detach-controller',
  'snapshot-controller',
  'ephemeral-volume-controller',
  'horizontal-pod-autoscaler-controller',
  'simulated-volume-provisioner',
  'simulated-volume-resizer',
  'simulated-volume-attacher',
  'service-cidr-controller',
  'selinux-warning-controller',
  'storage-version-migrator-controller',
  'storageversion-garbage-collector-controller',
  'simulated-volume-snapshotter',
  'resourcequota-controller',
  'job-controller',
  'replicaset-controller',
  'replicationcontroller-controller',
  'statefulset-controller',
  'ttl-after-finished-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'volumeattributesclass-protection-controller',
  'podgroup-protection-controller',
  'validatingadmissionpolicy-status-controller',
  'certificatesigningrequest-approving-controller',
  'certificatesigningrequest-signing-controller',
  'certificatesigningrequest-cleaner-controller',
  'podcertificaterequest-cleaner-controller',
  'kube-apiserver-serving-clustertrustbundle-publisher-controller',
  'legacy-serviceaccount-token-cleaner-controller',
  'bootstrap-signer-controller',
  'token-cleaner-controller',
  'resourceclaim-controller',
  'kube-scheduler',
] as const;
export type ControllerName = (typeof controllerNames)[number];

/** Run only when they are named; kubeadm names the first two. */
const offByDefault: ReadonlySet<ControllerName> = new Set<ControllerName>([
  'bootstrap-signer-controller',
  'token-cleaner-controller',
  'selinux-warning-controller',
]);

export class UnknownControllerError extends Error {
  constructor(name: string) {
    super(
      `${JSON.stringify(name)} is not in the list of known controllers: ${controllerNames.join(', ')}`,
    );
    this.name = 'UnknownControllerError';
  }
}

/** Throws UnknownControllerError. */
export function selectControllers(wanted: readonly string[]): ReadonlySet<ControllerName> {
  const standard = controllerNames.filter((name) => !offByDefault.has(name));
  const selected = new Set<ControllerName>(wanted.includes('*') ? standard : []);
  for (const item of wanted) {
    if (item === '*') continue;
    const name = item.replace(/^-/, '');
    const known = controllerNames.find((c) => c === name);
    if (known === undefined) throw new UnknownControllerError(name);
    if (item.startsWith('-')) selected.delete(known);
    else selected.add(known);
  }
  return selected;
}
