// PodSecurity as a plugin, SecurityContextDeny and DenyServiceExternalIPs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import { defaultConfiguration } from '@keelson/pod-security';
import { createStoppedClock, createTestObjects } from '../../authentication/testing.ts';
import { createFeatures } from '../../features/create-features.ts';
import { admit, createTestAttributes, type TestRequest } from '../testing.ts';
import { createDenyServiceExternalIps } from './deny-service-external-ips.ts';
import { createPodSecurity, type PodSecurityPluginOptions } from './pod-security.ts';
import { createSecurityContextDeny } from './security-context-deny.ts';

const prefix = 'pod-security.kubernetes.io/';
const namespace = (name: string, labels: Record<string, string>): KubeObject => ({
  metadata: {
    name,
    labels: Object.fromEntries(Object.entries(labels).map(([k, v]) => [prefix + k, v])),
  },
});
const pod = (spec: object): KubeObject => ({ metadata: { name: 'web' }, spec });
const hostPid = pod({ hostPID: true, containers: [{ name: 'c', image: 'i' }] });

function podSecurity(options: Partial<PodSecurityPluginOptions> = {}) {
  return createPodSecurity({
    namespaces: createTestObjects([
      namespace('shop', { enforce: 'baseline' }),
      namespace('loose', { warn: 'baseline', audit: 'baseline' }),
      namespace('free', {}),
    ]),
    pods: createTestObjects([{ ...hostPid, metadata: { name: 'web', namespace: 'free' } }]),
    features: createFeatures(),
    clock: createStoppedClock(0),
    ...options,
  });
}

test('PodSecurity refuses, warns and annotates', async () => {
  const plugin = podSecurity();
  const violation = 'PodSecurity "baseline:latest": host namespaces (hostPID=true)';
  type Row = [request: TestRequest, message: string | undefined, warnings: string[], audit: object];
  const rows: Row[] = [
    [
      { object: hostPid },
      `pods "web" is forbidden: violates ${violation}`,
      [],
      { [`${prefix}enforce-policy`]: 'baseline:latest' },
    ],
    [
      { object: hostPid, namespace: 'loose' },
      undefined,
      [`would violate ${violation}`],
      {
        [`${prefix}enforce-policy`]: 'privileged:latest',
        [`${prefix}audit-violations`]: `would violate ${violation}`,
      },
    ],
    [
      { object: hostPid, namespace: 'free' },
      undefined,
      [],
      { [`${prefix}enforce-policy`]: 'privileged:latest' },
    ],
    [{ object: hostPid, subresource: 'binding' }, undefined, [], {}],
    [{ object: hostPid, resource: 'services' }, undefined, [], {}],
  ];
  for (const [request, message, warnings, audit] of rows) {
    const attributes = createTestAttributes(request);
    assert.equal(await admit(plugin, attributes), message);
    assert.deepEqual(attributes.warnings, warnings);
    assert.deepEqual(attributes.annotations, audit);
  }
  assert.equal(plugin.mutate, undefined, 'it only validates');
  assert.ok(!plugin.handles('DELETE'));
});

test('PodSecurity answers with the status that the failure has', async () => {
  const plugin = podSecurity();
  const about = { resource: 'namespaces', kind: 'Namespace', namespace: 'shop', name: 'shop' };
  const rows: [request: TestRequest, reason: string][] = [
    [{ object: hostPid }, 'Forbidden'],
    [{ object: hostPid, namespace: 'missing' }, 'InternalError'],
    [{ ...about, object: namespace('shop', { enforce: 'nope' }) }, 'Invalid'],
  ];
  for (const [request, reason] of rows)
    await assert.rejects(
      async () => plugin.validate?.(createTestAttributes(request)),
      (error) => isStatusError(error, reason),
    );
});

