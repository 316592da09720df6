import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { passingPod } from '../testing/fixtures.ts';
import {
  createPodSecurityAdmission,
  metricPolicyVersion,
  type PodSecurityOptions,
} from './admission.ts';
import type { PodSecurityDependencies, PodSecurityRequest } from './admission-context.ts';
import type { PodSecurityDecision } from './admission-decision.ts';
import { configurationGroup, parsePodSecurityConfiguration } from './configuration.ts';
import { labelPrefix } from './policy-labels.ts';

const bare = { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'a:1' }] } };
const hostNetwork = { metadata: { name: 'p' }, spec: { ...bare.spec, hostNetwork: true } };
const good = passingPod();
const pods = { group: '', resource: 'pods' };
const deployments = { group: 'apps', resource: 'deployments' };
const bareDetail =
  'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
  'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
  'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
  'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")';

interface Setup extends PodSecurityOptions {
  readonly labels?: Record<string, string>;
  readonly dependencies?: Partial<PodSecurityDependencies>;
}

function decide(
  request: Partial<PodSecurityRequest>,
  { labels = {}, dependencies, ...options }: Setup = {},
): Promise<PodSecurityDecision> {
  const metadata = { name: 'ns', labels: withPrefix(labels) };
  const admission = createPodSecurityAdmission(
    {
      namespaces: { getNamespace: () => ({ metadata }) },
      pods: { listPods: () => [] },
      clock: { monotonic: () => 0 },
      ...dependencies,
    },
    options,
  );
  return admission.decide({
    operation: 'CREATE',
    resource: pods,
    subresource: '',
    namespace: 'ns',
    name: 'p',
    userName: 'someone',
    object: bare,
    ...request,
  });
}

function withPrefix(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([k, v]) => [`${labelPrefix}${k}`, v]));
}

function configurationOf(fields: object) {
  const apiVersion = `${configurationGroup}/v1`;
  return parsePodSecurityConfiguration({ kind: 'PodSecurityConfiguration', apiVersion, ...fields });
}

const exempting = configurationOf({
  exemptions: { usernames: ['boss'], namespaces: ['free'], runtimeClasses: ['sandbox'] },
});

interface Row {
  readonly request?: Partial<PodSecurityRequest>;
  readonly setup?: Setup;
  /** The message of the refusal; undefined when allowed. */
  readonly message?: string;
  readonly reason?: string;
  readonly warnings?: string[];
  readonly annotations?: Record<string, string>;
}

async function checkRow({ request = {}, setup, ...expected }: Row): Promise<void> {
  const decision = await decide(request, setup);
  assert.equal(decision.allowed ? undefined : decision.message, expected.message);
  assert.equal(decision.allowed ? undefined : decision.reason, expected.reason);
  assert.deepEqual(decision.warnings, expected.warnings ?? []);
  assert.deepEqual(decision.auditAnnotations, withPrefix(expected.annotations ?? {}));
}

const restricted = { labels: { enforce: 'restricted' } };
const refusedBare = {
  message: `violates PodSecurity "restricted:latest": ${bareDetail}`,
  reason: 'Forbidden',
  annotations: { 'enforce-policy': 'restricted:latest' },
};
const failing = () => {
  throw new Error('etcd is away');
};

