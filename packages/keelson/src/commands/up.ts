// `keelson up`: one process that is a cluster's control plane. Flags are named as kube-apiserver's
// where it has one.

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { DecodeError, parseYaml, systemClock, systemRandom } from '@keelson/apimachinery';
import {
  AdmissionConfigurationError,
  AdmissionPluginError,
  AuthenticationConfigurationError,
  AuthorizationConfigurationError,
  createFeatures,
  createMemoryStorage,
  ExternalSignerError,
  FeatureGateError,
  isStorageError,
  openEmbeddedStorage,
  openListener,
  parseAdmissionConfiguration,
  createBuiltinVersions,
  parseFeatureGates,
  parseRuntimeConfig,
  RuntimeConfigError,
  type AdmissionConfiguration,
  type Features,
  type Listener,
  type RuntimeConfig,
  type ServerLimits,
  type Storage,
} from '@keelson/apiserver';
import { NodeRulesError } from '@keelson/node-agent';
import { controllerNames, selectControllers, UnknownControllerError } from '../controller-list.ts';
import { startControlPlane, type ControlPlane } from '../control-plane.ts';
import { formatKubeconfig } from '../kubeconfig.ts';
import { createLogger } from '../log.ts';
import { adminName, createPki, openPki, writePrivate, type Pki } from '../pki.ts';
import { addAuthenticationFlags } from './add-authentication-flags.ts';
import {
  AuthenticationFlagError,
  readAuthenticationFlags,
  type AuthenticationFlags,
} from './authentication-flags.ts';
import {
  addAuthorizationFlags,
  readUpAuthorization,
  type UpAuthorizationFlags,
} from './up-authorization-flags.ts';
import { isFileError } from './file-error.ts';
import { ControllerFlagError } from './controller-flag-error.ts';
import {
  addControllerFlags,
  readControllerFlags,
  type ControllerFlags,
} from './controller-flags.ts';
import { addNodeFlags, readNodes, type NodeFlags } from './node-flags.ts';
import {
  addRequestLimitFlags,
  readRequestLimits,
  RequestLimitError,
  type RequestLimitFlags,
} from './request-limit-flags.ts';
import {
  addServiceAccountFlags,
  readUpServiceAccounts,
  ServiceAccountFlagError,
  type UpServiceAccountFlags,
} from './up-service-account-flags.ts';
import { ServiceAccountKeyError } from './service-account-flags.ts';
import { TokenExpirationError } from '../service-account-tokens.ts';
import { parseBoolean } from './flag-values.ts';

export interface UpEnvironment {
  print(text: string): void;
  printError(text: string): void;
  /** Calls `stop` when the process is asked to end. */
  onStop(stop: (signal: string) => void): void;
  exit(code: number): void;
  readonly home: string;
}

export interface UpFlags
  extends
    RequestLimitFlags,
    AuthenticationFlags,
    UpAuthorizationFlags,
    ControllerFlags,
    NodeFlags,
    UpServiceAccountFlags {
  readonly dataDir: string;
  readonly securePort: number;
  readonly bindAddress: string;
  readonly kubeconfig?: string;
  readonly storage: 'embedded' | 'memory';
  readonly admissionControlConfigFile?: string;
  readonly enableAdmissionPlugins: readonly string[];
  readonly disableAdmissionPlugins: readonly string[];
  readonly emulatedVersion?: string;
  readonly featureGates?: string;
  readonly runtimeConfig: readonly string[];
  readonly serviceClusterIpRange: string;
  readonly controllers: readonly string[];
  readonly enableAggregatorRouting: boolean;
  readonly snapshots?: boolean;
  readonly http2: boolean;
  readonly v: number;
}

/** What ends `keelson up` before it serves: one sentence for people, and the exit code. */
export class StartError extends Error {
  readonly exitCode: number;
  constructor(message: string, exitCode: number, cause?: unknown) {
    super(message, { cause });
    this.name = 'StartError';
    this.exitCode = exitCode;
  }
}
/** Exit codes: a flag or file of the user is wrong; a resource is taken or cannot be used. */
export const exitCodes = { usage: 2, unavailable: 3 } as const;