test('PodSecurity warns about pods that a stricter label would refuse', async () => {
  const strict = namespace('free', { enforce: 'baseline' });
  const attributes = createTestAttributes({
    operation: 'UPDATE',
    resource: 'namespaces',
    kind: 'Namespace',
    namespace: 'free',
    name: 'free',
    object: strict,
    oldObject: namespace('free', {}),
  });
  assert.equal(await admit(podSecurity(), attributes), undefined);
  assert.deepEqual(attributes.warnings, [
    'existing pods in namespace "free" violate the new PodSecurity enforce level "baseline:latest"',
    'web: host namespaces',
  ]);
});

test('PodSecurity is configured, and tells its decisions', async () => {
  const seen: boolean[] = [];
  const plugin = podSecurity({
    configuration: {
      defaults: { ...defaultConfiguration.defaults, enforce: 'restricted' },
      exemptions: { usernames: ['root'], namespaces: [], runtimeClasses: [] },
    },
    observe: ({ allowed }) => void seen.push(allowed),
  });
  const inFree = { object: hostPid, namespace: 'free' };
  assert.match(
    (await admit(plugin, createTestAttributes(inFree))) ?? '',
    /violates PodSecurity "restricted:latest"/,
  );
  assert.equal(
    await admit(plugin, createTestAttributes({ ...inFree, userName: 'root' })),
    undefined,
  );
  assert.deepEqual(seen, [false, true]);
  for (let minor = 26; minor <= 36; minor++)
    podSecurity({ features: createFeatures({ emulatedVersion: `1.${minor}` }) });
});

test('SecurityContextDeny', async () => {
  const refused = (what: string) => `pods "web" is forbidden: ${what} is forbidden`;
  const rows: [spec: object, message: string | undefined][] = [
    [
      { securityContext: {}, containers: [{ name: 'c', securityContext: { privileged: true } }] },
      undefined,
    ],
    [
      { securityContext: { supplementalGroups: [] } },
      refused('pod.Spec.SecurityContext.SupplementalGroups'),
    ],
    [
      { securityContext: { seLinuxOptions: {} } },
      refused('pod.Spec.SecurityContext.SELinuxOptions'),
    ],
    [{ securityContext: { runAsUser: 0 } }, refused('pod.Spec.SecurityContext.RunAsUser')],
    [{ securityContext: { fsGroup: 1 } }, refused('pod.Spec.SecurityContext.FSGroup')],
    [{ containers: [{ securityContext: { runAsUser: 1 } }] }, refused('SecurityContext.RunAsUser')],
    [
      { initContainers: [{ securityContext: { seLinuxOptions: {} } }] },
      refused('SecurityContext.SELinuxOptions'),
    ],
    [
      { ephemeralContainers: [{ securityContext: { runAsUser: 1 } }] },
      refused('SecurityContext.RunAsUser'),
    ],
  ];
  for (const [spec, message] of rows)
    assert.equal(
      await admit(createSecurityContextDeny(), createTestAttributes({ object: pod(spec) })),
      message,
    );
});

test('DenyServiceExternalIPs', async () => {
  const service = (...externalIPs: string[]): KubeObject => ({
    metadata: { name: 's' },
    spec: { externalIPs },
  });
  const refusal = 'services "s" is forbidden: Use of external IPs is denied by admission control';
  const rows: [
    object: KubeObject,
    oldObject: KubeObject | undefined,
    message: string | undefined,
  ][] = [
    [service(), undefined, undefined],
    [service('1.1.1.1'), undefined, refusal],
    [service('1.1.1.1'), service('1.1.1.1'), undefined],
    [service('1.1.1.1'), service('1.1.1.1', '2.2.2.2'), undefined],
    [service('1.1.1.1', '2.2.2.2'), service('1.1.1.1'), refusal],
    [service('2.2.2.2'), service('1.1.1.1'), refusal],
  ];
  for (const [object, oldObject, message] of rows) {
    const attributes = createTestAttributes({
      resource: 'services',
      operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
      object,
      ...(oldObject && { oldObject }),
    });
    assert.equal(await admit(createDenyServiceExternalIps(), attributes), message);
  }
});
