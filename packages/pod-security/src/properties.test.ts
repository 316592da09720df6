// Properties that hold for every pod, on random pods: who sets something does not matter, where a
// template stands does not matter, and levels and versions nest.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { aggregate } from './aggregate.ts';
import { evaluatePod, newestRelease, type ForbiddenResult } from './evaluate.ts';
import type { Level } from './level-version.ts';
import type { Container, PodMetadata, PodSpec } from './pod.ts';
import { podTemplateOf } from './pod-templates.ts';

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const profileType = fc.constantFrom('RuntimeDefault', 'Localhost', 'Unconfined', '');
const capability = fc.constantFrom('ALL', 'CHOWN', 'NET_BIND_SERVICE', 'SYS_ADMIN', 'all');
const host = maybe(fc.constantFrom('', 'a.example', '10.0.0.1'));
const handler = maybe(
  fc.record({ httpGet: maybe(fc.record({ host })), tcpSocket: maybe(fc.record({ host })) }),
);
const shared = {
  runAsNonRoot: maybe(fc.boolean()),
  runAsUser: maybe(fc.constantFrom(0, 1000)),
  seLinuxOptions: maybe(
    fc.record({
      type: maybe(fc.constantFrom('', 'container_t', 'container_engine_t', 'spc_t')),
      user: maybe(fc.constantFrom('', 'u')),
      role: maybe(fc.constantFrom('', 'r')),
    }),
  ),
  seccompProfile: maybe(fc.record({ type: profileType })),
  appArmorProfile: maybe(fc.record({ type: profileType })),
  windowsOptions: maybe(fc.record({ hostProcess: maybe(fc.boolean()) })),
};
const containerFields: fc.Arbitrary<Omit<Container, 'name'>> = fc.record({
  securityContext: maybe(
    fc.record({
      ...shared,
      privileged: maybe(fc.boolean()),
      allowPrivilegeEscalation: maybe(fc.boolean()),
      procMount: maybe(fc.constantFrom('Default', 'Unmasked')),
      capabilities: maybe(
        fc.record({ add: maybe(fc.array(capability)), drop: maybe(fc.array(capability)) }),
      ),
    }),
  ),
  ports: maybe(
    fc.array(fc.record({ hostPort: maybe(fc.constantFrom(0, 80, 8080)) }), { maxLength: 2 }),
  ),
  livenessProbe: handler,
  lifecycle: maybe(fc.record({ postStart: handler, preStop: handler })),
});
const volume = fc
  .constantFrom('emptyDir', 'hostPath', 'nfs', 'image', 'unheardOf')
  .map((type) => ({ name: `v-${type}`, [type]: {} }));
