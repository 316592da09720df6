// The flags of `keelson up` that say who decides what callers may do, named as kube-apiserver's.

import type { Command } from 'commander';
import type { Features } from '@keelson/apiserver';
import type { AuthorizationSettings } from '../authorization.ts';
import { readAuthorizationSettings } from './authorization-flags.ts';
import { parseDuration } from './flag-values.ts';

export interface UpAuthorizationFlags {
  readonly authorizationConfig?: string;
  readonly authorizationMode?: readonly string[];
  readonly authorizationPolicyFile?: string;
  readonly authorizationWebhookConfigFile?: string;
  readonly authorizationWebhookVersion?: string;
  /** Milliseconds. */
  readonly authorizationWebhookCacheAuthorizedTtl?: number;
  readonly authorizationWebhookCacheUnauthorizedTtl?: number;
}

const defaultModes = ['Node', 'RBAC'];

export function addAuthorizationFlags(command: Command): Command {
  const list = (text: string) => text.split(',').filter((mode) => mode !== '');
  return command
    .option('--authorization-config <file>', 'which authorizers are asked, as a file')
    .option(
      '--authorization-mode <modes>',
      `AlwaysAllow, AlwaysDeny, ABAC, Webhook, RBAC, Node; asked in this order (default: ${defaultModes.join(',')})`,
      list,
    )
    .option('--authorization-policy-file <file>', 'policy of the mode ABAC')
    .option('--authorization-webhook-config-file <file>', 'kubeconfig of the mode Webhook')
    .option('--authorization-webhook-version <version>', 'v1 or v1beta1 (default: v1beta1)')
    .option(
      '--authorization-webhook-cache-authorized-ttl <duration>',
      'how long its permissions are kept (default: 5m0s)',
      parseDuration,
    )
    .option(
      '--authorization-webhook-cache-unauthorized-ttl <duration>',
      'how long its refusals are kept (default: 30s)',
      parseDuration,
    );
}

/** Throws AuthorizationConfigurationError. */
export function readUpAuthorization(
  flags: UpAuthorizationFlags,
  features: Features,
): AuthorizationSettings {
  return readAuthorizationSettings(
    {
      config: flags.authorizationConfig,
      modes: flags.authorizationMode,
      policyFile: flags.authorizationPolicyFile,
      webhookConfigFile: flags.authorizationWebhookConfigFile,
      webhookVersion: flags.authorizationWebhookVersion,
      authorizedTtlMs: flags.authorizationWebhookCacheAuthorizedTtl,
      unauthorizedTtlMs: flags.authorizationWebhookCacheUnauthorizedTtl,
    },
    features,
    defaultModes,
  );
}