export function addUpCommand(program: Command, environment: UpEnvironment): void {
  const list = (text: string) =>
    text
      .split(',')
      .map((s) => s.trim())
      .filter((s) => s !== '');
  const command = program
    .command('up')
    .description('start a control plane and write a kubeconfig for it')
    .option(
      '--data-dir <dir>',
      'where state, keys and kubeconfig are kept',
      join(environment.home, '.keelson'),
    )
    .option('--secure-port <port>', 'HTTPS port; 0 takes a free one', parsePort, 6443)
    .option('--bind-address <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--kubeconfig <file>',
      'where to write the kubeconfig (default: kubeconfig in the data directory)',
    )
    .option('--storage <kind>', 'embedded or memory', parseStorage, 'embedded')
    .option('--admission-control-config-file <file>', 'configuration of admission plugins')
    .option(
      '--enable-admission-plugins <names>',
      'plugins in addition to the default ones',
      list,
      [],
    )
    .option('--disable-admission-plugins <names>', 'default plugins to leave out', list, [])
    .option('--emulated-version <version>', 'the Kubernetes release to behave like, 1.26 to 1.36')
    .option('--feature-gates <gates>', 'Gate=true,Other=false')
    .option(
      '--runtime-config <versions>',
      'API versions to serve or not: api/beta=true,networking.k8s.io/v1beta1=false',
      list,
      [],
    )
    .option('--service-cluster-ip-range <cidrs>', 'addresses of Services', '10.96.0.0/16')
    .option(
      '--enable-aggregator-routing <bool>',
      'reach extension API servers at their endpoints, not over the addresses of their Services',
      parseBoolean,
      true,
    )
    .option(
      '--controllers <names>',
      `which controllers run: *, name, -name (of ${controllerNames.join(', ')})`,
      list,
      ['*'],
    )
    .option('--snapshots', 'install the kinds of volume snapshots (snapshot.storage.k8s.io/v1)')
    .option('--no-http2', 'serve HTTP/1.1 only');
  addAuthenticationFlags(command);
  addAuthorizationFlags(command);
  addControllerFlags(addServiceAccountFlags(command));
  addNodeFlags(command);
  addRequestLimitFlags(command)
    .option('-v, --v <level>', 'how much to log, 0 to 10', Number, 0)
    .action(async (flags: UpFlags) => {
      try {
        await runUp(flags, environment);
      } catch (error) {
        if (!(error instanceof StartError)) throw error;
        environment.printError(`keelson: ${error.message}\n`);
        environment.exit(error.exitCode);
      }
    });
}

/** Resolves when the server is ready; it then runs until `onStop` asks it to end. */
export async function runUp(flags: UpFlags, environment: UpEnvironment): Promise<void> {
  const features = usage(() =>
    createFeatures({
      ...(flags.emulatedVersion === undefined ? {} : { emulatedVersion: flags.emulatedVersion }),
      featureGates: flags.featureGates === undefined ? {} : parseFeatureGates(flags.featureGates),
    }),
  );
  const choices = readChoices(flags, features);
  const logger = createLogger(flags.v, environment.printError);
  const identity = usage(() =>
    readAuthenticationFlags(flags, features, (text) => logger.warn(text)),
  );
  const nodes = usage(() => readNodes(flags));
  const dataDir = resolve(flags.dataDir);
  const storage = await openStorage(flags, dataDir);
  let listener: Listener | undefined, plane: ControlPlane, text: string;
  try {
    const pki = preparePki(flags, dataDir);
    const tokens = usage(() => readUpServiceAccounts(flags, features, () => pki.serviceAccountKey));
    let address = `${flags.bindAddress}:${flags.securePort}`;
    plane = await startControlPlane({
      storage,
      features,
      pki,
      ...identity,
      ...choices,
      ...tokens,
      nodes,
      snapshots: flags.snapshots === true,
      serverAddress: () => address,
      logger,
    });
    listener = await listen(flags, { pki, plane, limits: choices.limits });
    address = `${shownHost(flags.bindAddress)}:${listener.port}`;
    const file = resolve(flags.kubeconfig ?? join(dataDir, 'kubeconfig'));
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writePrivate(
      file,
      formatKubeconfig({
        server: `https://${address}`,
        certificateAuthorityPem: pki.authority.certificatePem,
        user: adminName,
        client: pki.admin,
      }),
    );
    text = readyText(address, file, flags, features);
  } catch (error) {
    await listener?.close(0);
    await storage.close();
    throw startErrorOf(error);
  }
  const opened = listener;
  let stopping = false;
  environment.onStop(() => {
    if (stopping) return;
    stopping = true;
    void stop(plane, opened).then(() => environment.exit(0));
  });
  // Last, for whoever waits for it may ask for the end at once.
  environment.print(text);
}