const podFields = {
  hostNetwork: maybe(fc.boolean()),
  hostPID: maybe(fc.boolean()),
  hostUsers: maybe(fc.boolean()),
  os: maybe(fc.record({ name: fc.constantFrom('linux', 'windows') })),
  volumes: maybe(fc.array(volume, { maxLength: 3 })),
  securityContext: maybe(
    fc.record({
      ...shared,
      sysctls: maybe(
        fc.array(
          fc.record({
            name: fc.constantFrom('kernel.sem', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_syncookies'),
          }),
          { maxLength: 2 },
        ),
      ),
    }),
  ),
};
const annotationKey = fc.constantFrom(
  'container.apparmor.security.beta.kubernetes.io/c0',
  'seccomp.security.alpha.kubernetes.io/pod',
  'container.seccomp.security.alpha.kubernetes.io/c1',
  'other',
);
const annotationValue = fc.constantFrom('runtime/default', 'unconfined', 'localhost/p', '');
const metadata: fc.Arbitrary<PodMetadata> = fc.record({
  annotations: maybe(fc.dictionary(annotationKey, annotationValue, { maxKeys: 3 })),
});
const podParts = fc.record({
  metadata,
  fields: fc.record(podFields),
  containers: fc
    .array(containerFields, { minLength: 1, maxLength: 4 })
    .map((list) => list.map((fields, i): Container => ({ name: `c${i}`, ...fields }))),
});
const version = fc.nat({ max: newestRelease });
const level = fc.constantFrom<Level>('baseline', 'restricted');

function detailOf(levelName: Level, minor: number, pod: { metadata: PodMetadata; spec: PodSpec }) {
  const policy = { level: levelName, version: `v1.${minor}` } as const;
  return aggregate(evaluatePod(policy, pod.metadata, pod.spec)).forbiddenDetail();
}

describe('for every pod', () => {
  it('it does not matter in which list a container stands', () => {
    const split = fc.tuple(fc.nat({ max: 4 }), fc.nat({ max: 4 }));
    fc.assert(
      fc.property(
        podParts,
        split,
        level,
        version,
        ({ metadata: meta, fields, containers }, cuts, lv, v) => {
          const [from, to] = cuts.toSorted((a, b) => a - b);
          const together = { metadata: meta, spec: { ...fields, containers } };
          const apart = {
            metadata: meta,
            spec: {
              ...fields,
              initContainers: containers.slice(0, from),
              containers: containers.slice(from, to),
              ephemeralContainers: containers.slice(to),
            },
          };
          assert.equal(detailOf(lv, v, apart), detailOf(lv, v, together));
        },
      ),
    );
  });

  const workloads: [group: string, resource: string, path: string[]][] = [
    ['', 'podtemplates', ['template']],
    ['', 'replicationcontrollers', ['spec', 'template']],
    ['apps', 'replicasets', ['spec', 'template']],
    ['apps', 'deployments', ['spec', 'template']],
    ['apps', 'statefulsets', ['spec', 'template']],
    ['apps', 'daemonsets', ['spec', 'template']],
    ['batch', 'jobs', ['spec', 'template']],
    ['batch', 'cronjobs', ['spec', 'jobTemplate', 'spec', 'template']],
  ];
  for (const [group, resource, path] of workloads) {
    it(`it does not matter that it is the template of ${resource}`, () => {
      fc.assert(
        fc.property(podParts, level, version, ({ metadata: meta, fields, containers }, lv, v) => {
          const pod = { metadata: meta, spec: { ...fields, containers } };
          const object = path.reduceRight<unknown>((inner, field) => ({ [field]: inner }), pod);
          const template = podTemplateOf({ group, resource }, object);
          assert.ok(template !== undefined && template !== 'absent');
          assert.equal(detailOf(lv, v, template), detailOf(lv, v, pod));
        }),
        { numRuns: 25 },
      );
    });
  }

  it('what restricted allows, baseline allows, unless the pod is exempt as windows', () => {
    fc.assert(
      fc.property(podParts, version, ({ metadata: meta, fields, containers }, v) => {
        const pod = { metadata: meta, spec: { ...fields, os: undefined, containers } };
        if (detailOf('restricted', v, pod) === '') assert.equal(detailOf('baseline', v, pod), '');
      }),
    );
  });

  it('a finding names containers of the pod and fields that it has', () => {
    fc.assert(
      fc.property(podParts, level, version, ({ metadata: meta, fields, containers }, lv, v) => {
        const spec = { ...fields, containers };
        const results = evaluatePod({ level: lv, version: `v1.${v}` }, meta, spec);
        const forbidden = results.filter((result): result is ForbiddenResult => !result.allowed);
        for (const { forbiddenReason, forbiddenDetail, fieldErrors } of forbidden) {
          assert.notEqual(forbiddenReason, '');
          assert.notEqual(forbiddenDetail, '');
          assert.ok(fieldErrors.length > 0);
          for (const { type, path, badValue } of fieldErrors) {
            if (type === 'FieldValueRequired' || badValue === undefined) continue;
            assert.deepEqual(valueAt({ metadata: meta, spec }, path) ?? '', badValue, path);
          }
        }
      }),
    );
  });
});

/** `spec.containers[0].ports[1].hostPort`, `metadata.annotations[a/b]`. */
function valueAt(root: unknown, path: string): unknown {
  const steps = path.match(/[^.[\]]+|\[[^\]]*\]/g) ?? [];
  const annotation = /^metadata\.annotations\[(.*)\]$/.exec(path)?.[1];
  const keys = annotation === undefined ? steps : ['metadata', 'annotations', annotation];
  return keys.reduce<unknown>((value, key) => {
    const name = key.startsWith('[') ? key.slice(1, -1) : key;
    return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }, root);
}
