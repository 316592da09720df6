// Which fields of what was written are not in what came back.

import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type ResourceDefinition,
  type StructType,
  type TypeRef,
} from '@keelson/apimachinery';

/** Fields that Kubernetes takes and does not keep as they are. */
const changed: Readonly<Record<string, string>> = {
  '/namespaces.spec.finalizers': 'change through finalize',
  '/nodes.spec.configSource': 'dynamic kubelet configuration is gone',
  '/nodes.status.config': 'dynamic kubelet configuration is gone',
  '/persistentvolumeclaims.spec.dataSource': 'kinds that are no source are dropped',
  '/secrets.stringData': 'becomes data',
  '/secrets.data': 'stringData wins',
  '/serviceaccounts.secrets': 'only names are kept',
  '/services.spec.sessionAffinityConfig': 'there is none without affinity',
  'certificates.k8s.io/certificatesigningrequests.spec.extra': 'is the creator',
  'certificates.k8s.io/certificatesigningrequests.spec.groups': 'is the creator',
  'certificates.k8s.io/certificatesigningrequests.spec.uid': 'is the creator',
  'certificates.k8s.io/certificatesigningrequests.spec.username': 'is the creator',
  'coordination.k8s.io/leases.spec.preferredHolder': 'needs the gate CoordinatedLeaderElection',
  'coordination.k8s.io/leases.spec.strategy': 'needs the gate CoordinatedLeaderElection',
  'resource.k8s.io/devicetaintrules.spec.taint.timeAdded': 'tells when the effect changed',
};

/** Parts of paths of the same kind. */
const changedAnywhere: readonly RegExp[] = [
  // Needs the gate GenericWorkload.
  /\.spec\.schedulingGroup/,
  // Needs the gate MaxUnavailableStatefulSet.
  /statefulsets\.spec\.updateStrategy\.rollingUpdate\.maxUnavailable/,
];

/** Those of `changedFields` that Kubernetes would have kept. */
export function lostFields(
  definition: ResourceDefinition,
  written: JsonObject,
  read: JsonObject,
): string[] {
  return changedFields(definition, written, read)
    .filter((text) => !Object.keys(changed).some((path) => text.startsWith(path)))
    .filter((text) => !changedAnywhere.some((path) => path.test(text)));
}

/** Paths whose value is absent or another. Values that are as good as none may be defaulted. */
export function changedFields(
  { group, resource, type }: ResourceDefinition,
  written: JsonObject,
  read: JsonObject,
): string[] {
  const lost: string[] = [];
  compareStruct(type, written, read, { path: '', lost });
  return lost.map((text) => `${group}/${resource}${text}`);
}

interface Comparison {
  readonly path: string;
  readonly lost: string[];
}

function compareStruct(
  type: StructType,
  written: JsonObject,
  read: JsonObject,
  { path, lost }: Comparison,
): void {
  for (const field of type.fields) {
    const value = written[field.name];
    if (value === undefined) continue;
    const mayDefault = field.presence !== 'pointer' || typeof value === 'object';
    if (mayDefault && isEmpty(value)) continue;
    compare(field.type, value, read[field.name], { path: `${path}.${field.name}`, lost });
  }
}

function compare(type: TypeRef, written: JsonValue, read: JsonValue | undefined, at: Comparison) {
  if (type.kind === 'struct' && isJsonObject(written) && isJsonObject(read))
    return compareStruct(type.type, written, read, at);
  const { path, lost } = at;
  if (type.kind === 'list' && isSameLength(written, read)) {
    for (const [i, item] of written.entries())
      compare(type.items, item, (read as JsonValue[])[i], { path: `${path}[${i}]`, lost });
  } else if (type.kind === 'map' && isJsonObject(written) && isJsonObject(read)) {
    for (const [key, value] of Object.entries(written))
      compare(type.values, value ?? null, read[key], { path: `${path}.${key}`, lost });
  } else if (JSON.stringify(written) !== JSON.stringify(read)) {
    lost.push(`${path}: ${JSON.stringify(written)} became ${JSON.stringify(read)}`);
  }
}

/** The server may add items, not take them away. */
function isSameLength(written: JsonValue, read: JsonValue | undefined): written is JsonValue[] {
  return Array.isArray(written) && Array.isArray(read) && read.length >= written.length;
}

function isEmpty(value: JsonValue): boolean {
  if (value === null || value === '' || value === 0 || value === false) return true;
  if (typeof value !== 'object') return false;
  return Object.values(value).every((member) => member === undefined || isEmpty(member));
}
