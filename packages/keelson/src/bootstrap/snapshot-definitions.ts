// The kinds of volume snapshots, snapshot.storage.k8s.io/v1: definitions that `--snapshots` installs,
// which say and refuse what those of the external snapshotter do. A snapshot is what users ask for,
// a content is what there is of it in the storage, a class is how it is made.
//
// SECURITY: contents are of no namespace, and no default role of namespaces gives rights on them; so
// the annotation that lets a volume change its mode is for administrators (KEP-3141). What mode the
// source had cannot be changed, or taken away.

import type { KubeObject } from '@keelson/apimachinery';

const group = 'snapshot.storage.k8s.io';

interface Definition {
  readonly kind: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly isNamespaced: boolean;
  readonly hasStatus: boolean;
  readonly columns: readonly (readonly [name: string, type: string, path: string])[];
  readonly required: readonly string[];
  readonly properties: object;
}

const text = (description: string) => ({ type: 'string', description });
const immutable = (what: string) => [{ rule: 'self == oldSelf', message: `${what} is immutable` }];
/** Of an optional field of `self`. */
const keptOnceSet = (field: string) => ({
  rule: `!has(oldSelf.${field}) || has(self.${field})`,
  message: `${field} is required once set`,
});
const exactlyOne = (a: string, b: string) => ({
  rule: `has(self.${a}) != has(self.${b})`,
  message: `exactly one of ${a} and ${b} must be set`,
});
const deletionPolicy = {
  type: 'string',
  enum: ['Delete', 'Retain'],
  description: 'Whether what is in the storage goes with the VolumeSnapshotContent.',
};
const error = {
  type: 'object',
  description: 'What went wrong last.',
  properties: { message: text('For people.'), time: { type: 'string', format: 'date-time' } },
};
const readyToUse = { type: 'boolean', description: 'Volumes can be made from it.' };

const snapshotSpec = {
  type: 'object',
  required: ['source'],
  properties: {
    source: {
      type: 'object',
      description: 'What it is a snapshot of: a claim, or a content that is there already.',
      properties: {
        persistentVolumeClaimName: {
          ...text('A claim of the same namespace.'),
          'x-kubernetes-validations': immutable('persistentVolumeClaimName'),
        },
        volumeSnapshotContentName: {
          ...text('A content that was made by hand.'),
          'x-kubernetes-validations': immutable('volumeSnapshotContentName'),
        },
      },
      'x-kubernetes-validations': [
        exactlyOne('volumeSnapshotContentName', 'persistentVolumeClaimName'),
        keptOnceSet('persistentVolumeClaimName'),
        keptOnceSet('volumeSnapshotContentName'),
      ],
    },
    volumeSnapshotClassName: {
      ...text('How it is made; the default class of the driver when absent.'),
      'x-kubernetes-validations': [
        {
          rule: 'size(self) > 0',
          message: 'volumeSnapshotClassName must not be the empty string when set',
        },
      ],
    },
  },
};
const snapshotStatus = {
  type: 'object',
  properties: {
    boundVolumeSnapshotContentName: text(
      'Its content; only when that says so too, both are bound.',
    ),
    creationTime: { type: 'string', format: 'date-time' },
    readyToUse,
    restoreSize: {
      anyOf: [{ type: 'integer' }, { type: 'string' }],
      'x-kubernetes-int-or-string': true,
      description: 'How large a volume has to be at least that is made from it.',
    },
    error,
  },
};
const contentSpec = {
  type: 'object',
  required: ['deletionPolicy', 'driver', 'source', 'volumeSnapshotRef'],
  properties: {
    deletionPolicy,
    driver: text('The CSI driver.'),
    source: {
      type: 'object',
      description: 'A volume to take a snapshot of, or a snapshot that the driver has.',
      properties: {
        volumeHandle: {
          ...text('The volume, as its driver calls it.'),
          'x-kubernetes-validations': immutable('volumeHandle'),
        },
        snapshotHandle: {
          ...text('The snapshot, as its driver calls it.'),
          'x-kubernetes-validations': immutable('snapshotHandle'),
        },
      },
      'x-kubernetes-validations': [
        exactlyOne('volumeHandle', 'snapshotHandle'),
        keptOnceSet('volumeHandle'),
        keptOnceSet('snapshotHandle'),
      ],
    },
    sourceVolumeMode: {
      ...text('Filesystem or Block; unknown when absent.'),
      'x-kubernetes-validations': immutable('sourceVolumeMode'),
    },
    volumeSnapshotClassName: text('How it was made.'),
    volumeSnapshotRef: {
      type: 'object',
      description: 'The snapshot that it belongs to.',
      'x-kubernetes-map-type': 'atomic',
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        namespace: { type: 'string' },
        name: { type: 'string' },
        uid: { type: 'string' },
        resourceVersion: { type: 'string' },
        fieldPath: { type: 'string' },
      },
      'x-kubernetes-validations': [
        {
          rule: 'has(self.name) && has(self.__namespace__)',
          message:
            'both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set',
        },
      ],
    },
  },
  'x-kubernetes-validations': [keptOnceSet('sourceVolumeMode')],
};
const contentStatus = {
  type: 'object',
  properties: {
    snapshotHandle: text('The snapshot, as its driver calls it.'),
    creationTime: { type: 'integer', format: 'int64', description: 'Nanoseconds since 1970.' },
    readyToUse,
    restoreSize: { type: 'integer', format: 'int64', minimum: 0, description: 'Bytes.' },
    error,
  },
};

