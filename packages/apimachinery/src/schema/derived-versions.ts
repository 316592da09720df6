// Versions of built-in kinds that a stock server does not serve unless it is asked to, or that
// older releases served, and that have no tables. Each is its newer sibling under another name, but for the differences
// written here, so they need no tables of their own. Field numbers and order were compared with the
// messages of `generated.proto`.

/** One group and version, and what of its sibling it has. */
export interface DerivedVersion {
  readonly group: string;
  readonly version: string;
  /** The version that it is derived from. */
  readonly sibling: string;
  readonly package: string;
  readonly resources: readonly string[];
  /** Structs that are referred to in the sibling's package. */
  readonly kept?: readonly string[];
  readonly edit?: (rows: StructRows) => StructRows;
}

export type StructRows = Readonly<Record<string, StructRow>>;
export type StructRow = readonly [
  flags: string,
  fields: readonly FieldRow[],
  extras?: Readonly<Record<string, unknown>>,
];
export type FieldRow = readonly [
  name: string,
  type: string,
  flags: string,
  protobuf: number,
  goType: string | 0,
  extras?: Readonly<Record<string, unknown>>,
];

const policyKinds = ['validatingadmissionpolicies', 'validatingadmissionpolicybindings'];
const mutatingKinds = ['mutatingadmissionpolicies', 'mutatingadmissionpolicybindings'];
const deviceKinds = ['deviceclasses', 'resourceclaims', 'resourceclaimtemplates', 'resourceslices'];
const flowControlKinds = ['flowschemas', 'prioritylevelconfigurations'];
// `Rule` and `RuleWithOperations` are embedded, so their fields name no struct.
const admissionregistration = {
  group: 'admissionregistration.k8s.io',
  sibling: 'v1',
  package: 'io.k8s.api.admissionregistration',
} as const;
const flowcontrol = {
  group: 'flowcontrol.apiserver.k8s.io',
  sibling: 'v1',
  package: 'io.k8s.api.flowcontrol',
  resources: flowControlKinds,
} as const;
const resource = {
  group: 'resource.k8s.io',
  sibling: 'v1',
  package: 'io.k8s.api.resource',
  resources: deviceKinds,
} as const;
const selfSubjectReviews = {
  group: 'authentication.k8s.io',
  sibling: 'v1',
  package: 'io.k8s.api.authentication',
  resources: ['selfsubjectreviews'],
  kept: ['UserInfo'],
} as const;

export const derivedVersions: readonly DerivedVersion[] = [
  {
    ...admissionregistration,
    version: 'v1beta1',
    resources: [...policyKinds, ...mutatingKinds],
  },
  {
    ...admissionregistration,
    version: 'v1alpha1',
    resources: [...policyKinds, ...mutatingKinds],
  },
  { ...selfSubjectReviews, version: 'v1beta1' },
  { ...selfSubjectReviews, version: 'v1alpha1' },
  {
    group: 'certificates.k8s.io',
    version: 'v1alpha1',
    sibling: 'v1beta1',
    package: 'io.k8s.api.certificates',
    resources: ['podcertificaterequests'],
  },
  { ...flowcontrol, version: 'v1beta3', edit: plainShares },
  { ...flowcontrol, version: 'v1beta2', edit: assuredShares },
  {
    group: 'networking.k8s.io',
    version: 'v1beta1',
    sibling: 'v1',
    package: 'io.k8s.api.networking',
    resources: ['ipaddresses', 'servicecidrs'],
  },
  { ...resource, version: 'v1beta2' },
  { ...resource, version: 'v1beta1', edit: flatRequests },
  {
    group: 'storage.k8s.io',
    version: 'v1beta1',
    sibling: 'v1',
    package: 'io.k8s.api.storage',
    resources: ['volumeattributesclasses'],
  },
  {
    group: 'storage.k8s.io',
    version: 'v1alpha1',
    sibling: 'v1',
    package: 'io.k8s.api.storage',
    resources: ['volumeattributesclasses'],
  },
];

/** The derived version that the package of a struct is, `io.k8s.api.networking.v1beta1`. */
export function derivedPackage(path: string): DerivedVersion | undefined {
  return derivedVersions.find((d) => `${d.package}.${d.version}` === path);
}

