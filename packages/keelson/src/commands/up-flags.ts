// The flags of `keelson up`, named as kube-apiserver's where it has one.

import { join } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { controllerNames } from '../controller-list.ts';
import { addAuthenticationFlags } from './add-authentication-flags.ts';
import type { AuthenticationFlags } from './authentication-flags.ts';
import { addControllerFlags, type ControllerFlags } from './controller-flags.ts';
import { parseBoolean } from './flag-values.ts';
import { addNodeFlags, type NodeFlags } from './node-flags.ts';
import { addRequestLimitFlags, type RequestLimitFlags } from './request-limit-flags.ts';
import { addAuthorizationFlags, type UpAuthorizationFlags } from './up-authorization-flags.ts';
import { addServiceAccountFlags, type UpServiceAccountFlags } from './up-service-account-flags.ts';

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

/** `home`: where the data directory is when no flag says so. */
export function addUpFlags(command: Command, home: string): Command {
  addOwnFlags(command, home);
  addAuthenticationFlags(command);
  addAuthorizationFlags(command);
  addControllerFlags(addServiceAccountFlags(command));
  addNodeFlags(command);
  return addRequestLimitFlags(command).option(
    '-v, --v <level>',
    'how much to log, 0 to 10',
    Number,
    0,
  );
}

function addOwnFlags(command: Command, home: string): void {
  command
    .option('--data-dir <dir>', 'where state, keys and kubeconfig are kept', join(home, '.keelson'))
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
}

const list = (text: string) =>
  text
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s !== '');

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
