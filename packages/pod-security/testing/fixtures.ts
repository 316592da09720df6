// Pods that exercise every check: for each check, variations of one pod that satisfies the
// restricted level of every version. A variation changes only what its check looks at, so that a
// refusal at the check's own level can be laid at its door. `golden.ts` records what comes of them.

import type { CheckId } from '../src/index.ts';

export interface Fixture {
  readonly name: string;
  readonly pod: FixturePod;
}

export interface FixturePod {
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: Readonly<Record<string, unknown>>;
}

type Fields = Readonly<Record<string, unknown>>;

/** What differs from the pod that passes; a `securityContext` is merged, all else replaced. */
interface Variation {
  readonly annotations?: Record<string, string>;
  readonly spec?: Fields;
  readonly podContext?: Fields;
  readonly init?: Fields;
  readonly main?: Fields;
  readonly second?: Fields;
  readonly ephemeral?: Fields;
}

/** The fixtures of a check; empty for a check that nobody wrote fixtures for. */
export function fixturesOf(check: CheckId): readonly Fixture[] {
  return Object.entries(variations[check] ?? {}).map(([name, variation]) => ({
    name,
    pod: applyVariation(variation),
  }));
}

/** Checks that have fixtures. */
export function checksWithFixtures(): readonly CheckId[] {
  return Object.keys(variations);
}

/** Satisfies restricted in every version. */
export function passingPod(): FixturePod {
  return applyVariation({});
}

function applyVariation(variation: Variation): FixturePod {
  const { annotations, spec, podContext, init, main, second, ephemeral } = variation;
  const context = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
  const containers = [container('main', main)];
  if (second !== undefined) containers.push(container('second', second));
  return {
    metadata: annotations === undefined ? { name: 'p' } : { name: 'p', annotations },
    spec: withoutUndefined({
      securityContext: withoutUndefined({ ...context, ...podContext }),
      initContainers: [container('init', init)],
      containers,
      ephemeralContainers: ephemeral === undefined ? undefined : [container('debug', ephemeral)],
      ...spec,
    }),
  };
}

function container(name: string, fields: Fields = {}): Fields {
  const context = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const { securityContext, ...rest } = fields;
  const changes = typeof securityContext === 'object' ? securityContext : {};
  return {
    name,
    image: 'registry.example/a:1',
    securityContext: withoutUndefined({ ...context, ...changes }),
    ...rest,
  };
}

function withoutUndefined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** The same setting in each kind of container, in two at once, and in all together. */
function perContainer(settings: Fields): Record<string, Variation> {
  const securityContext = settings;
  return {
    'bad in main': { main: { securityContext } },
    'bad in init': { init: { securityContext } },
    'bad in ephemeral': { ephemeral: { securityContext } },
    'bad in two': { main: { securityContext }, second: { securityContext } },
    'bad in every kind': {
      init: { securityContext },
      main: { securityContext },
      ephemeral: { securityContext },
    },
  };
}

const windows = { os: { name: 'windows' } };
const ownUsers = { hostUsers: false };

const appArmorKey = 'container.apparmor.security.beta.kubernetes.io/';
const seccompKey = 'container.seccomp.security.alpha.kubernetes.io/';
const podSeccompKey = 'seccomp.security.alpha.kubernetes.io/pod';

