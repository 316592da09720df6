// The parts of a pod that the Pod Security Standards look at, as structural types: any decoded
// v1 Pod or pod template satisfies them. `null` counts as unset everywhere, as it does in Go.
// A pod is assumed to be schema valid; this package decides policy, not validity.

export interface PodMetadata {
  readonly name?: string | null;
  readonly annotations?: Readonly<Record<string, string | undefined>> | null;
}

export interface PodSpec {
  readonly hostNetwork?: boolean | null;
  readonly hostPID?: boolean | null;
  readonly hostIPC?: boolean | null;
  readonly hostUsers?: boolean | null;
  readonly os?: { readonly name?: string | null } | null;
  readonly runtimeClassName?: string | null;
  readonly securityContext?: PodSecurityContext | null;
  readonly volumes?: readonly (Volume | null)[] | null;
  readonly initContainers?: readonly (Container | null)[] | null;
  readonly containers?: readonly (Container | null)[] | null;
  readonly ephemeralContainers?: readonly (Container | null)[] | null;
}

export interface PodSecurityContext extends SharedSecurityContext {
  readonly sysctls?: readonly ({ readonly name?: string | null } | null)[] | null;
}

export interface SecurityContext extends SharedSecurityContext {
  readonly privileged?: boolean | null;
  readonly allowPrivilegeEscalation?: boolean | null;
  readonly procMount?: string | null;
  readonly capabilities?: {
    readonly add?: readonly string[] | null;
    readonly drop?: readonly string[] | null;
  } | null;
}

/** What can be set for the whole pod and again for each container. */
export interface SharedSecurityContext {
  readonly runAsNonRoot?: boolean | null;
  readonly runAsUser?: number | bigint | null;
  readonly seLinuxOptions?: SeLinuxOptions | null;
  readonly seccompProfile?: { readonly type?: string | null } | null;
  readonly appArmorProfile?: { readonly type?: string | null } | null;
  readonly windowsOptions?: { readonly hostProcess?: boolean | null } | null;
}

export interface SeLinuxOptions {
  readonly user?: string | null;
  readonly role?: string | null;
  readonly type?: string | null;
  readonly level?: string | null;
}

export interface Container {
  readonly name?: string | null;
  readonly image?: string | null;
  readonly securityContext?: SecurityContext | null;
  readonly ports?: readonly ({ readonly hostPort?: number | bigint | null } | null)[] | null;
  readonly livenessProbe?: NetworkHandler | null;
  readonly readinessProbe?: NetworkHandler | null;
  readonly startupProbe?: NetworkHandler | null;
  readonly lifecycle?: {
    readonly postStart?: NetworkHandler | null;
    readonly preStop?: NetworkHandler | null;
  } | null;
}

export interface NetworkHandler {
  readonly httpGet?: { readonly host?: string | null } | null;
  readonly tcpSocket?: { readonly host?: string | null } | null;
}

/** One source per volume; the key is the volume type. */
export type Volume = { readonly name?: string | null } & Readonly<Record<string, unknown>>;

const unnamedContainer: Container = Object.freeze({ name: '' });

/**
 * The container at `index` of init, ordinary and ephemeral containers laid end to end, which is the
 * order in which messages list them; `undefined` after the last. Index based so that a check that
 * finds nothing allocates nothing.
 * SECURITY: a `null` element is an empty container, not the end of the list.
 */
export function containerAt(spec: PodSpec, index: number): Container | undefined {
  const { initContainers, containers, ephemeralContainers } = spec;
  let rest = index;
  const initCount = initContainers?.length ?? 0;
  if (rest < initCount) return initContainers?.[rest] ?? unnamedContainer;
  rest -= initCount;
  const count = containers?.length ?? 0;
  if (rest < count) return containers?.[rest] ?? unnamedContainer;
  rest -= count;
  if (rest < (ephemeralContainers?.length ?? 0)) {
    return ephemeralContainers?.[rest] ?? unnamedContainer;
  }
  return undefined;
}

/** `spec.initContainers[0]` for the index that `containerAt` takes. */
export function containerPath(spec: PodSpec, index: number): string {
  const initCount = spec.initContainers?.length ?? 0;
  const count = spec.containers?.length ?? 0;
  if (index < initCount) return `spec.initContainers[${index}]`;
  if (index < initCount + count) return `spec.containers[${index - initCount}]`;
  return `spec.ephemeralContainers[${index - initCount - count}]`;
}

/** True for `spec.os.name: windows`, where Linux security fields mean nothing. */
export function isWindowsPod(spec: PodSpec): boolean {
  return spec.os?.name === 'windows';
}

/** True when the pod asked for a user namespace of its own, so that its root is not the host's. */
export function hasUserNamespace(spec: PodSpec): boolean {
  return spec.hostUsers === false;
}
