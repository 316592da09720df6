// Which controllers there are, and how `--controllers` chooses: `*` is all that are on by default,
// `name` adds one, `-name` takes one out. Names are kube-controller-manager's.

export const controllerNames = [
  'namespace-controller',
  'serviceaccount-controller',
  'serviceaccount-token-controller',
  'service-ca-certificate-publisher-controller',
  'root-ca-certificate-publisher-controller',
  'garbage-collector-controller',
  'clusterrole-aggregation-controller',
  'deployment-controller',
  'disruption-controller',
  'replicaset-controller',
  'replicationcontroller-controller',
  'persistentvolumeclaim-protection-controller',
  'persistentvolume-protection-controller',
  'validatingadmissionpolicy-status-controller',
] as const;
export type ControllerName = (typeof controllerNames)[number];

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
  const selected = new Set<ControllerName>(wanted.includes('*') ? controllerNames : []);
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
