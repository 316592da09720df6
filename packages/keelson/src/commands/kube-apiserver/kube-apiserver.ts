// `keelson kube-apiserver`: the API server alone, as a drop-in for kube-apiserver: its flags, its
// answers to wrong ones, no controllers, no files of its own but the certificate directory. Its
// state lives with the process that plays etcd (`etcd-state.ts`).

import { join } from 'node:path';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  AdmissionPluginError,
  ExternalSignerError,
  FeatureGateError,
  AdmissionConfigurationError,
  AuthenticationConfigurationError,
  AuthorizationConfigurationError,
  isStorageError,
  openEmbeddedStorage,
  openListener,
  RuntimeConfigError,
  ServiceRangeError,
  type Listener,
  type Logger,
  type Storage,
} from '@keelson/apiserver';
import { startControlPlane, type ControlPlane } from '../../control-plane.ts';
import { createLogger } from '../../log.ts';
import { servingNamesOf } from '../../serving-names.ts';
import { createLazyPki, type Pki } from '../../pki.ts';
import { TokenExpirationError } from '../../service-account-tokens.ts';
import { keelsonVersion, versionInfo } from '../../version.ts';
import { AuthenticationFlagError } from '../authentication-flags.ts';
import { describeFlags, FlagError, parseGoFlags } from '../go-flags.ts';
import type { ServerEnvironment } from '../server-environment.ts';
import { EtcdStateError, readEtcdState } from './etcd-state.ts';
import { alreadySo, inertFlags, kubeApiserverFlags } from './flags.ts';
import { readKubeApiserverOptions, type KubeApiserverOptions } from './options.ts';
import { openServingCertificate } from './serving-certificate.ts';

const newestMinor = 36;

/** Returns when the server is ready, or after it has called `exit`. */
export async function runKubeApiserver(
  argv: readonly string[],
  environment: ServerEnvironment,
): Promise<void> {
  try {
    const flags = parseGoFlags(kubeApiserverFlags, argv);
    if (flags.bool('help')) {
      environment.print(
        `Usage:\n  kube-apiserver [flags]\n\nFlags:\n${describeFlags(kubeApiserverFlags)}`,
      );
      return environment.exit(0);
    }
    if (flags.isSet('version')) {
      environment.print(`Kubernetes ${versionInfo(newestMinor).gitVersion}\n`);
      return environment.exit(0);
    }
    const logger = createLogger(flags.number('v'), environment.printError);
    const options = readKubeApiserverOptions(flags, (text) => logger.warn(text));
    for (const name of flags.given())
      if (inertFlags.has(name) && flags.text(name) !== alreadySo[name])
        environment.printError(`Flag --${name} has no effect in Keelson ${keelsonVersion}\n`);
    await serve(options, logger, environment);
  } catch (error) {
    if (!isExpected(error)) throw error;
    environment.printError(`Error: ${error.message}\n`);
    if (error instanceof FlagError)
      environment.printError("See 'kube-apiserver --help' for usage.\n");
    environment.exit(1);
  }
}

function isExpected(error: unknown): error is Error {
  return (
    error instanceof FlagError ||
    error instanceof AuthenticationFlagError ||
    error instanceof AuthenticationConfigurationError ||
    error instanceof EtcdStateError ||
    error instanceof FeatureGateError ||
    error instanceof RuntimeConfigError ||
    error instanceof ServiceRangeError ||
    error instanceof AdmissionConfigurationError ||
    error instanceof AuthorizationConfigurationError ||
    error instanceof AdmissionPluginError ||
    error instanceof ExternalSignerError ||
    error instanceof TokenExpirationError ||
    isStorageError(error) ||
    (error instanceof Error && 'syscall' in error)
  );
}

async function serve(
  options: KubeApiserverOptions,
  logger: Logger,
  environment: ServerEnvironment,
): Promise<void> {
  const pki = createServingPki(options);
  const state = await readEtcdState(options.etcdServers, systemClock);
  const storage = await openEmbeddedStorage({
    dir: join(state.dataDir, 'member', 'keelson'),
    clock: systemClock,
    fsync: state.fsync,
  });
  const { plane, listener } = await start(options, { pki, storage, logger });
  let stopping = false;
  environment.onStop(() => {
    if (stopping) return;
    stopping = true;
    plane.server.shutDown();
    void listener
      .close(2_000)
      .then(() => plane.close())
      .then(() => environment.exit(0));
  });
}

/** The port is opened last: whoever gets through finds a server that is ready. */
async function start(
  options: KubeApiserverOptions,
  { pki, storage, logger }: { pki: Pki; storage: Storage; logger: Logger },
): Promise<{ plane: ControlPlane; listener: Listener }> {
  const host = options.advertiseAddress.includes(':')
    ? `[${options.advertiseAddress}]`
    : options.advertiseAddress;
  let plane: ControlPlane | undefined;
  try {
    plane = await startControlPlane({
      ...options.controlPlane,
      pki,
      storage,
      logger,
      serverAddress: () => `${host}:${options.securePort}`,
    });
    const listener = await openListener(plane.server.serve, {
      address: options.bindAddress,
      port: options.securePort,
      certificate: pki.serving.certificatePem,
      key: pki.serving.privateKeyPem,
      http2: options.http2,
      limits: options.controlPlane.limits,
    });
    return { plane, listener };
  } catch (error) {
    await (plane ?? storage).close();
    throw error;
  }
}

function createServingPki(options: KubeApiserverOptions): Pki {
  const lazy = createLazyPki(
    { clock: systemClock, random: systemRandom },
    servingNamesOf(options.controlPlane.serviceRanges, [options.advertiseAddress]),
  );
  const serving = openServingCertificate(options.serving, () => lazy.serving);
  return {
    get authority() {
      return lazy.authority;
    },
    get admin() {
      return lazy.admin;
    },
    // Without a client certificate other servers do not believe in what the proxy says.
    get frontProxy() {
      const { proxyClient } = options;
      return proxyClient === undefined
        ? lazy.frontProxy
        : { authorityPem: '', client: proxyClient };
    },
    get kubeletClient() {
      return options.kubeletClient ?? lazy.kubeletClient;
    },
    get serviceAccountKey() {
      return lazy.serviceAccountKey;
    },
    serving,
  };
}