const definitions: readonly Definition[] = [
  {
    kind: 'VolumeSnapshot',
    plural: 'volumesnapshots',
    shortNames: ['vs'],
    isNamespaced: true,
    hasStatus: true,
    required: ['spec'],
    properties: { spec: snapshotSpec, status: snapshotStatus },
    columns: [
      ['ReadyToUse', 'boolean', '.status.readyToUse'],
      ['SourcePVC', 'string', '.spec.source.persistentVolumeClaimName'],
      ['SourceSnapshotContent', 'string', '.spec.source.volumeSnapshotContentName'],
      ['RestoreSize', 'string', '.status.restoreSize'],
      ['SnapshotClass', 'string', '.spec.volumeSnapshotClassName'],
      ['SnapshotContent', 'string', '.status.boundVolumeSnapshotContentName'],
      ['CreationTime', 'date', '.status.creationTime'],
      ['Age', 'date', '.metadata.creationTimestamp'],
    ],
  },
  {
    kind: 'VolumeSnapshotContent',
    plural: 'volumesnapshotcontents',
    shortNames: ['vsc', 'vscs'],
    isNamespaced: false,
    hasStatus: true,
    required: ['spec'],
    properties: { spec: contentSpec, status: contentStatus },
    columns: [
      ['ReadyToUse', 'boolean', '.status.readyToUse'],
      ['RestoreSize', 'integer', '.status.restoreSize'],
      ['DeletionPolicy', 'string', '.spec.deletionPolicy'],
      ['Driver', 'string', '.spec.driver'],
      ['VolumeSnapshotClass', 'string', '.spec.volumeSnapshotClassName'],
      ['VolumeSnapshot', 'string', '.spec.volumeSnapshotRef.name'],
      ['VolumeSnapshotNamespace', 'string', '.spec.volumeSnapshotRef.namespace'],
      ['Age', 'date', '.metadata.creationTimestamp'],
    ],
  },
  {
    kind: 'VolumeSnapshotClass',
    plural: 'volumesnapshotclasses',
    shortNames: ['vsclass', 'vsclasses'],
    isNamespaced: false,
    hasStatus: false,
    required: ['deletionPolicy', 'driver'],
    properties: {
      deletionPolicy,
      driver: text('The CSI driver.'),
      parameters: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'For the driver.',
      },
    },
    columns: [
      ['Driver', 'string', '.driver'],
      ['DeletionPolicy', 'string', '.deletionPolicy'],
      ['Age', 'date', '.metadata.creationTimestamp'],
    ],
  },
];

/** CustomResourceDefinitions. */
export function snapshotDefinitionObjects(): KubeObject[] {
  return definitions.map(toObject);
}

function toObject(definition: Definition): KubeObject {
  const { kind, plural, shortNames, isNamespaced, hasStatus, columns } = definition;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: `${plural}.${group}`,
      annotations: {
        'api-approved.kubernetes.io': 'https://github.com/kubernetes-csi/external-snapshotter',
      },
    },
    spec: {
      group,
      scope: isNamespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        shortNames: [...shortNames],
      },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          ...(hasStatus && { subresources: { status: {} } }),
          additionalPrinterColumns: columns.map(([name, type, jsonPath]) => ({
            name,
            type,
            jsonPath,
          })),
          schema: {
            openAPIV3Schema: structuredClone({
              type: 'object',
              required: [...definition.required],
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                ...definition.properties,
              },
            }),
          },
        },
      ],
    },
  };
}
