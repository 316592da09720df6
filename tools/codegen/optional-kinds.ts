// Kinds of 1.36 that exist in beta and alpha versions only. A stock server does not serve them, so
// no OpenAPI document and no resource list of the facts shows them. Their fields are in the protobuf
// messages, what is required in the declarations of the client; what neither says stands here, from
// the Go types of k8s.io/api and the printers of Kubernetes: semantics of lists, defaults, columns.

import { createHash } from 'node:crypto';
import type { ColumnFact, Facts, ResourceFact, SchemaNode } from './facts.ts';

interface OptionalKind {
  readonly group: string;
  /** Of the Go type; `certificates` of `io.k8s.api.certificates.v1beta1`. */
  readonly package: string;
  /** Newest first; all of 1.36. */
  readonly versions: readonly string[];
  readonly stored: string;
  readonly kind: string;
  readonly resource: string;
  readonly namespaced: boolean;
  readonly hasStatus: boolean;
  /** Under `/registry/`; the name of the resource when absent. */
  readonly prefix?: string;
  /** Between `Name` and the columns that come last. */
  readonly columns: readonly ColumnFact[];
  readonly fieldLabels?: readonly string[];
}

const text = (name: string): ColumnFact => ({ name, type: 'string', priority: 0 });
const number = (name: string): ColumnFact => ({ name, type: 'integer', priority: 0 });
const nameColumn: ColumnFact = { name: 'Name', type: 'string', format: 'name', priority: 0 };
const age = text('Age');

const optionalKinds: readonly OptionalKind[] = [
  {
    group: 'certificates.k8s.io',
    package: 'certificates',
    versions: ['v1beta1', 'v1alpha1'],
    stored: 'v1beta1',
    kind: 'ClusterTrustBundle',
    resource: 'clustertrustbundles',
    namespaced: false,
    hasStatus: false,
    columns: [nameColumn, text('SignerName')],
    fieldLabels: ['spec.signerName'],
  },
  {
    group: 'certificates.k8s.io',
    package: 'certificates',
    versions: ['v1beta1'],
    stored: 'v1beta1',
    kind: 'PodCertificateRequest',
    resource: 'podcertificaterequests',
    namespaced: true,
    hasStatus: true,
    columns: [
      nameColumn,
      text('PodName'),
      text('ServiceAccountName'),
      text('NodeName'),
      text('SignerName'),
      text('State'),
      text('UnverifiedUserAnnotations'),
    ],
    fieldLabels: ['spec.signerName', 'spec.podName', 'spec.nodeName'],
  },
  {
    group: 'scheduling.k8s.io',
    package: 'scheduling',
    versions: ['v1alpha2'],
    stored: 'v1alpha2',
    kind: 'PodGroup',
    resource: 'podgroups',
    namespaced: true,
    hasStatus: true,
    columns: [nameColumn, text('Policy'), text('Workload'), text('Status'), age],
  },
  {
    group: 'scheduling.k8s.io',
    package: 'scheduling',
    versions: ['v1alpha2'],
    stored: 'v1alpha2',
    kind: 'Workload',
    resource: 'workloads',
    namespaced: true,
    hasStatus: false,
    columns: [nameColumn, age],
  },
  {
    group: 'coordination.k8s.io',
    package: 'coordination',
    versions: ['v1beta1', 'v1alpha2'],
    stored: 'v1beta1',
    kind: 'LeaseCandidate',
    resource: 'leasecandidates',
    namespaced: true,
    hasStatus: false,
    columns: [nameColumn, text('LeaseName'), text('BinaryVersion'), text('EmulationVersion'), age],
  },
  {
    group: 'internal.apiserver.k8s.io',
    package: 'apiserverinternal',
    versions: ['v1alpha1'],
    stored: 'v1alpha1',
    kind: 'StorageVersion',
    resource: 'storageversions',
    namespaced: false,
    hasStatus: true,
    prefix: 'internal.apiserver.k8s.io/storageversions',
    columns: [nameColumn, text('CommonEncodingVersion'), text('StorageVersions'), age],
  },
  {
    group: 'resource.k8s.io',
    package: 'resource',
    versions: ['v1beta2', 'v1alpha3'],
    stored: 'v1alpha3',
    kind: 'DeviceTaintRule',
    resource: 'devicetaintrules',
    namespaced: false,
    hasStatus: true,
    columns: [nameColumn, text('Key'), text('Value'), text('Effect'), text('TimeAdded'), age],
  },
  {
    group: 'resource.k8s.io',
    package: 'resource',
    versions: ['v1alpha3'],
    stored: 'v1alpha3',
    kind: 'ResourcePoolStatusRequest',
    resource: 'resourcepoolstatusrequests',
    namespaced: false,
    hasStatus: true,
    columns: [
      nameColumn,
      text('Driver'),
      text('Total'),
      text('Available'),
      text('Allocated'),
      text('Unavailable'),
      text('Errors'),
      number('Pools'),
      text('Status'),
      text('Completed'),
    ],
  },
  {
    group: 'storagemigration.k8s.io',
    package: 'storagemigration',
    versions: ['v1beta1'],
    stored: 'v1beta1',
    kind: 'StorageVersionMigration',
    resource: 'storageversionmigrations',
    namespaced: false,
    hasStatus: true,
    columns: [{ name: 'Name', type: 'string', priority: 0 }, text('Resource'), text('Status')],
  },
];

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const statusVerbs = ['get', 'patch', 'update'];

/** One row for each kind and version. */
export function optionalResources(): ResourceFact[] {
  return optionalKinds.flatMap((optional) =>
    optional.versions.map((version) => resourceFact(optional, version)),
  );
}

