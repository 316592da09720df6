// The flags that say who decides what callers may do, of `keelson up` and of the drop-in alike:
// a configuration file, or modes with a policy file and a webhook, never both.

import { readFileSync } from 'node:fs';
import { openProblem } from './open-problem.ts';
import {
  AuthorizationConfigurationError,
  configurationOfModes,
  modeFlagDefaults,
  modeProblems,
  type Features,
  type ModeFlags,
} from '@keelson/apiserver';
import { readAuthorizationFile, type AuthorizationSettings } from '../authorization.ts';

/** Each is undefined unless it was given. */
export interface AuthorizationFlags {
  readonly config?: string | undefined;
  readonly modes?: readonly string[] | undefined;
  readonly policyFile?: string | undefined;
  readonly webhookConfigFile?: string | undefined;
  readonly webhookVersion?: string | undefined;
  readonly authorizedTtlMs?: number | undefined;
  readonly unauthorizedTtlMs?: number | undefined;
}

/** Throws AuthorizationConfigurationError with kube-apiserver's text. */
export function readAuthorizationSettings(
  flags: AuthorizationFlags,
  features: Features,
  defaultModes: readonly string[],
): AuthorizationSettings {
  const policy = readPolicy(flags.policyFile);
  if (flags.config !== undefined && flags.config !== '') {
    assertFileOnly(flags, features);
    return { ...readAuthorizationFile(flags.config, features), ...policy };
  }
  const modeFlags = modeFlagsOf(flags, defaultModes);
  const problems = modeProblems(modeFlags);
  if (problems.length > 0)
    throw new AuthorizationConfigurationError(
      problems.length === 1 ? (problems[0] ?? '') : `[${problems.join(', ')}]`,
    );
  return { configuration: configurationOfModes(modeFlags), ...policy };
}

function assertFileOnly(flags: AuthorizationFlags, features: Features): void {
  if (!features.enabled('StructuredAuthorizationConfiguration'))
    throw new AuthorizationConfigurationError(
      '--authorization-config cannot be used without enabling StructuredAuthorizationConfiguration feature gate',
    );
  const older = [
    flags.modes,
    flags.webhookConfigFile,
    flags.webhookVersion,
    flags.authorizedTtlMs,
    flags.unauthorizedTtlMs,
  ];
  if (older.some((value) => value !== undefined))
    throw new AuthorizationConfigurationError(
      '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
    );
}

function modeFlagsOf(flags: AuthorizationFlags, defaultModes: readonly string[]): ModeFlags {
  const version = flags.webhookVersion ?? modeFlagDefaults.webhookVersion;
  if (version !== 'v1' && version !== 'v1beta1')
    throw new AuthorizationConfigurationError(
      `unsupported webhook authorizer version ${JSON.stringify(version)}, supported versions are v1, v1beta1`,
    );
  return {
    modes: flags.modes ?? defaultModes,
    webhookVersion: version,
    authorizedTtlMs: flags.authorizedTtlMs ?? modeFlagDefaults.authorizedTtlMs,
    unauthorizedTtlMs: flags.unauthorizedTtlMs ?? modeFlagDefaults.unauthorizedTtlMs,
    ...(flags.policyFile === undefined ? {} : { policyFile: flags.policyFile }),
    ...(flags.webhookConfigFile === undefined
      ? {}
      : { webhookConfigFile: flags.webhookConfigFile }),
  };
}

function readPolicy(file: string | undefined): { readonly abacPolicy?: string } {
  if (file === undefined || file === '') return {};
  try {
    return { abacPolicy: readFileSync(file, 'utf8') };
  } catch (cause) {
    throw new AuthorizationConfigurationError(openProblem(file, cause) ?? String(cause), { cause });
  }
}