const podRows: Record<string, Row> = {
  'fully privileged': { annotations: { 'enforce-policy': 'privileged:latest' } },
  'fully privileged at a version': {
    setup: { labels: { enforce: 'privileged', 'enforce-version': 'v1.20' } },
    annotations: { 'enforce-policy': 'privileged:latest' },
  },
  'violating enforce': { setup: restricted, ...refusedBare },
  'satisfying enforce': {
    request: { object: good },
    setup: restricted,
    annotations: { 'enforce-policy': 'restricted:latest' },
  },
  'violating warn': {
    setup: { labels: { warn: 'restricted', 'warn-version': 'v1.20' } },
    warnings: [
      'would violate PodSecurity "restricted:v1.20": ' +
        bareDetail.replace(/unrestricted capabilities \(.*?\), /, ''),
    ],
    annotations: { 'enforce-policy': 'privileged:latest' },
  },
  'violating audit': {
    request: { object: hostNetwork },
    setup: { labels: { audit: 'baseline' } },
    annotations: {
      'enforce-policy': 'privileged:latest',
      'audit-violations':
        'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    },
  },
  'violating enforce and audit gives no warning': {
    request: { object: hostNetwork },
    setup: { labels: { enforce: 'baseline', audit: 'baseline', warn: 'restricted' } },
    message: 'violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    reason: 'Forbidden',
    annotations: {
      'enforce-policy': 'baseline:latest',
      'audit-violations':
        'would violate PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    },
  },
  'default of the cluster': {
    setup: { configuration: configurationOf({ defaults: { enforce: 'restricted' } }) },
    ...refusedBare,
  },
  'a bad label fails closed': {
    setup: { labels: { enforce: 'strict', 'audit-version': 'x' } },
    ...refusedBare,
    annotations: {
      ...refusedBare.annotations,
      error:
        'Failed to parse policy: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "strict": must be one of privileged, baseline, restricted, ' +
        'metadata.labels[pod-security.kubernetes.io/audit-version]: Invalid value: "x": must be "latest" or "v1.x"]',
    },
  },
  'bad labels of other modes do not skip evaluation': {
    request: { object: hostNetwork },
    setup: { labels: { warn: 'x' } },
    annotations: {
      'enforce-policy': 'privileged:latest',
      error:
        'Failed to parse policy: metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "x": must be one of privileged, baseline, restricted',
    },
  },
  'exempt namespace': {
    request: { namespace: 'free' },
    setup: { ...restricted, configuration: exempting },
    annotations: { exempt: 'namespace' },
  },
  'exempt user': {
    request: { userName: 'boss' },
    setup: { ...restricted, configuration: exempting },
    annotations: { exempt: 'user' },
  },
  'exempt runtime class': {
    request: { object: { ...bare, spec: { ...bare.spec, runtimeClassName: 'sandbox' } } },
    setup: { ...restricted, configuration: exempting },
    annotations: { exempt: 'runtimeClass' },
  },
  'exemptions are literal': {
    request: {
      userName: 'Boss',
      namespace: 'freedom',
      object: { ...bare, spec: { ...bare.spec, runtimeClassName: '' } },
    },
    setup: { ...restricted, configuration: exempting },
    ...refusedBare,
  },
  'unknown namespace': {
    setup: { dependencies: { namespaces: { getNamespace: failing } } },
    message: 'failed to lookup namespace "ns"',
    reason: 'InternalError',
    annotations: {
      error: 'Internal error occurred: failed to lookup namespace "ns": etcd is away',
    },
  },
  'undecodable pod': {
    request: { object: [] },
    setup: restricted,
    message: 'failed to decode pod',
    reason: 'BadRequest',
    annotations: { error: 'failed to decode pod' },
  },
  'undecodable old pod': {
    request: { operation: 'UPDATE' },
    setup: restricted,
    message: 'failed to decode old pod',
    reason: 'BadRequest',
    annotations: { error: 'failed to decode old pod' },
  },
  'an update that changes nothing of note': {
    request: { operation: 'UPDATE', oldObject: { ...bare, metadata: { labels: { a: 'b' } } } },
    setup: restricted,
  },
  'an update of the image': {
    request: {
      operation: 'UPDATE',
      oldObject: { spec: { containers: [{ name: 'c', image: 'a:0' }] } },
    },
    setup: restricted,
    ...refusedBare,
  },
  'a new ephemeral container': {
    request: {
      operation: 'UPDATE',
      subresource: 'ephemeralcontainers',
      object: { ...good, spec: { ...good.spec, ephemeralContainers: [{ name: 'd' }] } },
      oldObject: good,
    },
    setup: { labels: { enforce: 'restricted', 'enforce-version': 'v1.8' } },
    message:
      'violates PodSecurity "restricted:v1.8": allowPrivilegeEscalation != false (container "d" must set securityContext.allowPrivilegeEscalation=false)',
    reason: 'Forbidden',
    annotations: { 'enforce-policy': 'restricted:v1.8' },
  },
  'a subresource of the future is judged': {
    request: { subresource: 'transmogrify' },
    setup: restricted,
    ...refusedBare,
  },
  'deletion is not judged': { request: { operation: 'DELETE' }, setup: restricted },
  'pods of another group are not judged': {
    request: { resource: { group: 'metrics.k8s.io', resource: 'pods' } },
    setup: restricted,
  },
};
for (const subresource of 'attach binding eviction exec log portforward proxy status'.split(' ')) {
  podRows[`subresource ${subresource}`] = { request: { subresource }, setup: restricted };
}

describe('pods', () => {
  for (const [name, row] of Object.entries(podRows)) it(name, () => checkRow(row));

  it('tell what was evaluated, once per level and version', async () => {
    const { evaluations } = await decide(
      { object: good },
      { labels: { enforce: 'baseline', audit: 'baseline' } },
    );
    assert.deepEqual(
      evaluations.map(({ mode }) => mode),
      ['enforce', 'audit', 'warn'],
    );
    assert.equal(evaluations[0]?.result, evaluations[1]?.result);
  });

  it('name the fields at fault when refused', async () => {
    const decision = await decide({ object: hostNetwork }, { labels: { enforce: 'baseline' } });
    assert.ok(!decision.allowed);
    assert.deepEqual(
      decision.fieldErrors.map(({ path }) => path),
      ['spec.hostNetwork'],
    );
  });

  it('are judged as by older releases', async () => {
    const image = { ...good, spec: { ...good.spec, volumes: [{ name: 'v', image: {} }] } };
    const decision = await decide({ object: image }, { ...restricted, release: 32 });
    assert.ok(!decision.allowed);
    const before = {
      ...bare,
      metadata: { annotations: { 'seccomp.security.alpha.kubernetes.io/pod': 'x' } },
    };
    const update = { operation: 'UPDATE', oldObject: before } as const;
    assert.equal((await decide(update, { ...restricted, release: 26 })).allowed, false);
    assert.equal((await decide(update, { ...restricted, release: 27 })).allowed, true);
  });
});

const template = { metadata: {}, spec: bare.spec };
const wouldViolate = `would violate PodSecurity "restricted:latest": ${bareDetail}`;
const warned = { warnings: [wouldViolate] };

const workloadRows: Record<string, Row> = {
  'are never refused': {
    request: { resource: deployments, object: { spec: { template } } },
    setup: { labels: { enforce: 'restricted', audit: 'restricted' } },
    ...warned,
    annotations: { 'audit-violations': wouldViolate },
  },
  'are judged on every update': {
    request: {
      operation: 'UPDATE',
      resource: deployments,
      object: { spec: { template } },
      oldObject: { spec: { template } },
    },
    setup: restricted,
    ...warned,
  },
  'have subresources that are not judged': {
    request: { resource: deployments, subresource: 'scale', object: { spec: { template } } },
    setup: restricted,
  },
  'are not judged when audit and warn are privileged': {
    request: { resource: deployments, object: { spec: { template } } },
    setup: { labels: { enforce: 'restricted', warn: 'privileged' } },
  },
  'may be exempt by user': {
    request: { resource: deployments, userName: 'boss', object: { spec: { template } } },
    setup: { ...restricted, configuration: exempting },
    annotations: { exempt: 'user' },
  },
  'may be exempt by runtime class': {
    request: {
      resource: deployments,
      object: { spec: { template: { spec: { ...bare.spec, runtimeClassName: 'sandbox' } } } },
    },
    setup: { ...restricted, configuration: exempting },
    annotations: { exempt: 'runtimeClass' },
  },
  'are allowed when the namespace is unknown': {
    request: { resource: deployments, object: { spec: { template } } },
    setup: { dependencies: { namespaces: { getNamespace: failing } } },
    annotations: { error: 'failed to lookup namespace "ns": etcd is away' },
  },
  'are allowed when they cannot be read': {
    request: { resource: deployments, object: { spec: { template: 'x' } } },
    setup: restricted,
    annotations: { error: 'failed to decode object: unexpected type' },
  },
  'may have no template': {
    request: { resource: { group: '', resource: 'replicationcontrollers' }, object: { spec: {} } },
    setup: restricted,
  },
  'are not judged in groups that are not theirs': {
    request: {
      resource: { group: 'extensions', resource: 'deployments' },
      object: { spec: { template } },
    },
    setup: restricted,
  },
};

describe('workloads', () => {
  for (const [name, row] of Object.entries(workloadRows)) it(name, () => checkRow(row));
});

function namespaceRequest(
  now: Record<string, string>,
  before?: Record<string, string>,
  name = 'ns',
): Partial<PodSecurityRequest> {
  const objectOf = (labels: Record<string, string>) => ({
    metadata: { name, labels: withPrefix(labels) },
  });
  const common = { resource: { group: '', resource: 'namespaces' }, name, namespace: name };
  return before === undefined
    ? { ...common, operation: 'CREATE', object: objectOf(now) }
    : { ...common, operation: 'UPDATE', object: objectOf(now), oldObject: objectOf(before) };
}

const existing = { dependencies: { pods: { listPods: () => [bare] } } };
const nsWarnings = (levelVersion: string, reasons: string) => [
  `existing pods in namespace "ns" violate the new PodSecurity enforce level "${levelVersion}"`,
  `p: ${reasons}`,
];
const bareReasons =
  'allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile';
const badEnforce =
  'metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted';

const namespaceRows: Record<string, Row> = {
  'with good labels': { request: namespaceRequest({ enforce: 'restricted' }) },
  'with a bad label': {
    request: namespaceRequest({ enforce: 'x' }),
    message: badEnforce,
    reason: 'Invalid',
  },
  'with bad labels': {
    request: namespaceRequest({ enforce: 'x', 'warn-version': 'y' }),
    message: `[${badEnforce}, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "y": must be "latest" or "v1.x"]`,
    reason: 'Invalid',
  },
  'updated to a bad label': {
    request: namespaceRequest({ enforce: 'x' }, {}),
    message: badEnforce,
    reason: 'Invalid',
  },
  'updated from one bad label to another': {
    request: namespaceRequest({ enforce: 'x' }, { enforce: 'y' }),
    message: badEnforce,
    reason: 'Invalid',
  },
  'updated with a bad label that was there': {
    request: namespaceRequest({ enforce: 'x', audit: 'baseline' }, { enforce: 'x' }),
    setup: existing,
  },
  'made stricter': {
    request: namespaceRequest({ enforce: 'restricted' }, { enforce: 'baseline' }),
    setup: existing,
    warnings: nsWarnings('restricted:latest', bareReasons),
  },
  'made stricter in subresource': {
    request: { ...namespaceRequest({ enforce: 'x' }, {}), subresource: 'status' },
  },
  'made less strict': {
    request: namespaceRequest({ enforce: 'baseline' }, { enforce: 'restricted' }),
    setup: { dependencies: { pods: { listPods: failing } } },
  },
  'made privileged at another version': {
    request: namespaceRequest({ 'enforce-version': 'v1.3' }, { enforce: 'restricted' }),
    setup: { dependencies: { pods: { listPods: failing } } },
  },
  'made less strict at another version': {
    request: namespaceRequest(
      { enforce: 'baseline', 'enforce-version': 'v1.25' },
      { enforce: 'restricted' },
    ),
    setup: { dependencies: { pods: { listPods: () => [hostNetwork] } } },
    warnings: nsWarnings('baseline:v1.25', 'host namespaces'),
  },
  'made to warn only': {
    request: namespaceRequest({ warn: 'restricted' }, {}),
    setup: { dependencies: { pods: { listPods: failing } } },
  },
  'whose pods cannot be listed': {
    request: namespaceRequest({ enforce: 'restricted' }, {}),
    setup: { dependencies: { pods: { listPods: failing } } },
    warnings: ['failed to list pods while checking new PodSecurity enforce level'],
  },
  'made stricter by an exempt user is checked all the same': {
    request: { ...namespaceRequest({ enforce: 'restricted' }, {}), userName: 'boss' },
    setup: { ...existing, configuration: exempting },
    warnings: nsWarnings('restricted:latest', bareReasons),
  },
  'exempt and labelled': {
    request: namespaceRequest(
      { enforce: 'baseline', 'audit-version': 'v1.3', warn: 'restricted', 'warn-version': 'v1.9' },
      undefined,
      'free',
    ),
    setup: { configuration: exempting },
    warnings: [
      'namespace "free" is exempt from Pod Security, and the policy (enforce=baseline:latest, warn=restricted:v1.9) will be ignored',
    ],
  },
  'exempt and made stricter': {
    request: namespaceRequest({ enforce: 'baseline' }, {}, 'free'),
    setup: { configuration: exempting, dependencies: { pods: { listPods: failing } } },
    warnings: [
      'namespace "free" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored',
    ],
  },
  'exempt and without policy': {
    request: namespaceRequest(
      { enforce: 'privileged', 'enforce-version': 'v1.2' },
      undefined,
      'free',
    ),
    setup: { configuration: exempting },
  },
  'that cannot be read': {
    request: { ...namespaceRequest({}), object: 'x' },
    message: 'failed to decode namespace',
    reason: 'BadRequest',
    annotations: { error: 'failed to decode namespace' },
  },
};

describe('namespaces', () => {
  for (const [name, row] of Object.entries(namespaceRows)) it(name, () => checkRow(row));
});

describe('createPodSecurityAdmission', () => {
  it('refuses an invalid configuration', () => {
    const configuration = configurationOf({ defaults: { enforce: 'x' } });
    assert.throws(() => decide({}, { configuration }), {
      message:
        'PodSecurity invalid: defaults.enforce: Invalid value: "x": must be one of privileged, baseline, restricted',
    });
  });
});

describe('metricPolicyVersion', () => {
  const rows = [
    ['privileged', 'v1.99', 'latest'],
    ['baseline', 'latest', 'latest'],
    ['baseline', 'v1.36', 'v1.36'],
    ['baseline', 'v1.37', 'future'],
    ['restricted', 'v1.9223372036854775807', 'future'],
  ] as const;
  for (const [level, version, label] of rows) {
    it(`of ${level}:${version} is ${label}`, () => {
      assert.equal(metricPolicyVersion({ level, version }, 36), label);
    });
  }
});