/** What shows only when the parts are put together. */
function startErrorOf(error: unknown): unknown {
  if (error instanceof ExternalSignerError)
    return new StartError(error.message, exitCodes.unavailable, error);
  return isSettingsError(error) ? new StartError(error.message, exitCodes.usage, error) : error;
}

function isSettingsError(error: unknown): error is Error {
  return (
    error instanceof AdmissionPluginError ||
    error instanceof AdmissionConfigurationError ||
    error instanceof AuthenticationConfigurationError ||
    error instanceof AuthorizationConfigurationError ||
    error instanceof TokenExpirationError
  );
}

/** Watches are closed, requests under way get a moment, data is flushed. */
async function stop(plane: ControlPlane, listener: Listener): Promise<void> {
  plane.server.shutDown();
  await listener.close(2_000);
  await plane.close();
}

/** What the flags decide about the control plane; checked before anything is opened. */
function readChoices(flags: UpFlags, features: Features) {
  const bounds = usage(() => readRequestLimits(flags));
  const controllers = usage(() => selectControllers(flags.controllers));
  const controllerChoices = usage(() =>
    readControllerFlags(flags, {
      clock: systemClock,
      random: systemRandom,
      isEnabled: (gate) => features.enabled(gate),
    }),
  );
  const admissionConfiguration = readAdmissionConfiguration(flags, features);
  const authorization = usage(() => readUpAuthorization(flags, features));
  return {
    ...bounds,
    authorization,
    controllers,
    ...controllerChoices,
    runtimeConfig: readRuntimeConfig(flags, features),
    serviceClusterIpRange: flags.serviceClusterIpRange,
    enableAggregatorRouting: flags.enableAggregatorRouting,
    enableAdmissionPlugins: flags.enableAdmissionPlugins,
    disableAdmissionPlugins: flags.disableAdmissionPlugins,
    ...(admissionConfiguration === undefined ? {} : { admissionConfiguration }),
  };
}

function readRuntimeConfig(flags: UpFlags, features: Features): RuntimeConfig {
  const config = parseRuntimeConfig(flags.runtimeConfig);
  usage(() => createBuiltinVersions(config, features));
  return config;
}

/** `--admission-control-config-file`; paths in it are relative to it. */
function readAdmissionConfiguration(
  flags: UpFlags,
  features: Features,
): AdmissionConfiguration | undefined {
  const file = flags.admissionControlConfigFile;
  if (file === undefined) return undefined;
  const read = (path: string) => parseYaml(readFileSync(path, 'utf8')).value;
  return usage(() =>
    parseAdmissionConfiguration(read(file), (path) => read(resolve(dirname(file), path)), features),
  );
}

