import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { passingPod } from '../testing/fixtures.ts';
import { aggregate } from './aggregate.ts';
import { createEvaluator, evaluatePod, type EvaluatorOptions } from './evaluate.ts';
import { parseLevelVersion, type LevelVersion } from './level-version.ts';
import type { PodMetadata, PodSpec } from './pod.ts';

interface Row {
  readonly policy: string;
  readonly spec?: PodSpec;
  readonly metadata?: PodMetadata;
  readonly server?: EvaluatorOptions;
  /** Empty when the pod passes. */
  readonly detail: string;
}

const good = passingPod().spec;
const nothingSet = [
  'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false)',
  'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"])',
  'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true)',
  'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
];
const rmem = { securityContext: { sysctls: [{ name: 'net.ipv4.tcp_rmem' }] } };
const engine = { securityContext: { seLinuxOptions: { type: 'container_engine_t' } } };
const probe = {
  containers: [{ name: 'c', livenessProbe: { httpGet: { host: '1.2.3.4' } } }],
};
const image = { ...good, volumes: [{ name: 'v', image: { reference: 'x' } }] };
const ownUsersRoot = {
  ...good,
  hostUsers: false,
  securityContext: { runAsUser: 0, seccompProfile: { type: 'RuntimeDefault' } },
};
const ownUsersUnmasked = {
  hostUsers: false,
  containers: [{ name: 'c', securityContext: { procMount: 'Unmasked' } }],
};
const bareWindows = { os: { name: 'windows' }, containers: [{ name: 'c' }] };
const appArmor: Pick<Row, 'metadata' | 'spec'> = {
  metadata: {
    annotations: {
      'container.apparmor.security.beta.kubernetes.io/b': 'unconfined',
      'container.apparmor.security.beta.kubernetes.io/a': 'x\ty',
    },
  },
  spec: { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
};

const rows: Record<string, Row> = {
  'privileged allows all': { policy: 'privileged', spec: { hostNetwork: true }, detail: '' },
  'an empty pod passes restricted': { policy: 'restricted', spec: {}, detail: '' },
  'a bare pod violates restricted': {
    policy: 'restricted',
    spec: { containers: [{ name: 'c' }] },
    detail: nothingSet.join(', '),
  },
  'hosts in probes before 1.34': { policy: 'baseline:v1.33', spec: probe, detail: '' },
  'hosts in probes from 1.34': {
    policy: 'baseline:v1.34',
    spec: probe,
    detail: 'probe or lifecycle host (container "c" uses probe or lifecycle host "1.2.3.4")',
  },
  'tcp_rmem before 1.32': {
    policy: 'baseline:v1.31',
    spec: rmem,
    detail: 'forbidden sysctls (net.ipv4.tcp_rmem)',
  },
  'tcp_rmem from 1.32': { policy: 'baseline:v1.32', spec: rmem, detail: '' },
  'container_engine_t before 1.31': {
    policy: 'baseline:v1.30',
    spec: engine,
    detail:
      'seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "container_engine_t")',
  },
  'container_engine_t from 1.31': { policy: 'baseline:v1.31', spec: engine, detail: '' },
  'root of its own user namespace before 1.35': {
    policy: 'restricted:v1.34',
    spec: ownUsersRoot,
    detail:
      'runAsNonRoot != true (pod or containers "init", "main" must set securityContext.runAsNonRoot=true), ' +
      'runAsUser=0 (pod must not set runAsUser=0)',
  },
  'root of its own user namespace from 1.35': {
    policy: 'restricted:v1.35',
    spec: ownUsersRoot,
    detail: '',
  },
  'hostUsers=true relaxes nothing': {
    policy: 'restricted',
    spec: { ...ownUsersRoot, hostUsers: true, containers: [], initContainers: [] },
    detail: 'runAsUser=0 (pod must not set runAsUser=0)',
  },
  'windows from 1.25': {
    policy: 'restricted',
    spec: bareWindows,
    detail: nothingSet[2] ?? '',
  },
  'windows before 1.25': {
    policy: 'restricted:v1.24',
    spec: bareWindows,
    detail: nothingSet.join(', '),
  },
  'a version that does not exist yet': {
    policy: 'baseline:v1.999',
    spec: probe,
    detail: 'probe or lifecycle host (container "c" uses probe or lifecycle host "1.2.3.4")',
  },
  'latest of an older release': {
    policy: 'baseline:latest',
    spec: probe,
    server: { release: 33 },
    detail: '',
  },
  'a later version on an older release': {
    policy: 'baseline:v1.36',
    spec: probe,
    server: { release: 26 },
    detail: '',
  },
  'an older version on an older release': {
    policy: 'baseline:v1.26',
    spec: { securityContext: { sysctls: [{ name: 'net.ipv4.ip_local_reserved_ports' }] } },
    server: { release: 27 },
    detail: 'forbidden sysctls (net.ipv4.ip_local_reserved_ports)',
  },
  'image volumes in 1.33': {
    policy: 'restricted',
    spec: image,
    server: { release: 33 },
    detail: '',
  },
  'image volumes in 1.32': {
    policy: 'restricted',
    spec: image,
    server: { release: 32 },
    detail: 'restricted volume types (volume "v" uses restricted volume type "unknown")',
  },
  'AppArmor in 1.30': {
    policy: 'baseline',
    ...appArmor,
    server: { release: 30 },
    detail:
      'forbidden AppArmor profiles (pod and annotations must not set AppArmor profile type to "Unconfined", ' +
      '"container.apparmor.security.beta.kubernetes.io/a="x\\ty"", ' +
      '"container.apparmor.security.beta.kubernetes.io/b="unconfined"")',
  },
  'AppArmor in 1.29': {
    policy: 'baseline',
    ...appArmor,
    server: { release: 29 },
    detail:
      'forbidden AppArmor profiles (container.apparmor.security.beta.kubernetes.io/a="x\\ty", ' +
      'container.apparmor.security.beta.kubernetes.io/b="unconfined")',
  },
  'the user namespaces gate in 1.29': {
    policy: 'restricted:v1.20',
    spec: ownUsersRoot,
    server: { release: 29, userNamespacesGate: true },
    detail: '',
  },
  'the user namespaces gate in 1.28': {
    policy: 'restricted:v1.20',
    spec: { ...ownUsersRoot, initContainers: null },
    server: { release: 28, userNamespacesGate: true },
    detail:
      'runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true)',
  },
  'the user namespaces gate in 1.35': {
    policy: 'restricted:v1.20',
    spec: { ...ownUsersRoot, initContainers: null },
    server: { release: 35, userNamespacesGate: true },
    detail:
      'runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true)',
  },
  'the user namespaces gate and procMount in 1.31': {
    policy: 'baseline:v1.0',
    spec: ownUsersUnmasked,
    server: { release: 31, userNamespacesGate: true },
    detail: '',
  },
  'the user namespaces gate and procMount in 1.30': {
    policy: 'baseline:v1.0',
    spec: ownUsersUnmasked,
    server: { release: 30, userNamespacesGate: true },
    detail: 'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
  },
  'baseline, its own user namespace and procMount from 1.35': {
    policy: 'baseline',
    spec: ownUsersUnmasked,
    detail: '',
  },
  'numbers that are too large for a double': {
    policy: 'restricted',
    spec: {
      securityContext: { runAsUser: 0n },
      containers: [{ name: 'c', ports: [{ hostPort: 0n }] }],
    },
    server: { release: 36 },
    detail: [
      nothingSet[0],
      nothingSet[1],
      nothingSet[2],
      'runAsUser=0 (pod must not set runAsUser=0)',
      nothingSet[3],
    ].join(', '),
  },
  'null everywhere is unset': {
    policy: 'baseline',
    metadata: { name: null, annotations: null },
    spec: {
      hostNetwork: null,
      os: null,
      securityContext: null,
      volumes: [null],
      initContainers: null,
      containers: [
        {
          name: 'c',
          ports: [null],
          securityContext: {
            privileged: null,
            procMount: null,
            capabilities: { add: null },
            seccompProfile: null,
          },
          lifecycle: { preStop: null },
        },
      ],
    },
    detail: '',
  },
  'a null container hides nobody': {
    policy: 'baseline',
    spec: { containers: [null, { name: 'c', securityContext: { privileged: true } }] },
    detail: 'privileged (container "c" must not set securityContext.privileged=true)',
  },
};

describe('evaluatePod', () => {
  for (const [name, row] of Object.entries(rows)) {
    it(name, () => {
      const evaluate = row.server === undefined ? evaluatePod : createEvaluator(row.server);
      const results = evaluate(parseLevelVersion(row.policy), row.metadata ?? {}, row.spec ?? {});
      const result = aggregate(results);
      assert.equal(result.forbiddenDetail(), row.detail);
      assert.equal(result.allowed, row.detail === '');
    });
  }

  it('gives one result per check, in order', () => {
    const results = evaluatePod({ level: 'baseline', version: 'v1.0' }, {}, { hostPID: true });
    assert.deepEqual(
      results.map(({ checkId, allowed }) => (allowed ? checkId : `!${checkId}`)),
      [
        'appArmorProfile',
        'capabilities_baseline',
        '!hostNamespaces',
        'hostPathVolumes',
        'hostPorts',
        'privileged',
        'procMount',
        'seLinuxOptions',
        'seccompProfile_baseline',
        'sysctls',
        'windowsHostProcess',
      ],
    );
  });

  it('shares one answer among all pods that pass', () => {
    const policy = parseLevelVersion('restricted');
    const { metadata, spec } = passingPod();
    const first = evaluatePod(policy, metadata, spec);
    assert.equal(evaluatePod(policy, metadata, passingPod().spec), first);
    assert.ok(Object.isFrozen(first));
    evaluatePod(policy, metadata, { hostIPC: true });
    assert.ok(first.every(({ allowed }) => allowed));
  });

  it('refuses a level that does not exist instead of allowing all', () => {
    const policy = { level: 'Restricted', version: 'latest' } as unknown as LevelVersion;
    assert.throws(() => evaluatePod(policy, {}, {}), /unknown level `Restricted`/);
  });
});

describe('aggregate', () => {
  it('allows when there is nothing to check', () => {
    const result = aggregate([]);
    assert.equal(result.allowed, true);
    assert.equal(result.forbiddenReason(), '');
    assert.equal(result.forbiddenDetail(), '');
  });

  it('joins reasons, and details where there are any', () => {
    const forbidden = { allowed: false as const, fieldErrors: [] };
    const result = aggregate([
      { ...forbidden, checkId: 'a', forbiddenReason: 'one', forbiddenDetail: 'x, y' },
      { checkId: 'b', allowed: true },
      { ...forbidden, checkId: 'c', forbiddenReason: 'two', forbiddenDetail: '' },
      { ...forbidden, checkId: 'd', forbiddenReason: '', forbiddenDetail: 'z' },
    ]);
    assert.equal(result.allowed, false);
    assert.equal(result.forbiddenReason(), 'one, two, unknown forbidden reason');
    assert.equal(result.forbiddenDetail(), 'one (x, y), two, unknown forbidden reason (z)');
    assert.deepEqual(result.details, ['x, y', '', 'z']);
  });

  it('names every offending field', () => {
    const spec: PodSpec = {
      securityContext: { runAsNonRoot: false, seLinuxOptions: { user: 'u', type: 't' } },
      volumes: [{ name: 'h', hostPath: {} }],
      initContainers: [{ name: 'i', securityContext: { capabilities: { add: ['KILL', 'BPF'] } } }],
      containers: [{ name: 'c', ports: [{ hostPort: 1 }, { hostPort: 2 }] }],
      ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }],
    };
    const policy = parseLevelVersion('baseline');
    const { fieldErrors } = aggregate(evaluatePod(policy, {}, spec));
    assert.deepEqual(
      fieldErrors.map(({ path, badValue }) => [path, badValue]),
      [
        ['spec.initContainers[0].securityContext.capabilities.add[1]', 'BPF'],
        ['spec.volumes[0].hostPath', undefined],
        ['spec.containers[0].ports[0].hostPort', 1],
        ['spec.containers[0].ports[1].hostPort', 2],
        ['spec.ephemeralContainers[0].securityContext.privileged', true],
        ['spec.securityContext.seLinuxOptions.type', 't'],
        ['spec.securityContext.seLinuxOptions.user', 'u'],
      ],
    );
  });
});
