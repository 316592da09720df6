// The variables of admission expressions (policies, match conditions) and their types: `request`
// and `namespaceObject` are typed, objects and parameters are not. In mutations there are also the
// types `Object` and `JSONPatch`.

import {
  celTypes,
  listType,
  mapType,
  objectType,
  type CelObject,
  type CelType,
  type CelValue,
  type TypeProvider,
} from '@keelson/cel';
import { kubernetesTypes, objectTypes, type ObjectTypes } from '@keelson/cel/kubernetes';

const { bool, dyn, int, string, timestamp } = celTypes;

const strings = listType(string);
const texts = mapType(string, string);

const groupVersionKind = objectType('kubernetes.GroupVersionKind');
const groupVersionResource = objectType('kubernetes.GroupVersionResource');
const userInfo = objectType('kubernetes.UserInfo');
const request = objectType('kubernetes.AdmissionRequest');
const namespaceMetadata = objectType('kubernetes.NamespaceMetadata');
const namespaceSpec = objectType('kubernetes.NamespaceSpec');
const namespaceStatus = objectType('kubernetes.NamespaceStatus');
const namespaceCondition = objectType('kubernetes.NamespaceCondition');
const namespace = objectType('kubernetes.Namespace');

const admissionObjects: ObjectTypes = {
  [groupVersionKind.name]: { group: string, version: string, kind: string },
  [groupVersionResource.name]: { group: string, version: string, resource: string },
  [userInfo.name]: {
    username: string,
    uid: string,
    groups: strings,
    extra: mapType(string, strings),
  },
  [request.name]: {
    kind: groupVersionKind,
    resource: groupVersionResource,
    subResource: string,
    requestKind: groupVersionKind,
    requestResource: groupVersionResource,
    requestSubResource: string,
    name: string,
    namespace: string,
    operation: string,
    userInfo,
    dryRun: bool,
    options: dyn,
  },
  [namespaceMetadata.name]: {
    name: string,
    generateName: string,
    namespace: string,
    labels: texts,
    annotations: texts,
    UID: string,
    creationTimestamp: timestamp,
    deletionGracePeriodSeconds: int,
    deletionTimestamp: timestamp,
    generation: int,
    resourceVersion: string,
    finalizers: strings,
  },
  [namespaceSpec.name]: { finalizers: strings },
  [namespaceCondition.name]: {
    status: string,
    type: string,
    lastTransitionTime: timestamp,
    message: string,
    reason: string,
  },
  [namespaceStatus.name]: { conditions: listType(namespaceCondition), phase: string },
  [namespace.name]: {
    metadata: namespaceMetadata,
    spec: namespaceSpec,
    status: namespaceStatus,
  },
};

/** The types of `request` and `namespaceObject`. */
export const admissionTypes: TypeProvider = objectTypes(admissionObjects);

/** Variables that every admission expression has. */
export const admissionVariables = {
  object: dyn,
  oldObject: dyn,
  request,
  namespaceObject: namespace,
} as const satisfies Readonly<Record<string, CelType>>;

/** Variables of expressions that may ask what the user may do. */
export const authorizerVariables = {
  authorizer: kubernetesTypes.authorizer,
  'authorizer.requestResource': kubernetesTypes.resourceCheck,
} as const satisfies Readonly<Record<string, CelType>>;

/** The type that apply configurations evaluate to. */
export const applyConfigurationType: CelType = objectType('Object');
const jsonPatchType = objectType('JSONPatch');
/** The type that JSON patches evaluate to. */
export const jsonPatchesType: CelType = listType(jsonPatchType);

const jsonPatchFields: Readonly<Record<string, CelType>> = {
  op: string,
  path: string,
  from: string,
  value: dyn,
};

/** An object as an expression writes it: `Object.spec{replicas: 3}`. */
function writtenObject(typeName: string, fields: ReadonlyMap<string, CelValue>): CelObject {
  return {
    kind: 'object',
    type: objectType(typeName),
    get: (field) => fields.get(field),
    has: (field) => fields.has(field),
    fields: () => fields.keys(),
  };
}

/** `Object`, `Object.spec`, … with any fields, and `JSONPatch`. */
export const mutationTypes: TypeProvider = {
  construct: writtenObject,
  findType(name) {
    const isKnown = name === jsonPatchType.name || isPartOfObject(name);
    return isKnown ? objectType(name) : undefined;
  },
  findField(typeName, field) {
    if (isPartOfObject(typeName)) return { type: dyn };
    if (typeName !== jsonPatchType.name || !Object.hasOwn(jsonPatchFields, field)) return undefined;
    const type = jsonPatchFields[field];
    return type && { type };
  },
};

function isPartOfObject(typeName: string): boolean {
  return typeName === applyConfigurationType.name || typeName.startsWith('Object.');
}