const variations: Readonly<Record<CheckId, Record<string, Variation>>> = {
  appArmorProfile: {
    'good everywhere': {
      annotations: {
        [`${appArmorKey}main`]: 'runtime/default',
        [`${appArmorKey}init`]: 'localhost/p',
        [`${appArmorKey}empty`]: '',
      },
      podContext: { appArmorProfile: { type: 'RuntimeDefault' } },
      main: { securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile: 'p' } } },
    },
    'bad for the pod': { podContext: { appArmorProfile: { type: 'Unconfined' } } },
    ...perContainer({ appArmorProfile: { type: 'Unconfined' } }),
    'bad annotation': { annotations: { [`${appArmorKey}main`]: 'unconfined' } },
    'bad in all ways': {
      annotations: { [`${appArmorKey}z`]: 'unconfined', [`${appArmorKey}a`]: 'other' },
      podContext: { appArmorProfile: { type: 'Unconfined' } },
      main: { securityContext: { appArmorProfile: { type: '' } } },
    },
  },
  capabilities_baseline: {
    'good defaults': {
      main: { securityContext: { capabilities: { drop: ['ALL'], add: ['CHOWN', 'SYS_CHROOT'] } } },
    },
    ...perContainer({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }),
    'bad with good': {
      main: { securityContext: { capabilities: { add: ['NET_RAW', 'KILL', 'BPF', 'NET_RAW'] } } },
    },
    'bad prefix': { main: { securityContext: { capabilities: { add: ['CAP_CHOWN'] } } } },
  },
  hostNamespaces: {
    'good when false': { spec: { hostNetwork: false, hostPID: false, hostIPC: false } },
    'bad network': { spec: { hostNetwork: true } },
    'bad pid': { spec: { hostPID: true } },
    'bad ipc': { spec: { hostIPC: true } },
    'bad all': { spec: { hostIPC: true, hostPID: true, hostNetwork: true } },
  },
  hostPathVolumes: {
    'good volumes': { spec: { volumes: [{ name: 'e', emptyDir: {} }] } },
    'bad one': { spec: { volumes: [{ name: 'h', hostPath: { path: '/' } }] } },
    'bad two': {
      spec: {
        volumes: [
          { name: 'z', hostPath: { path: '/' } },
          { name: 'e', emptyDir: {} },
          { name: 'a', hostPath: { path: '/a' } },
        ],
      },
    },
  },
  hostPorts: {
    'good ports': { main: { ports: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }] } },
    'bad in main': { main: { ports: [{ containerPort: 80, hostPort: 80 }] } },
    'bad in init': { init: { ports: [{ containerPort: 80, hostPort: 80 }] } },
    'bad in ephemeral': { ephemeral: { ports: [{ containerPort: 80, hostPort: 80 }] } },
    'bad many': {
      main: { ports: [{ hostPort: 81 }, { hostPort: 8080 }] },
      second: { ports: [{ hostPort: 81 }] },
    },
  },
  hostProbesAndHostLifecycle: {
    'good handlers': {
      main: {
        livenessProbe: { httpGet: { port: 80 } },
        readinessProbe: { tcpSocket: { port: 80, host: '' } },
        startupProbe: { exec: { command: ['true'] } },
        lifecycle: { preStop: { httpGet: { port: 80 } } },
      },
    },
    'bad liveness': { main: { livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } } },
    'bad readiness': { init: { readinessProbe: { tcpSocket: { port: 80, host: '10.0.0.1' } } } },
    'bad startup': { ephemeral: { startupProbe: { httpGet: { port: 80, host: '10.0.0.1' } } } },
    'bad lifecycle': {
      second: {
        lifecycle: {
          postStart: { httpGet: { port: 80, host: 'b.example' } },
          preStop: { tcpSocket: { port: 80, host: 'a.example' } },
        },
      },
      main: { livenessProbe: { tcpSocket: { port: 80, host: 'a.example' } } },
    },
  },
  privileged: {
    'good when false': { main: { securityContext: { privileged: false } } },
    ...perContainer({ privileged: true }),
  },
  procMount: {
    'good default': { main: { securityContext: { procMount: 'Default' } } },
    ...perContainer({ procMount: 'Unmasked' }),
    'bad but own users': { spec: ownUsers, main: { securityContext: { procMount: 'Unmasked' } } },
    'bad two values': {
      main: { securityContext: { procMount: 'Unmasked' } },
      second: { securityContext: { procMount: 'Other' } },
    },
  },
  seLinuxOptions: {
    'good types': {
      podContext: { seLinuxOptions: { type: 'container_t', level: 's0:c123,c456' } },
      main: { securityContext: { seLinuxOptions: { type: 'container_init_t' } } },
      init: { securityContext: { seLinuxOptions: { type: 'container_kvm_t' } } },
    },
    ...perContainer({ seLinuxOptions: { type: 'spc_t' } }),
    'bad until known': {
      main: { securityContext: { seLinuxOptions: { type: 'container_engine_t' } } },
    },
    'bad user': { podContext: { seLinuxOptions: { user: 'u' } } },
    'bad role': { main: { securityContext: { seLinuxOptions: { role: 'r' } } } },
    'bad in all ways': {
      podContext: { seLinuxOptions: { type: 'z_t', user: 'u' } },
      main: { securityContext: { seLinuxOptions: { type: 'a_t', role: 'r' } } },
    },
  },
  seccompProfile_baseline: {
    'good profiles': {
      annotations: {
        [podSeccompKey]: 'docker/default',
        [`${seccompKey}main`]: 'localhost/p',
        [`${seccompKey}init`]: 'runtime/default',
        [`${seccompKey}absent`]: 'unconfined',
      },
      main: { securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'p' } } },
    },
    'bad annotation for the pod': { annotations: { [podSeccompKey]: 'unconfined' } },
    'bad annotations': {
      annotations: { [`${seccompKey}main`]: 'unconfined', [`${seccompKey}init`]: '' },
    },
    'bad for the pod': { podContext: { seccompProfile: { type: 'Unconfined' } } },
    ...perContainer({ seccompProfile: { type: 'Unconfined' } }),
  },
  sysctls: {
    'good names': {
      podContext: {
        sysctls: [
          { name: 'kernel.shm_rmid_forced', value: '0' },
          { name: 'net.ipv4.ip_local_port_range', value: '1 2' },
          { name: 'net.ipv4.tcp_syncookies', value: '0' },
          { name: 'net.ipv4.ping_group_range', value: '1 0' },
          { name: 'net.ipv4.ip_unprivileged_port_start', value: '0' },
        ],
      },
    },
    'bad until 1.27': {
      podContext: { sysctls: [{ name: 'net.ipv4.ip_local_reserved_ports', value: '1' }] },
    },
    'bad until 1.29': {
      podContext: {
        sysctls: [
          { name: 'net.ipv4.tcp_keepalive_time', value: '1' },
          { name: 'net.ipv4.tcp_fin_timeout', value: '1' },
          { name: 'net.ipv4.tcp_keepalive_intvl', value: '1' },
          { name: 'net.ipv4.tcp_keepalive_probes', value: '1' },
        ],
      },
    },
    'bad until 1.32': {
      podContext: {
        sysctls: [
          { name: 'net.ipv4.tcp_wmem', value: '1' },
          { name: 'net.ipv4.tcp_rmem', value: '1' },
        ],
      },
    },
    'bad always': { podContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
    'bad spelling': { podContext: { sysctls: [{ name: 'net/ipv4/tcp_syncookies', value: '0' }] } },
  },
  windowsHostProcess: {
    'good when false': { podContext: { windowsOptions: { hostProcess: false } } },
    'bad for the pod': { podContext: { windowsOptions: { hostProcess: true } } },
    ...perContainer({ windowsOptions: { hostProcess: true } }),
    'bad for both': {
      podContext: { windowsOptions: { hostProcess: true } },
      main: { securityContext: { windowsOptions: { hostProcess: true } } },
    },
  },
  allowPrivilegeEscalation: {
    'good when false': {},
    ...perContainer({ allowPrivilegeEscalation: undefined }),
    'bad when true': { main: { securityContext: { allowPrivilegeEscalation: true } } },
    'bad but windows': {
      spec: windows,
      main: { securityContext: { allowPrivilegeEscalation: undefined } },
    },
  },
  capabilities_restricted: {
    'good bind': {
      main: { securityContext: { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } } },
    },
    ...perContainer({ capabilities: undefined }),
    'bad spelling': { main: { securityContext: { capabilities: { drop: ['all'] } } } },
    'bad default': {
      main: { securityContext: { capabilities: { drop: ['ALL'], add: ['KILL', 'CHOWN'] } } },
    },
    'bad in both ways': {
      main: { securityContext: { capabilities: { drop: ['NET_RAW'], add: ['CHOWN'] } } },
      second: { securityContext: { capabilities: { add: ['CHOWN'] } } },
    },
    'bad but windows': { spec: windows, main: { securityContext: { capabilities: undefined } } },
  },
  procMount_restricted: {
    'good default': { spec: ownUsers, main: { securityContext: { procMount: 'Default' } } },
    ...perContainer({ procMount: 'Unmasked' }),
    'bad with own users': { spec: ownUsers, main: { securityContext: { procMount: 'Unmasked' } } },
  },
  restrictedVolumes: {
    'good volumes': {
      spec: {
        volumes: [
          { name: 'a', configMap: { name: 'x' } },
          { name: 'b', csi: { driver: 'x' } },
          { name: 'c', downwardAPI: {} },
          { name: 'd', emptyDir: {} },
          { name: 'e', ephemeral: {} },
          { name: 'f', persistentVolumeClaim: { claimName: 'x' } },
          { name: 'g', projected: {} },
          { name: 'h', secret: { secretName: 'x' } },
          { name: 'i', image: { reference: 'x' } },
        ],
      },
    },
    'bad host path': { spec: { volumes: [{ name: 'h', hostPath: { path: '/' } }] } },
    'bad of one type': { spec: { volumes: ['z', 'a'].map((name) => ({ name, nfs: {} })) } },
    'bad of every type': {
      spec: {
        volumes: [
          'gcePersistentDisk awsElasticBlockStore gitRepo nfs iscsi glusterfs rbd flexVolume',
          'cinder cephfs flocker fc azureFile vsphereVolume quobyte azureDisk portworxVolume',
          'photonPersistentDisk scaleIO storageos futureType',
        ]
          .flatMap((types) => types.split(' '))
          .map((type) => ({ name: `v-${type.toLowerCase()}`, [type]: {} })),
      },
    },
    'bad without source': { spec: { volumes: [{ name: 'n' }] } },
  },
  runAsNonRoot: {
    'good for the pod': {},
    'good for each container': {
      podContext: { runAsNonRoot: undefined },
      init: { securityContext: { runAsNonRoot: true } },
      main: { securityContext: { runAsNonRoot: true } },
    },
    'bad for the pod': { podContext: { runAsNonRoot: false } },
    'bad nowhere set': { podContext: { runAsNonRoot: undefined } },
    'bad half set': {
      podContext: { runAsNonRoot: undefined },
      main: { securityContext: { runAsNonRoot: true } },
    },
    ...perContainer({ runAsNonRoot: false }),
    'bad in both ways': {
      podContext: { runAsNonRoot: false },
      main: { securityContext: { runAsNonRoot: false } },
    },
    'bad but own users': { spec: ownUsers, podContext: { runAsNonRoot: undefined } },
  },
  runAsUser: {
    'good user': { podContext: { runAsUser: 1 }, main: { securityContext: { runAsUser: 1000 } } },
    'bad for the pod': { podContext: { runAsUser: 0 } },
    ...perContainer({ runAsUser: 0 }),
    'bad for both': {
      podContext: { runAsUser: 0 },
      main: { securityContext: { runAsUser: 0 } },
    },
    'bad but own users': { spec: ownUsers, podContext: { runAsUser: 0 } },
  },
  seccompProfile_restricted: {
    'good for the pod': { podContext: { seccompProfile: { type: 'Localhost' } } },
    'good for each container': {
      podContext: { seccompProfile: undefined },
      init: { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
      main: { securityContext: { seccompProfile: { type: 'Localhost' } } },
    },
    'bad nowhere set': { podContext: { seccompProfile: undefined } },
    'bad half set': {
      podContext: { seccompProfile: undefined },
      main: { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } },
    },
    'bad for the pod': { podContext: { seccompProfile: { type: 'Unconfined' } } },
    ...perContainer({ seccompProfile: { type: 'Unconfined' } }),
    'bad but windows': { spec: windows, podContext: { seccompProfile: undefined } },
  },
};
