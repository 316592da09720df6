// `createCluster()`: a whole control plane inside the calling process. In memory, without files
// and, until `listen`, without a socket; many of them may live side by side. What answers is the
// real server with its whole request pipeline and its controllers.
//
//   await using cluster = await createCluster();
//   const pods = cluster.client().resource({ group: '', version: 'v1', resource: 'pods' });
//
// An open cluster does not keep the process alive; a request, a watch or a socket of it does.

import {
  systemClock,
  systemRandom,
  type Clock,
  type JsonValue,
  type Random,
} from '@keelson/apimachinery';
import {
  createFeatures,
  createMemoryStorage,
  defaultLimits,
  parseRuntimeConfig,
  openListener,
  silentLogger,
  type Features,
  type Listener,
  type Logger,
  type MemoryStorage,
} from '@keelson/apiserver';
import type { Decision, DecisionRequest } from '@keelson/advisor';
import { noNodeRules, parseDescribedNode, parseNodeRules } from '@keelson/node-agent';
import type { Client, InProcessCall } from '@keelson/client';
import { controllerNames, selectControllers, type ControllerName } from './controller-list.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { decideInProcess } from './decide.ts';
import { createInProcessClient, type UserSpec } from './in-process-client.ts';
import { eventually, type EventuallyOptions } from './eventually.ts';
import { formatKubeconfig } from './kubeconfig.ts';
import type { ServiceAccountChoices } from './identity.ts';
import { defaultServiceRanges, servingNamesOf } from './serving-names.ts';
import { adminName, createLazyPki, type Pki } from './pki.ts';
import { issueKubeconfig } from './user-credentials.ts';
import type { ControllerSettings } from './controller-description.ts';
import { createProcessHold, type ProcessHold } from './process-hold.ts';

export interface ClusterOptions {
  /** `1.26` to `1.36`: the release to behave like. */
  readonly emulatedVersion?: string;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  /** As the flag: `api/beta=true,networking.k8s.io/v1beta1=false`. */
  readonly runtimeConfig?: string;
  /** As the flag: `['*']` are all, `['*', '-name']` all but one, `[]` none. */
  readonly controllers?: readonly string[];
  readonly controllerSettings?: ControllerSettings;
  /** Issuers, keys and lifetimes of service account tokens. */
  readonly serviceAccounts?: ServiceAccountChoices;
  /**
   * How many nodes are simulated, `node-1` and so on, or which ones, each as the flag `--node`
   * describes it; none by default.
   */
  readonly nodes?: number | readonly string[];
  /** What pods do on them, as the parsed file of `--node-rules`. */
  readonly nodeRules?: object;
  /** Installs the kinds of snapshot.storage.k8s.io, of which the controllers of snapshots live. */
  readonly snapshots?: boolean;
  readonly enableAdmissionPlugins?: readonly string[];
  readonly disableAdmissionPlugins?: readonly string[];
  /** By plugin, as in an AdmissionConfiguration; files that it names are those of this machine. */
  readonly admissionConfiguration?: Readonly<Record<string, object>>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
}

/** What may be other in a fork. What is not named is as in the cluster that is forked. */
export type ForkOptions = Omit<ClusterOptions, 'clock' | 'random' | 'serviceAccounts'>;

export interface ListenOptions {
  readonly address?: string;
  /** Default: a free one. */
  readonly port?: number;
}
export interface ClusterAddress {
  readonly url: string;
  /** YAML with the administrator's credentials in it. */
  readonly kubeconfig: string;
}

