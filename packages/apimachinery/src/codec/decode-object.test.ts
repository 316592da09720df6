import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { builtinType, typeForKind } from '../schema/builtin.ts';
import type { StructType } from '../schema/types.ts';
import { strictErrorsMax } from './decode-context.ts';
import { DecodeError } from './decode-error.ts';
import { decodeObject, decodeValue } from './decode-object.ts';
import { encodeJsonText } from './encode-json.ts';
import { processorMs } from './testing/processor-time.ts';

function kind(apiVersion: string, name: string): StructType {
  const [group, version] = apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
  const type = typeForKind({ group: group ?? '', version: version ?? '', kind: name });
  assert.ok(type, name);
  return type;
}
const pod = kind('v1', 'Pod');
const configMap = kind('v1', 'ConfigMap');
const secret = kind('v1', 'Secret');
const event = kind('v1', 'Event');
const service = kind('v1', 'Service');
const quota = kind('v1', 'ResourceQuota');
const deployment = kind('apps/v1', 'Deployment');
const role = kind('rbac.authorization.k8s.io/v1', 'Role');
const budget = kind('policy/v1', 'PodDisruptionBudget');
const crd = kind('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
const lease = kind('coordination.k8s.io/v1', 'Lease');
const policy = kind('admissionregistration.k8s.io/v1', 'ValidatingAdmissionPolicy');

/** What goes in and what Go would write back. */
const roundTrips: readonly (readonly [type: StructType, text: string, written: string])[] = [
  // Fields are put in Go's order; metadata is always there.
  [
    configMap,
    '{"data":{"b":"2","a":"1"},"kind":"ConfigMap"}',
    '{"kind":"ConfigMap","metadata":{},"data":{"a":"1","b":"2"}}',
  ],
  [configMap, 'null', '{"metadata":{}}'],
  // Zero values with omitempty go away, pointers stay.
  [
    configMap,
    '{"metadata":{"name":"","labels":{},"finalizers":[]},"immutable":false}',
    '{"metadata":{},"immutable":false}',
  ],
  [configMap, '{"metadata":null,"immutable":null,"data":null}', '{"metadata":{}}'],
  [
    configMap,
    '{"metadata":{"deletionGracePeriodSeconds":0,"generation":0}}',
    '{"metadata":{"deletionGracePeriodSeconds":0}}',
  ],
  // Fields without omitempty appear; nulls of elements are zero values.
  [role, '{}', '{"metadata":{},"rules":null}'],
  [role, '{"rules":[]}', '{"metadata":{},"rules":null}'],
  [
    crd,
    '{"spec":{"versions":[]}}',
    '{"metadata":{},"spec":{"group":"","names":{"plural":"","kind":""},"scope":"","versions":[]},"status":{"conditions":null,"acceptedNames":{"plural":"","kind":""},"storedVersions":null}}',
  ],
  [
    role,
    '{"rules":[null,{"verbs":[null]}]}',
    '{"metadata":{},"rules":[{"verbs":null},{"verbs":[""]}]}',
  ],
  [configMap, '{"data":{"a":null}}', '{"metadata":{},"data":{"a":""}}'],
  [
    pod,
    '{"spec":{"containers":[{"name":"a","tty":false}]}}',
    '{"metadata":{},"spec":{"containers":[{"name":"a","resources":{}}]},"status":{}}',
  ],
  [
    service,
    '{"spec":{"ports":[{"port":80}]}}',
    '{"metadata":{},"spec":{"ports":[{"port":80,"targetPort":0}]},"status":{"loadBalancer":{}}}',
  ],
  // Times are written in UTC, without fraction; the zero time is none.
  [
    configMap,
    '{"metadata":{"creationTimestamp":"2024-02-03T04:05:06.789+01:00"}}',
    '{"metadata":{"creationTimestamp":"2024-02-03T03:05:06Z"}}',
  ],
  [configMap, '{"metadata":{"creationTimestamp":"0001-01-01T00:00:00Z"}}', '{"metadata":{}}'],
  [
    lease,
    '{"spec":{"renewTime":"2024-02-03T04:05:06.000007-00:30"}}',
    '{"metadata":{},"spec":{"renewTime":"2024-02-03T04:35:06.000007Z"}}',
  ],
  // Quantities are canonical.
  [
    quota,
    '{"spec":{"hard":{"cpu":1.5,"memory":"1024Mi"}}}',
    '{"metadata":{},"spec":{"hard":{"cpu":"1500m","memory":"1Gi"}},"status":{}}',
  ],
  [
    budget,
    '{"spec":{"minAvailable":0,"maxUnavailable":"50%"}}',
    '{"metadata":{},"spec":{"minAvailable":0,"maxUnavailable":"50%"},"status":{"disruptionsAllowed":0,"currentHealthy":0,"desiredHealthy":0,"expectedPods":0}}',
  ],
  // Bytes: base64, or a list of numbers.
  [
    secret,
    '{"data":{"a":"YW\\nJj","b":[97,98],"c":null}}',
    '{"metadata":{},"data":{"a":"YWJj","b":"YWI=","c":null}}',
  ],
  // Integers are exact.
  [
    pod,
    '{"spec":{"activeDeadlineSeconds":9223372036854775807}}',
    '{"metadata":{},"spec":{"containers":null,"activeDeadlineSeconds":9223372036854775807},"status":{}}',
  ],
  // A second occurrence replaces scalars and lists, and adds to structs and maps.
  [
    configMap,
    '{"metadata":{"name":"a","labels":{"x":"1"}},"metadata":{"namespace":"b","labels":{"y":"2"}}}',
    '{"metadata":{"name":"a","namespace":"b","labels":{"x":"1","y":"2"}}}',
  ],
  [
    configMap,
    '{"data":{"b":"1","c":"1"},"data":{"a":"2","c":"2"}}',
    '{"metadata":{},"data":{"a":"2","b":"1","c":"2"}}',
  ],
  // Embedded structs do not show in JSON.
  [
    policy,
    '{"spec":{"matchConstraints":{"resourceRules":[{"operations":["*"],"apiGroups":[""],"resources":["*"],"resourceNames":["a"]}]}}}',
    '{"metadata":{},"spec":{"matchConstraints":{"resourceRules":[{"resourceNames":["a"],"operations":["*"],"apiGroups":[""],"resources":["*"]}]}},"status":{}}',
  ],
];

test('objects are left as Go writes them back', () => {
  for (const [type, text, written] of roundTrips) {
    const { object } = decodeObject(text, type);
    assert.equal(encodeJsonText(object), written, text);
    const again = decodeObject(Buffer.from(written), type).object;
    assert.equal(encodeJsonText(again), written, 'decoding again changes nothing');
  }
});

const into = 'json: cannot unmarshal';
const refused: readonly (readonly [type: StructType, text: string, message: string])[] = [
  [configMap, '[]', `${into} array into Go value of type v1.ConfigMap`],
  [
    configMap,
    '{"data":"x"}',
    `${into} string into Go struct field ConfigMap.data of type map[string]string`,
  ],
  [
    configMap,
    '{"data":{"a":[]}}',
    `${into} array into Go struct field ConfigMap.data of type string`,
  ],
  [
    configMap,
    '{"metadata":"x"}',
    `${into} string into Go struct field ConfigMap.metadata of type v1.ObjectMeta`,
  ],
  [
    configMap,
    '{"metadata":{"labels":{"a":1}}}',
    `${into} number into Go struct field ObjectMeta.metadata.labels of type string`,
  ],
  [
    configMap,
    '{"metadata":{"uid":true}}',
    `${into} bool into Go struct field ObjectMeta.metadata.uid of type types.UID`,
  ],
  [
    configMap,
    '{"binaryData":{"a":5}}',
    `${into} number into Go struct field ConfigMap.binaryData of type []uint8`,
  ],
  [configMap, '{"binaryData":{"a":"!"}}', 'illegal base64 data at input byte 0'],
  [
    configMap,
    '{"binaryData":{"a":[256]}}',
    `${into} number 256 into Go struct field ConfigMap.binaryData of type uint8`,
  ],
  [secret, '{"type":{}}', `${into} object into Go struct field Secret.type of type v1.SecretType`],
  [
    pod,
    '{"spec":{"containers":{}}}',
    `${into} object into Go struct field PodSpec.spec.containers of type []v1.Container`,
  ],
  [
    pod,
    '{"spec":{"containers":[[]]}}',
    `${into} array into Go struct field PodSpec.spec.containers of type v1.Container`,
  ],
  [
    pod,
    '{"spec":{"volumes":[{"hostPath":1}]}}',
    `${into} number into Go struct field Volume.spec.volumes.VolumeSource.hostPath of type v1.HostPathVolumeSource`,
  ],
  [
    deployment,
    '{"spec":{"replicas":"3"}}',
    `${into} string into Go struct field DeploymentSpec.spec.replicas of type int32`,
  ],
  [
    deployment,
    '{"spec":{"replicas":1.5}}',
    `${into} number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32`,
  ],
  [
    deployment,
    '{"spec":{"replicas":1e2}}',
    `${into} number 1e2 into Go struct field DeploymentSpec.spec.replicas of type int32`,
  ],
  [
    deployment,
    '{"spec":{"replicas":2147483648}}',
    `${into} number 2147483648 into Go struct field DeploymentSpec.spec.replicas of type int32`,
  ],
  [
    pod,
    '{"spec":{"activeDeadlineSeconds":9223372036854775808}}',
    `${into} number 9223372036854775808 into Go struct field PodSpec.spec.activeDeadlineSeconds of type int64`,
  ],
  [
    budget,
    '{"spec":{"minAvailable":true}}',
    `${into} bool into Go struct field PodDisruptionBudgetSpec.spec.minAvailable of type int32`,
  ],
  [event, '{"eventTime":5}', `${into} number into Go struct field Event.eventTime of type string`],
  [
    event,
    '{"firstTimestamp":"soon"}',
    'parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"',
  ],
  [
    quota,
    '{"spec":{"hard":{"cpu":"x"}}}',
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    quota,
    '{"spec":{"hard":{"cpu":{}}}}',
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
  ],
  [
    quota,
    '{"spec":{"hard":[]}}',
    `${into} array into Go struct field ResourceQuotaSpec.spec.hard of type v1.ResourceList`,
  ],
  // The first of several, unless a value that reads itself ends the run; syntax comes before all.
  [
    configMap,
    '{"immutable":1,"data":2}',
    `${into} number into Go struct field ConfigMap.immutable of type bool`,
  ],
  [
    event,
    '{"count":"x","firstTimestamp":""}',
    'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"',
  ],
  [event, '{"firstTimestamp":"","x":tru}', "invalid character '}' in literal true (expecting 'e')"],
  [
    crd,
    '{"spec":{"versions":[{"schema":{"openAPIV3Schema":{"additionalProperties":5}}}]}}',
    'boolean or JSON schema expected',
  ],
];

test('values that do not fit are refused in the words of Go', () => {
  for (const [type, text, message] of refused) {
    assert.throws(() => decodeObject(text, type), { name: 'DecodeError', message }, text);
  }
});

const strict: readonly (readonly [type: StructType, text: string, errors: readonly string[]])[] = [
  [configMap, '{"Metadata":{},"x":1,"x":2}', ['unknown field "Metadata"', 'unknown field "x"']],
  [
    configMap,
    '{"data":{"a":"1","a":"2"},"data":{}}',
    ['duplicate field "data.a"', 'duplicate field "data"'],
  ],
  [
    pod,
    '{"spec":{"containers":[{},{"imag":{"deep":[]}}]}}',
    ['unknown field "spec.containers[1].imag"'],
  ],
  [
    configMap,
    '{"metadata":{"labels":{"a.b/c":"1","a.b/c":"1"}}}',
    ['duplicate field "metadata.labels.a.b/c"'],
  ],
  [
    crd,
    '{"spec":{"versions":[{"schema":{"openAPIV3Schema":{"items":{"nope":1},"properties":{"p":{"nope":1}}}}}]}}',
    ['unknown field "spec.versions[0].schema.openAPIV3Schema.properties.p.nope"'],
  ],
];

test('strict decoding names unknown and duplicate fields', () => {
  for (const [type, text, errors] of strict) {
    assert.deepEqual(decodeObject(text, type, { strict: true }).strictErrors, errors, text);
    assert.deepEqual(decodeObject(text, type).strictErrors, []);
  }
  const many = Array.from({ length: 500 }, (_, i) => `"x${i}":0`).join(',');
  const { strictErrors } = decodeObject(`{${many}}`, configMap, { strict: true });
  assert.equal(strictErrors.length, strictErrorsMax);
});

test('unknown fields are not kept, keys of prototypes do not pollute', () => {
  const text = '{"__proto__":{"x":1},"metadata":{"labels":{"__proto__":"1"}},"constructor":{}}';
  const { object } = decodeObject(text, configMap);
  assert.equal(encodeJsonText(object), '{"metadata":{"labels":{"__proto__":"1"}}}');
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('damaged text throws nothing but DecodeError', () => {
  const texts = roundTrips.map(([type, text]) => [type, text] as const);
  const change = fc.tuple(
    fc.nat(),
    fc.constantFrom(...'{}[]":,0-1ntf\\ '.split(''), 'null', '"x"'),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...texts),
      fc.array(change, { maxLength: 3 }),
      (source, changes) => {
        const [type, text] = source;
        let damaged = text;
        for (const [at, piece] of changes) {
          const cut = at % (damaged.length + 1);
          damaged = damaged.slice(0, cut) + piece + damaged.slice(cut + (at % 3));
        }
        try {
          const { object } = decodeObject(damaged, type, { strict: true });
          const written = encodeJsonText(object);
          assert.equal(encodeJsonText(decodeObject(written, type).object), written);
        } catch (error) {
          assert.ok(error instanceof DecodeError, String(error));
        }
      },
    ),
    { numRuns: 3000 },
  );
});

test('the time that a body takes is linear in its size', () => {
  const size = 100_000;
  const many = (piece: (i: number) => string): string =>
    Array.from({ length: size }, (_, i) => piece(i)).join(',');
  const bodies = [
    `{"metadata":{${many((i) => `"labels":{"k${i}":""}`)}}}`,
    `{"metadata":{${many(() => '"labels":{}')}}}`,
    `{${many(() => '"metadata":{"name":"a"}')}}`,
    `{${many(() => '"x":1')}}`,
    `{"x":${'9'.repeat(2_000_000)}}`,
    `{"metadata":{"generation":${'9'.repeat(2_000_000)}}}`,
    `{"binaryData":{"a":"${'AAAA'.repeat(500_000)}"}}`,
  ];
  const tookMs = processorMs(() => {
    for (const body of bodies) {
      try {
        decodeObject(body, configMap, { strict: true });
      } catch (error) {
        assert.ok(error instanceof DecodeError);
      }
    }
  });
  assert.ok(tookMs < 10_000, 'seven bodies of up to two megabytes');
});

test('schemas keep their untyped places and read them as Go does', () => {
  const props = builtinType(
    'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
  );
  assert.ok(props);
  const json = {
    items: [{ type: 'string', nope: 1 }],
    additionalProperties: false,
    default: { b: null, a: [1.5] },
    dependencies: { x: ['a'], y: { type: 'object' } },
    maximum: 0,
    nullable: false,
  };
  assert.deepEqual(decodeValue(json, props).value, {
    items: [{ type: 'string' }],
    additionalProperties: false,
    default: { b: null, a: [1.5] },
    dependencies: { x: ['a'], y: { type: 'object' } },
    maximum: 0,
  });
});

test('values are decoded from memory with the same rules', () => {
  const meta = builtinType('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  assert.ok(meta);
  const options = { strict: true };
  const decoded = decodeValue({ bogus: 1, generation: 9007199254740993n, name: '' }, meta, options);
  assert.deepEqual(decoded.value, { generation: 9007199254740993n });
  assert.deepEqual(decoded.strictErrors, ['unknown field "bogus"']);
  assert.throws(() => decodeValue('x', meta), {
    message: 'json: cannot unmarshal string into Go value of type v1.ObjectMeta',
  });
});