/** The sibling's rows with this version's names. */
export function deriveRows(derived: DerivedVersion, rows: StructRows): StructRows {
  const { sibling, version, kept = [] } = derived;
  const from = `${derived.package}.${sibling}.`;
  const to = `${derived.package}.${version}.`;
  const typeText = (text: string) => {
    const at = text.indexOf(from);
    if (at < 0 || kept.includes(text.slice(at + from.length))) return text;
    return text.slice(0, at) + to + text.slice(at + from.length);
  };
  const renamed = Object.fromEntries(
    Object.entries(rows).map(([name, [flags, fields, extras]]): [string, StructRow] => [
      name,
      [
        flags,
        fields.map(([field, type, presence, protobuf, goType, more]): FieldRow => [
          field,
          typeText(type),
          presence,
          protobuf,
          typeof goType === 'string' && type.includes(from)
            ? goType.replaceAll(`${sibling}.`, `${version}.`)
            : goType,
          ...(more === undefined ? ([] as const) : ([more] as const)),
        ]),
        ...(extras === undefined ? ([] as const) : ([extras] as const)),
      ],
    ]),
  );
  return derived.edit?.(renamed) ?? renamed;
}

function fieldsOf(rows: StructRows, name: string): readonly FieldRow[] {
  const row = rows[name];
  if (row === undefined) throw new Error(`the schema table lacks ${name}`);
  return row[1];
}

function numbered(field: FieldRow, protobuf: number): FieldRow {
  const [name, type, flags, , goType, ...rest] = field;
  return [name, type, flags, protobuf, goType, ...rest];
}

/** Before v1 the shares of a level were no pointer. */
function plainShares(rows: StructRows): StructRows {
  const name = 'LimitedPriorityLevelConfiguration';
  const [, ...rest] = fieldsOf(rows, name);
  return { ...rows, [name]: ['', [['nominalConcurrencyShares', 'int32', 'A', 1, 0], ...rest]] };
}

/** flowcontrol v1beta2 has an older name for the shares of a level, without a pointer. */
function assuredShares(rows: StructRows): StructRows {
  const name = 'LimitedPriorityLevelConfiguration';
  const [, ...rest] = fieldsOf(rows, name);
  return { ...rows, [name]: ['', [['assuredConcurrencyShares', 'int32', 'A', 1, 0], ...rest]] };
}

/**
 * resource v1beta1 keeps a device's content in `basic`, and a request for exactly one kind of
 * device beside the alternatives instead of in `exactly`.
 */
function flatRequests(rows: StructRows): StructRows {
  const [deviceName, ...device] = fieldsOf(rows, 'Device');
  const [requestName, , alternatives] = fieldsOf(rows, 'DeviceRequest');
  const exact = fieldsOf(rows, 'ExactDeviceRequest');
  const sub = fieldsOf(rows, 'DeviceSubRequest');
  if (deviceName === undefined || requestName === undefined || alternatives === undefined)
    throw new Error('the schema table lacks fields of devices');
  const { ExactDeviceRequest: _none, ...others } = rows;
  const before = exact.slice(0, 5).map((field, i) => optional(numbered(field, i + 2)));
  const after = exact.slice(5).map((field, i) => numbered(field, i + 8));
  return {
    ...others,
    BasicDevice: ['', device.map((field, i) => numbered(field, i + 1))],
    Device: ['', [deviceName, ['basic', '@io.k8s.api.resource.v1beta1.BasicDevice', 'P', 2, 0]]],
    DeviceRequest: ['', [requestName, ...before, numbered(alternatives, 7), ...after]],
    DeviceSubRequest: [
      '',
      [...sub.slice(0, 5), ...sub.slice(5).map((field, i) => numbered(field, i + 7))],
    ],
  };
}

function optional([name, type, flags, protobuf, goType, extras]: FieldRow): FieldRow {
  if (!flags.includes('R')) {
    return extras === undefined
      ? [name, type, flags, protobuf, goType]
      : [name, type, flags, protobuf, goType, extras];
  }
  return [name, type, 'O', protobuf, goType];
}
