// The flags of `keelson up` for its controllers, named and checked as kube-controller-manager's.

import { readFileSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { loadCertificateAuthority, type CertificateAuthority } from '@keelson/apiserver';
import type { Clock, Random } from '@keelson/apimachinery';
import { parseSchedulerConfiguration, SchedulerConfigurationError } from '@keelson/controllers';
import type { ControllerSettings } from '../controller-descriptions.ts';
import { isFileError } from './file-error.ts';
import { parsePositiveDuration } from './flag-values.ts';
import type { LeaderElectionSettings } from '../elected-controllers.ts';
import {
  addLeaderElectionFlags,
  readLeaderElectionFlags,
  type LeaderElectionFlags,
} from './leader-election-flags.ts';

export interface ControllerFlags extends LeaderElectionFlags {
  readonly clusterSigningCertFile?: string;
  readonly clusterSigningKeyFile?: string;
  /** Milliseconds. */
  readonly clusterSigningDuration: number;
  /** Milliseconds. */
  readonly legacyServiceAccountTokenCleanUpPeriod: number;
  /** Milliseconds. */
  readonly horizontalPodAutoscalerSyncPeriod: number;
  readonly schedulerConfig?: string;
}

/** What is wrong with the flags or the files that they name. */
export class ControllerFlagError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ControllerFlagError';
  }
}

const yearMs = 8760 * 60 * 60 * 1000;

export function addControllerFlags(command: Command): Command {
  return addLeaderElectionFlags(command)
    .option(
      '--cluster-signing-cert-file <file>',
      'authority that signs what CertificateSigningRequests ask for (default: the one in the data directory)',
    )
    .option('--cluster-signing-key-file <file>', 'its key')
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
      '--scheduler-config <file>',
      'KubeSchedulerConfiguration (kubescheduler.config.k8s.io/v1) with the profiles of the scheduler',
    );
}

export interface ControllerChoices {
  readonly controllerSettings: ControllerSettings;
  readonly leaderElection?: LeaderElectionSettings;
  readonly signingAuthority?: CertificateAuthority;
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
  const { clusterSigningCertFile: certFile, clusterSigningKeyFile: keyFile } = flags;
  const controllerSettings = {
    certificateDurationMs: flags.clusterSigningDuration,
    legacyTokenCleanUpPeriodMs: flags.legacyServiceAccountTokenCleanUpPeriod,
    autoscalerSyncPeriodMs: flags.horizontalPodAutoscalerSyncPeriod,
    ...readScheduler(flags.schedulerConfig, dependencies.isEnabled),
  };
  const { leaderElection, problem } = readLeaderElectionFlags(flags);
  if (problem !== undefined) throw new ControllerFlagError(`--leader-elect: ${problem}`);
  const choices = { controllerSettings, ...(leaderElection && { leaderElection }) };
  if (certFile === undefined && keyFile === undefined) return choices;
  if (certFile === undefined || keyFile === undefined)
    throw new ControllerFlagError(
      '--cluster-signing-cert-file and --cluster-signing-key-file go together',
    );
  try {
    const signingAuthority = loadCertificateAuthority(dependencies, {
      certificatePem: readFileSync(certFile, 'utf8'),
      privateKeyPem: readFileSync(keyFile, 'utf8'),
    });
    return { ...choices, signingAuthority };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ControllerFlagError(`--cluster-signing-cert-file ${certFile}: ${why}`, cause);
  }
}

function readScheduler(
  file: string | undefined,
  isEnabled: (gate: string) => boolean,
): Pick<ControllerSettings, 'scheduler'> {
  if (file === undefined) return {};
  try {
    return { scheduler: parseSchedulerConfiguration(readFileSync(file, 'utf8'), isEnabled) };
  } catch (cause) {
    if (!(cause instanceof SchedulerConfigurationError) && !isFileError(cause)) throw cause;
    throw new ControllerFlagError(`--scheduler-config ${file}: ${cause.message}`, cause);
  }
}
