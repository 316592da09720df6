// The flags before `--authorization-config`: a list of modes, and one webhook with its settings.
// Checked as kube-apiserver checks them, all problems at once.

import { quoteGo } from '@keelson/apimachinery';
import {
  authorizerTypes,
  nameOfType,
  type AuthorizationConfiguration,
  type AuthorizationMode,
  type AuthorizerEntry,
  type SubjectAccessReviewVersion,
} from './authorization-configuration.ts';

export interface ModeFlags {
  readonly modes: readonly string[];
  readonly policyFile?: string;
  readonly webhookConfigFile?: string;
  /** `--authorization-webhook-version`. */
  readonly webhookVersion: SubjectAccessReviewVersion;
  readonly authorizedTtlMs: number;
  readonly unauthorizedTtlMs: number;
}

/** Values of the flags that are not given. */
export const modeFlagDefaults = {
  webhookVersion: 'v1beta1',
  authorizedTtlMs: 300_000,
  unauthorizedTtlMs: 30_000,
} as const;

/** Of one call of the webhook of the flags. */
const webhookTimeoutMs = 30_000;

/** What is wrong with the flags; nothing when they can be used. */
export function modeProblems(flags: ModeFlags): string[] {
  const { modes, policyFile = '', webhookConfigFile = '' } = flags;
  const problems: string[] = [];
  if (modes.length === 0) problems.push('at least one authorization-mode must be passed');
  for (const mode of modes) {
    if (!isMode(mode)) problems.push(`authorization-mode ${quoteGo(mode)} is not a valid mode`);
    if (mode === 'ABAC' && policyFile === '')
      problems.push("authorization-mode ABAC's authorization policy file not passed");
    if (mode === 'Webhook' && webhookConfigFile === '')
      problems.push("authorization-mode Webhook's authorization config file not passed");
  }
  if (policyFile !== '' && !modes.includes('ABAC'))
    problems.push('cannot specify --authorization-policy-file without mode ABAC');
  if (webhookConfigFile !== '' && !modes.includes('Webhook'))
    problems.push('cannot specify --authorization-webhook-config-file without mode Webhook');
  if (new Set(modes).size < modes.length)
    problems.push(
      `authorization-mode [${modes.map(quoteGo).join(' ')}] has mode specified more than once`,
    );
  return problems;
}

/** The configuration that flags without problems stand for; the webhook is called `default`. */
export function configurationOfModes(flags: ModeFlags): AuthorizationConfiguration {
  return {
    authorizers: flags.modes.filter(isMode).map((type): AuthorizerEntry => {
      if (type !== 'Webhook') return { type, name: nameOfType(type) };
      return {
        type,
        name: 'default',
        webhook: {
          kubeConfigFile: flags.webhookConfigFile ?? '',
          subjectAccessReviewVersion: flags.webhookVersion,
          timeoutMs: webhookTimeoutMs,
          authorizedTtlMs: flags.authorizedTtlMs,
          unauthorizedTtlMs: flags.unauthorizedTtlMs,
          failurePolicy: 'NoOpinion',
          matchConditions: [],
        },
      };
    }),
  };
}

function isMode(text: string): text is AuthorizationMode {
  return authorizerTypes.some((type) => type === text);
}