export interface Cluster extends AsyncDisposable {
  /**
   * Acts as the user, by default one of `system:masters`. Closed with the cluster at the latest.
   */
  client(user?: UserSpec): Client;
  /** Sends one request and gives the answer with all that was decided on the way to it. */
  decide(request: DecisionRequest): Promise<Decision>;
  /** The storage's revision: it moves with every write. */
  revision(): number;
  /** Opens a port, once; later calls return the first one's answer. */
  listen(options?: ListenOptions): Promise<ClusterAddress>;
  /**
   * For clients that come over TLS, as the user: by default the administrator. Opens a port if
   * `listen` has not. A service account must exist and gets a token, as in a pod; others get a
   * client certificate.
   *
   *   const config = new KubeConfig();
   *   const name = 'system:serviceaccount:shop:operator';
   *   config.loadFromString(await cluster.kubeconfig({ name }));
   *
   * Throws for a user with `extra`, and for a service account with a uid or groups of its own.
   */
  kubeconfig(user?: UserSpec): Promise<string>;
  /**
   * Waits until `check` does not throw, and returns what it does. It is called at once, after every
   * write to the cluster, and now and then without; when time is up, what it throws is thrown.
   *
   *   await cluster.eventually(async () => {
   *     const { status } = await apps.readNamespacedDeployment({ name: 'web', namespace });
   *     assert.equal(status?.replicas, 3);
   *   });
   */
  eventually<T>(check: () => T | Promise<T>, options?: EventuallyOptions): Promise<T>;
  /**
   * An independent cluster with the same objects and identity, which knows nothing of this one from
   * now on. It may be of another release, as after an upgrade:
   *
   *   await using upgraded = await cluster.fork({ emulatedVersion: '1.36' });
   *
   * Throws as `createCluster`.
   */
  fork(options?: ForkOptions): Promise<Cluster>;
  /** Ends requests, watches, controllers and sockets. Leaves nothing behind. */
  close(): Promise<void>;
}

const admin: UserSpec = { name: adminName, groups: ['system:masters'] };
const userAgent = 'keelson-cluster';
/** How long connections of a closing cluster may take to say goodbye. */
const closeGraceMs = 500;

/** What a cluster is besides its objects; a fork has the same keys, clock and chance. */
interface ClusterIdentity {
  readonly features: Features;
  readonly controllers: ReadonlySet<ControllerName>;
  readonly pki: Pki;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly options: ClusterOptions;
}

/** Throws FeatureGateError, NodeRulesError, RuntimeConfigError and UnknownControllerError. */
export async function createCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { clock = systemClock, random = systemRandom } = options;
  const pki = createLazyPki({ clock, random }, servingNamesOf(defaultServiceRanges));
  return startCluster(identify(options, { pki, clock, random }), createMemoryStorage({ clock }));
}

function identify(
  options: ClusterOptions,
  own: Pick<ClusterIdentity, 'pki' | 'clock' | 'random'>,
): ClusterIdentity {
  const { emulatedVersion, featureGates = {}, controllers = ['*'] } = options;
  return {
    ...own,
    features: createFeatures({ featureGates, ...(emulatedVersion && { emulatedVersion }) }),
    controllers: selectControllers(controllers),
    logger: options.logger ?? silentLogger,
    options,
  };
}

/** Names that `controllers` takes. */
export const clusterControllers: readonly string[] = controllerNames;

async function startCluster(identity: ClusterIdentity, storage: MemoryStorage): Promise<Cluster> {
  const { options } = identity;
  let address = '127.0.0.1:6443';
  const plane = await startPlane(identity, storage, () => address);
  const hold = createProcessHold();
  const clients = new Set<Client>();
  let listening:
    | Promise<{ readonly listener: Listener; readonly answer: ClusterAddress }>
    | undefined;
  let closing: Promise<void> | undefined;

  const assertOpen = () => {
    if (closing !== undefined) throw new Error('the cluster is closed');
  };
  const client = (user: UserSpec = admin): Client => {
    assertOpen();
    const inner = holdingClient({ plane, hold, identity }, user);
    const close = () => {
      clients.delete(outer);
      inner.close();
    };
    const outer: Client = { ...inner, close, [Symbol.dispose]: close };
    clients.add(outer);
    return outer;
  };
  const close = async () => {
    for (const one of clients) one.close();
    const open = await listening?.catch(() => undefined);
    plane.server.shutDown();
    await open?.listener.close(closeGraceMs);
    await plane.close();
    hold.close();
  };
  const cluster: Cluster = {
    client,
    async decide(request) {
      assertOpen();
      return holdWhile(hold, () => decideInProcess(plane.server.serve, request, admin));
    },
    revision: () => storage.revision(),
    async listen(listenOptions = {}) {
      assertOpen();
      listening ??= openSocket(plane, identity.pki, listenOptions).then((opened) => {
        address = new URL(opened.answer.url).host;
        return opened;
      });
      return (await listening).answer;
    },
    async kubeconfig(user) {
      assertOpen();
      const { url } = await cluster.listen();
      using requesting = client();
      return await issueKubeconfig({ pki: identity.pki, client: requesting }, url, user);
    },
    async eventually(check, eventuallyOptions) {
      assertOpen();
      const { clock } = identity;
      return holdWhile(hold, () => eventually({ storage, clock }, check, eventuallyOptions));
    },
    async fork(changes = {}) {
      assertOpen();
      const changed = identify({ ...options, ...changes }, identity);
      return startCluster(changed, storage.fork());
    },
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => cluster.close(),
  };
  return cluster;
}

