// The flags `--leader-elect*` of `keelson up`, named and checked as kube-controller-manager's. There
// is no `--leader-elect-resource-name`, for there are two leases, under the names that tools know.

import { Option, type Command } from 'commander';
import { defaultLeaseTimes, leaseTimesProblem } from '@keelson/controllers';
import type { LeaderElectionSettings } from '../elected-controllers.ts';
import { parseBoolean, parsePositiveDuration } from './flag-values.ts';

export interface LeaderElectionFlags {
  readonly leaderElect: boolean;
  /** Milliseconds, as those that follow. */
  readonly leaderElectLeaseDuration: number;
  readonly leaderElectRenewDeadline: number;
  readonly leaderElectRetryPeriod: number;
  readonly leaderElectResourceLock: 'leases';
  readonly leaderElectResourceNamespace: string;
}

export function addLeaderElectionFlags(command: Command): Command {
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = defaultLeaseTimes;
  const duration = (flag: string, about: string, ms: number) =>
    new Option(`--leader-elect-${flag} <duration>`, about)
      .argParser(parsePositiveDuration)
      .default(ms, `${ms / 1000}s`);
  return command
    .addOption(
      new Option(
        '--leader-elect [on]',
        'run controllers and scheduler only while their leases are held; for several control planes over one storage',
      )
        .argParser(parseBoolean)
        .preset('true')
        .default(false),
    )
    .addOption(duration('lease-duration', 'how long others wait for a leader', leaseDurationMs))
    .addOption(
      duration('renew-deadline', 'how long a leader tries to renew its lease', renewDeadlineMs),
    )
    .addOption(duration('retry-period', 'how often leases are tried for', retryPeriodMs))
    .addOption(
      new Option('--leader-elect-resource-lock <kind>', 'what is held')
        .choices(['leases'])
        .default('leases'),
    )
    .option('--leader-elect-resource-namespace <name>', 'where the leases are', 'kube-system');
}

/** The settings, or what is wrong with them; neither when there is no election. */
export function readLeaderElectionFlags(flags: LeaderElectionFlags): {
  readonly leaderElection?: LeaderElectionSettings;
  readonly problem?: string;
} {
  if (!flags.leaderElect) return {};
  const times = {
    leaseDurationMs: flags.leaderElectLeaseDuration,
    renewDeadlineMs: flags.leaderElectRenewDeadline,
    retryPeriodMs: flags.leaderElectRetryPeriod,
  };
  const problem = leaseTimesProblem(times);
  if (problem !== undefined) return { problem };
  return { leaderElection: { times, namespace: flags.leaderElectResourceNamespace } };
}
