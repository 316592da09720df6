// The security fields of pods by release: what is accepted, refused, dropped and defaulted.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTestServer } from '../../../testing.ts';

interface Row {
  readonly what: string;
  readonly releases: readonly string[];
  readonly gates?: Readonly<Record<string, boolean>>;
  readonly spec: object;
  readonly container?: object;
  /** Text in the 422. Absent: it is created. */
  readonly refused?: string;
  /** What is stored, by path below the spec; undefined: the field is not there. */
  readonly stored?: Readonly<Record<string, unknown>>;
}

const security = (fields: object) => ({ securityContext: fields });
const image = (name: string) => ({ image: name });
const sleep = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });
const imageVolume = {
  volumes: [{ name: 'v', image: { reference: 'registry.example.com/data:1' } }],
};
const of = (field: string) => `containers.0.${field}`;

const rows: readonly Row[] = [
  {
    what: 'admission §9 (1): a pod with users of its own is not in the network of its node',
    releases: ['1.33', '1.36'],
    spec: { hostUsers: false, hostNetwork: true },
    refused: 'spec.hostNetwork: Forbidden: when `hostUsers` is false',
  },
  {
    what: 'admission §9 (1): before the gate the field is dropped',
    releases: ['1.26', '1.30', '1.32'],
    spec: { hostUsers: false, hostNetwork: true },
    stored: { hostUsers: undefined, hostNetwork: true },
  },
  {
    what: 'admission §9 (2): an unmasked /proc needs users of its own',
    releases: ['1.33', '1.36'],
    spec: {},
    container: security({ procMount: 'Unmasked' }),
    refused: 'securityContext.procMount: Invalid value: "Unmasked": `hostUsers` must be false',
  },
  {
    what: 'admission §9 (2): and is allowed with them',
    releases: ['1.33', '1.36'],
    spec: { hostUsers: false },
    container: security({ procMount: 'Unmasked' }),
    stored: { [of('securityContext.procMount')]: 'Unmasked' },
  },
  {
    what: 'admission §9 (3): without the gate /proc is as by default',
    releases: ['1.26', '1.30', '1.32'],
    spec: {},
    container: security({ procMount: 'Unmasked' }),
    stored: { [of('securityContext.procMount')]: 'Default' },
  },
  {
    what: 'admission §9 (4): a privileged container may escalate',
    releases: ['1.26', '1.36'],
    spec: {},
    container: security({ privileged: true, allowPrivilegeEscalation: false }),
    refused: 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
  },
  {
    what: 'admission §9 (4): so may one that can administer the system',
    releases: ['1.26', '1.36'],
    spec: {},
    container: security({
      allowPrivilegeEscalation: false,
      capabilities: { add: ['CAP_SYS_ADMIN'] },
    }),
    refused: 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
  },
  ...(
    [
      ['nginx', 'Always'],
      ['nginx:latest', 'Always'],
      ['nginx:1.25', 'IfNotPresent'],
      [`nginx@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    ] as const
  ).map(([name, policy]): Row => ({
    what: `admission §9 (5): ${name.slice(0, 14)} is pulled ${policy}`,
    releases: ['1.26', '1.30', '1.36'],
    spec: {},
    container: image(name),
    stored: { [of('imagePullPolicy')]: policy },
  })),
  {
    what: 'admission §9 (6): no sleep of no time',
    releases: ['1.32'],
    spec: {},
    container: sleep(0),
    refused: 'must be greater than 0 and less than terminationGracePeriodSeconds (30).',
  },
  {
    what: 'admission §9 (6): a sleep of no time',
    releases: ['1.33', '1.36'],
    spec: {},
    container: sleep(0),
    stored: { [of('lifecycle.preStop.sleep.seconds')]: 0 },
  },
  {
    what: 'admission §9 (7): nobody sleeps longer than there is time',
    releases: ['1.33', '1.36'],
    spec: {},
    container: sleep(31),
    refused: 'must be non-negative and less than terminationGracePeriodSeconds (30)',
  },
  {
    what: 'admission §9 (7): all of the time is possible',
    releases: ['1.33', '1.36'],
    spec: {},
    container: sleep(30),
    stored: { [of('lifecycle.preStop.sleep.seconds')]: 30 },
  },
  {
    what: 'admission §9 (8): signals need the name of an operating system',
    releases: ['1.33', '1.36'],
    gates: { ContainerStopSignals: true },
    spec: {},
    container: { lifecycle: { stopSignal: 'SIGUSR1' } },
    refused: 'lifecycle.stopSignal: Forbidden: may not be set for containers with empty `spec.os',
  },
  {
    what: 'admission §9 (8): signals have names that the operating system knows',
    releases: ['1.33', '1.36'],
    gates: { ContainerStopSignals: true },
    spec: { os: { name: 'windows' } },
    container: { lifecycle: { stopSignal: 'SIGUSR1' } },
    refused: 'supported values: "SIGKILL", "SIGTERM"',
  },
  {
    what: 'admission §9 (8): without the gate a signal is dropped',
    releases: ['1.26', '1.33'],
    gates: {},
    spec: {},
    container: { lifecycle: { preStop: { exec: { command: ['a'] } }, stopSignal: 'SIGUSR1' } },
    stored: { [of('lifecycle.stopSignal')]: undefined },
  },
  {
    what: 'admission §9 (9): policies of groups are known',
    releases: ['1.33', '1.36'],
    spec: security({ supplementalGroupsPolicy: 'X' }),
    refused:
      'supplementalGroupsPolicy: Unsupported value: "X": supported values: "Merge", "Strict"',
  },
  {
    what: 'admission §9 (9): and are dropped before',
    releases: ['1.30', '1.32'],
    spec: security({ supplementalGroupsPolicy: 'Strict' }),
    stored: { 'securityContext.supplementalGroupsPolicy': undefined },
  },
  {
    what: 'admission §9 (10): a volume whose source is dropped has none',
    releases: ['1.26', '1.33'],
    spec: imageVolume,
    refused: 'spec.volumes[0]: Required value: must specify a volume type',
  },
  {
    what: 'admission §9 (10): image volumes',
    releases: ['1.35', '1.36'],
    spec: imageVolume,
    stored: { 'volumes.0.image.pullPolicy': 'IfNotPresent' },
  },
  {
    what: 'admission §9 (12): processes of the host are in its network',
    releases: ['1.26', '1.36'],
    spec: {
      os: { name: 'windows' },
      securityContext: { windowsOptions: { hostProcess: true } },
    },
    refused:
      'spec.hostNetwork: Invalid value: false: hostNetwork must be true if pod contains any hostProcess containers',
  },
  {
    what: 'admission §9 (12): all containers are processes of the host, or none is',
    releases: ['1.26', '1.36'],
    spec: {
      os: { name: 'windows' },
      hostNetwork: true,
      initContainers: [
        { name: 'i', image: 'i', securityContext: { windowsOptions: { hostProcess: true } } },
      ],
    },
    refused:
      'If pod contains any hostProcess containers then all containers must be HostProcess containers',
  },
  {
    what: 'admission §9 (13): how labels of SELinux change is dropped where it is not known',
    releases: ['1.26', '1.31', '1.32'],
    spec: security({ seLinuxChangePolicy: 'MountOption' }),
    stored: { 'securityContext.seLinuxChangePolicy': undefined },
  },
  {
    what: 'admission §9 (13): and is Recursive without its other gate',
    releases: ['1.33', '1.36'],
    spec: security({ seLinuxChangePolicy: 'MountOption' }),
    refused: 'seLinuxChangePolicy: Unsupported value: "MountOption": supported values: "Recursive"',
  },
  {
    what: 'admission §9 (13): and is either with it',
    releases: ['1.33', '1.36'],
    gates: { SELinuxMount: true },
    spec: security({ seLinuxChangePolicy: 'MountOption' }),
    stored: { 'securityContext.seLinuxChangePolicy': 'MountOption' },
  },
  {
    what: 'admission §9 (14): no capabilities on Windows',
    releases: ['1.26', '1.30', '1.36'],
    spec: { os: { name: 'windows' } },
    container: security({ capabilities: { drop: ['ALL'] } }),
    refused: 'securityContext.capabilities: Forbidden: cannot be set for a windows pod',
  },
  {
    what: 'admission §9 (14): no options of Windows on Linux',
    releases: ['1.26', '1.36'],
    spec: { os: { name: 'linux' }, ...security({ windowsOptions: { runAsUserName: 'a' } }) },
    refused: 'windowsOptions: Forbidden: windows options cannot be set for a linux pod',
  },
];

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (inner, step) => (inner as Record<string, unknown> | undefined)?.[step],
      value,
    );
}