function resourceFact(optional: OptionalKind, version: string): ResourceFact {
  const { group, kind, resource, namespaced, stored, prefix = resource } = optional;
  const storageVersion = `${group}/${stored}`;
  const status = { name: 'status', kind, group: '', version: '', verbs: statusVerbs };
  return {
    group,
    version,
    resource,
    kind,
    singular: kind.toLowerCase(),
    namespaced,
    verbs,
    ...(optional.hasStatus ? { subresources: [status] } : {}),
    storageVersionHash: storageVersionHash(`${storageVersion}/${kind}`),
    storageVersion,
    keyPrefix: `/registry/${prefix}`,
  };
}

/** As discovery shows it: the start of a digest of the stored group, version and kind. */
function storageVersionHash(gvk: string): string {
  return createHash('sha256').update(gvk).digest().subarray(0, 8).toString('base64');
}

/** The facts, with the columns and field labels of the kinds above. */
export function withOptionalKinds(facts: Facts): Facts {
  const columns: Record<string, readonly ColumnFact[]> = { ...facts.columns };
  const fieldSelectors: Record<string, readonly string[]> = { ...facts.fieldSelectors };
  for (const { group, versions, resource, ...optional } of optionalKinds) {
    for (const version of versions) {
      const key = `${group}/${version}/${resource}`;
      columns[key] = optional.columns;
      const labels = optional.fieldLabels ?? [];
      fieldSelectors[key] = ['metadata.name', 'metadata.namespace', ...labels];
    }
  }
  return { ...facts, columns, fieldSelectors };
}

/** Definition names of the kinds, their lists and all that they are made of, with their kinds. */
export function optionalDefinitions(facts: Facts): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const visit = (name: string, gvk: readonly string[]): void => {
    const message = facts.protobuf[name.replace(/^io\.k8s\./, 'k8s.io.')];
    if (message === undefined || found.has(name) || facts.schema[name] !== undefined) return;
    found.set(name, gvk);
    for (const { type } of Object.values(message)) {
      if (/^[A-Z]\w*$/.test(type)) visit(`${name.slice(0, name.lastIndexOf('.'))}.${type}`, []);
      else if (type.startsWith('.') || type.startsWith('k8s.io.'))
        visit(type.replace(/^\.?k8s\.io\./, 'io.k8s.'), []);
    }
  };
  for (const { group, versions, kind, ...optional } of optionalKinds) {
    for (const version of versions) {
      for (const name of [kind, `${kind}List`])
        visit(`io.k8s.api.${optional.package}.${version}.${name}`, [`${group}/${version}.${name}`]);
    }
  }
  return found;
}

type FieldFacts = Readonly<Record<string, SchemaNode>>;

const conditions: SchemaNode = {
  listType: 'map',
  listMapKeys: ['type'],
  mergeKey: 'type',
  patchStrategy: 'merge',
};
const byName: SchemaNode = {
  listType: 'map',
  listMapKeys: ['name'],
  mergeKey: 'name',
  patchStrategy: 'merge,retainKeys',
};
const disruptionModes = ['Pod', 'PodGroup'];
const taintEffects = ['NoExecute', 'NoSchedule', 'None'];

/** What OpenAPI says of fields beyond their type; keys are the last three segments of the name. */
export const optionalFields: Readonly<Record<string, FieldFacts>> = {
  'apiserverinternal.v1alpha1.ServerStorageVersion': {
    decodableVersions: { listType: 'set' },
    servedVersions: { listType: 'set' },
  },
  'apiserverinternal.v1alpha1.StorageVersionStatus': {
    storageVersions: { listType: 'map', listMapKeys: ['apiServerID'] },
    conditions: { listType: 'map', listMapKeys: ['type'] },
  },
  'certificates.v1beta1.PodCertificateRequestSpec': { maxExpirationSeconds: { default: 86400 } },
  'certificates.v1beta1.PodCertificateRequestStatus': { conditions },
  'resource.v1alpha3.DeviceTaint': { effect: { enum: taintEffects, default: '' } },
  'resource.v1beta2.DeviceTaint': { effect: { enum: taintEffects, default: '' } },
  'resource.v1alpha3.DeviceTaintRuleStatus': { conditions },
  'resource.v1beta2.DeviceTaintRuleStatus': { conditions },
  'resource.v1alpha3.ResourcePoolStatusRequestSpec': { limit: { default: 100 } },
  'resource.v1alpha3.ResourcePoolStatusRequestStatus': {
    pools: { listType: 'atomic' },
    conditions,
  },
  'scheduling.v1alpha2.PodGroupSchedulingConstraints': { topology: { listType: 'atomic' } },
  'scheduling.v1alpha2.PodGroupSpec': {
    resourceClaims: byName,
    disruptionMode: { enum: disruptionModes, default: 'Pod' },
  },
  'scheduling.v1alpha2.PodGroupStatus': { conditions, resourceClaimStatuses: byName },
  'scheduling.v1alpha2.PodGroupTemplate': {
    resourceClaims: byName,
    disruptionMode: { enum: disruptionModes },
  },
  'scheduling.v1alpha2.WorkloadSpec': {
    podGroupTemplates: { listType: 'map', listMapKeys: ['name'] },
  },
  'storagemigration.v1beta1.StorageVersionMigrationStatus': { conditions },
};

/** Unions as OpenAPI shows them. */
export const optionalUnions: Readonly<Record<string, readonly unknown[]>> = {
  'scheduling.v1alpha2.PodGroupSchedulingPolicy': [
    { 'fields-to-discriminateBy': { basic: 'Basic', gang: 'Gang' } },
  ],
};
