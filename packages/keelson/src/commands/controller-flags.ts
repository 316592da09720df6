// The flags of `keelson up` for its controllers, named and checked as kube-controller-manager's.

import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import type { Clock, Random } from '@keelson/apimachinery';
import { parseSchedulerConfiguration, SchedulerConfigurationError } from '@keelson/controllers';
import type { ControllerSettings } from '../controller-description.ts';
import { isFileError } from './file-error.ts';
import {
  addClusterSigningFlags,
  readClusterSigningFlags,
  type ClusterSigningFlags,
} from './cluster-signing-flags.ts';
import { addNodeIpamFlags, readNodeIpamFlags, type NodeIpamFlags } from './node-ipam-flags.ts';
import { ControllerFlagError } from './controller-flag-error.ts';
import { parsePositiveDuration } from './flag-values.ts';
import type { LeaderElectionSettings } from '../elected-controllers.ts';
import {
  addLeaderElectionFlags,
  readLeaderElectionFlags,
  type LeaderElectionFlags,
} from './leader-election-flags.ts';

export interface ControllerFlags extends ClusterSigningFlags, LeaderElectionFlags, NodeIpamFlags {
  /** Milliseconds. */
  readonly clusterSigningDuration: number;
  /** Milliseconds. */
  readonly legacyServiceAccountTokenCleanUpPeriod: number;
  /** Milliseconds. */
  readonly horizontalPodAutoscalerSyncPeriod: number;
  readonly disableForceDetachOnTimeout: boolean;
  readonly schedulerConfig?: string;
}

const yearMs = 8760 * 60 * 60 * 1000;

export function addControllerFlags(command: Command): Command {
  return addNodeIpamFlags(addLeaderElectionFlags(addClusterSigningFlags(command)))
    .addOption(
      new Option(
        '--cluster-signing-duration <duration>',
        'how long signed certificates last, unless less was asked for',
      )
        .argParser(parsePositiveDuration)
        .default(yearMs, '8760h'),
    )
    .addOption(
      new Option(
        '--legacy-service-account-token-clean-up-period <duration>',
        'how long a generated token Secret must have been unused to be taken out of use, and then to be deleted',
      )
        .argParser(parsePositiveDuration)
        .default(yearMs, '8760h'),
    )
    .addOption(
      new Option(
        '--horizontal-pod-autoscaler-sync-period <duration>',
        'how often autoscalers look at their metrics',
      )
        .argParser(parsePositiveDuration)
        .default(15_000, '15s'),
    )
    .option(
      '--disable-force-detach-on-timeout',
      'volumes of nodes that do not answer are not taken from them after six minutes',
      false,
    )
    .option(
      '--scheduler-config <file>',
      'KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) with the profiles of the scheduler',
    );
}

export interface ControllerChoices {
  readonly controllerSettings: ControllerSettings;
  readonly leaderElection?: LeaderElectionSettings;
}

/** Throws ControllerFlagError. */
export function readControllerFlags(
  flags: ControllerFlags,
  dependencies: {
    readonly clock: Clock;
    readonly random: Random;
    readonly isEnabled: (gate: string) => boolean;
  },
): ControllerChoices {
  const signingAuthorities = readClusterSigningFlags(flags, dependencies);
  const { leaderElection, problem } = readLeaderElectionFlags(flags);
  if (problem !== undefined) throw new ControllerFlagError(`--leader-elect: ${problem}`);
  const controllerSettings = {
    certificateDurationMs: flags.clusterSigningDuration,
    legacyTokenCleanUpPeriodMs: flags.legacyServiceAccountTokenCleanUpPeriod,
    autoscalerSyncPeriodMs: flags.horizontalPodAutoscalerSyncPeriod,
    isForceDetachDisabled: flags.disableForceDetachOnTimeout,
    ...readNodeIpamFlags(flags),
    ...readScheduler(flags.schedulerConfig, dependencies.isEnabled),
    ...(signingAuthorities && { signingAuthorities }),
  };
  return { controllerSettings, ...(leaderElection && { leaderElection }) };
}

function readScheduler(
  file: string | undefined,
  isEnabled: (gate: string) => boolean,
): Pick<ControllerSettings, 'scheduler'> {
  if (file === undefined) return {};
  try {
    const read = (path: string) => readFileSync(path, 'utf8');
    return { scheduler: parseSchedulerConfiguration(read(file), isEnabled, read) };
  } catch (cause) {
    if (!(cause instanceof SchedulerConfigurationError) && !isFileError(cause)) throw cause;
    throw new ControllerFlagError(`--scheduler-config ${file}: ${cause.message}`, cause);
  }
}