function startPlane(
  { options, ...parts }: ClusterIdentity,
  storage: MemoryStorage,
  serverAddress: () => string,
): Promise<ControlPlane> {
  return startControlPlane({
    storage,
    ...parts,
    runtimeConfig: parseRuntimeConfig([options.runtimeConfig ?? '']),
    enableAdmissionPlugins: options.enableAdmissionPlugins ?? [],
    disableAdmissionPlugins: options.disableAdmissionPlugins ?? [],
    admissionConfiguration: new Map(Object.entries(options.admissionConfiguration ?? {})),
    controllerSettings: options.controllerSettings ?? {},
    snapshots: options.snapshots === true,
    ...options.serviceAccounts,
    ...nodesOf(options),
    serverAddress,
  });
}

function nodesOf({ nodes = 0, nodeRules }: ClusterOptions) {
  const count = typeof nodes === 'number' ? nodes : 0;
  const described = typeof nodes === 'number' ? [] : nodes.map(parseDescribedNode);
  if (count + described.length === 0) return {};
  const rules = nodeRules === undefined ? noNodeRules : parseNodeRules(nodeRules as JsonValue);
  return { nodes: { count, described, rules } };
}

interface ClientParts {
  readonly plane: ControlPlane;
  readonly hold: ProcessHold;
  readonly identity: ClusterIdentity;
}

function holdingClient({ plane, hold, identity }: ClientParts, user: UserSpec): Client {
  return createInProcessClient({
    serve: plane.server.serve,
    user,
    userAgent,
    clock: holdingClock(identity.clock, hold),
    random: identity.random,
    around: (call) => holdingCall(call, hold),
  });
}

async function openSocket(plane: ControlPlane, pki: Pki, options: ListenOptions) {
  const { address = '127.0.0.1', port = 0 } = options;
  const listener = await openListener(plane.server.serve, {
    address,
    port,
    certificate: pki.serving.certificatePem,
    key: pki.serving.privateKeyPem,
    http2: true,
    limits: defaultLimits,
  });
  const host = address.includes(':') ? `[${address}]` : address;
  const url = `https://${host}:${listener.port}`;
  const kubeconfig = formatKubeconfig({
    server: url,
    certificateAuthorityPem: pki.authority.certificatePem,
    user: adminName,
    client: pki.admin,
  });
  return { listener, answer: { url, kubeconfig } };
}

/** The process lives until the answer has been read, or the watch has been left. */
function holdingCall(call: InProcessCall, hold: ProcessHold): InProcessCall {
  return async (request) => {
    const release = hold.acquire();
    try {
      const response = await call(request);
      return {
        status: response.status,
        headers: response.headers,
        async *chunks() {
          try {
            yield* response.chunks();
          } finally {
            release();
          }
        },
      };
    } catch (error) {
      release();
      throw error;
    }
  };
}

async function holdWhile<T>(hold: ProcessHold, work: () => Promise<T>): Promise<T> {
  const release = hold.acquire();
  try {
    return await work();
  } finally {
    release();
  }
}

/** A client that waits before it tries again keeps the process alive too. */
function holdingClock(clock: Clock, hold: ProcessHold): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after(delayMs, fn) {
      const release = hold.acquire();
      const cancel = clock.after(delayMs, () => {
        release();
        fn();
      });
      return () => {
        release();
        cancel();
      };
    },
  };
}