function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const known =
      cause instanceof FeatureGateError ||
      cause instanceof RuntimeConfigError ||
      cause instanceof AdmissionConfigurationError ||
      cause instanceof AuthorizationConfigurationError ||
      cause instanceof DecodeError ||
      cause instanceof AuthenticationFlagError ||
      cause instanceof RequestLimitError ||
      cause instanceof NodeRulesError ||
      cause instanceof UnknownControllerError ||
      cause instanceof ControllerFlagError ||
      cause instanceof ServiceAccountFlagError ||
      cause instanceof ServiceAccountKeyError ||
      isFileError(cause);
    if (!known) throw cause;
    throw new StartError((cause as Error).message, exitCodes.usage, cause);
  }
}

async function openStorage(flags: UpFlags, dataDir: string): Promise<Storage> {
  if (flags.storage === 'memory') return createMemoryStorage({ clock: systemClock });
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    return await openEmbeddedStorage({ dir: join(dataDir, 'db'), clock: systemClock });
  } catch (cause) {
    if (isStorageError(cause) || isFileError(cause))
      throw new StartError(cause.message, exitCodes.unavailable, cause);
    throw cause;
  }
}

function preparePki(flags: UpFlags, dataDir: string): Pki {
  const names = {
    dnsNames: [
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
      'kubernetes.default.svc.cluster.local',
    ],
    ipAddresses: [
      ...new Set([
        '127.0.0.1',
        '10.96.0.1',
        ...(isWildcard(flags.bindAddress) ? [] : [flags.bindAddress]),
      ]),
    ],
  };
  const dependencies = { clock: systemClock, random: systemRandom };
  // Without files a new identity each time would lock out the kubeconfig of the last run; keep it
  // when there is a directory.
  if (flags.storage === 'memory' && !existsSync(join(dataDir, 'pki')))
    return createPki(dependencies, names);
  try {
    return openPki(join(dataDir, 'pki'), dependencies, names);
  } catch (cause) {
    throw new StartError((cause as Error).message, exitCodes.unavailable, cause);
  }
}

interface Served {
  readonly pki: Pki;
  readonly plane: ControlPlane;
  readonly limits: ServerLimits;
}

async function listen(flags: UpFlags, { pki, plane, limits }: Served): Promise<Listener> {
  try {
    return await openListener(plane.server.serve, {
      address: flags.bindAddress,
      port: flags.securePort,
      certificate: pki.serving.certificatePem,
      key: pki.serving.privateKeyPem,
      http2: flags.http2,
      limits,
    });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const where = `${flags.bindAddress}:${flags.securePort}`;
    if (code === 'EADDRINUSE')
      throw new StartError(
        `${where} is in use; choose another port with --secure-port`,
        exitCodes.unavailable,
        cause,
      );
    if (code === 'EACCES')
      throw new StartError(`not allowed to listen on ${where}`, exitCodes.unavailable, cause);
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new StartError(
        `${flags.bindAddress} is not an address of this machine`,
        exitCodes.usage,
        cause,
      );
    throw cause;
  }
}

const isWildcard = (address: string) => address === '0.0.0.0' || address === '::';
const shownHost = (address: string) =>
  isWildcard(address) ? '127.0.0.1' : address.includes(':') ? `[${address}]` : address;

function readyText(
  address: string,
  kubeconfig: string,
  flags: UpFlags,
  features: Features,
): string {
  return [
    `Keelson is ready: Kubernetes ${features.emulated.major}.${features.emulated.minor} API on https://${address}`,
    `  state       ${flags.storage === 'memory' ? 'in memory, gone when this process ends' : resolve(flags.dataDir)}`,
    `  kubeconfig  ${kubeconfig}`,
    '',
    'Try it:',
    `  export KUBECONFIG=${kubeconfig}`,
    '  kubectl get namespaces',
    '',
    '',
  ].join('\n');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new InvalidArgumentError('a port is a number from 0 to 65535.');
  return port;
}
function parseStorage(text: string): 'embedded' | 'memory' {
  if (text === 'embedded' || text === 'memory') return text;
  throw new InvalidArgumentError('embedded or memory.');
}