describe('security fields of pods', () => {
  for (const row of rows)
    for (const release of row.releases)
      it(`${row.what}, ${release}`, async (t) => {
        const server = await createTestServer({
          emulatedVersion: release,
          featureGates: row.gates ?? {},
        });
        t.after(() => server.close());
        await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
        const containers = [{ name: 'c', image: 'i', ...row.container }];
        const answer = await server.admin('POST', '/api/v1/namespaces/shop/pods', {
          metadata: { name: 'p' },
          spec: { containers, ...row.spec },
        });
        const body = answer.json();
        if (row.refused !== undefined) {
          assert.equal(answer.status, 422, answer.text);
          assert.ok(String(body['message']).includes(row.refused), String(body['message']));
          return;
        }
        assert.equal(answer.status, 201, answer.text);
        for (const [path, value] of Object.entries(row.stored ?? {}))
          assert.deepEqual(at(body['spec'], path), value, path);
      });

  for (const release of ['1.26', '1.30', '1.36'])
    it(`admission §9 (11): what a pod runs with does not change, ${release}`, async (t) => {
      const server = await createTestServer({ emulatedVersion: release });
      t.after(() => server.close());
      await server.admin('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
      const containers = [{ name: 'c', image: 'i' }];
      const pod = { metadata: { name: 'p' }, spec: { containers } };
      await server.admin('POST', '/api/v1/namespaces/shop/pods', pod);
      const url = '/api/v1/namespaces/shop/pods/p';
      const stored = (await server.admin('GET', url)).json() as {
        spec: { containers: object[] };
      };
      const [container] = stored.spec.containers;
      const changed = (fields: object) => ({
        ...stored,
        spec: { ...stored.spec, containers: [{ ...container, ...fields }] },
      });
      const env = await server.admin('PUT', url, changed({ env: [{ name: 'A', value: 'b' }] }));
      assert.equal(env.status, 422);
      assert.match(
        String(env.json()['message']),
        /spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,/,
      );
      assert.equal((await server.admin('PUT', url, changed({ image: 'j' }))).status, 200);
    });
});
