// The flags of `keelson up` about service account tokens, named as kube-apiserver's.

import { Option, type Command } from 'commander';
import type { Features, SigningKey } from '@keelson/apiserver';
import type { ServiceAccountChoices } from '../identity.ts';
import { parseBoolean, parseDuration } from './flag-values.ts';
import { readServiceAccountChoices, serviceAccountProblems } from './service-account-flags.ts';

export interface UpServiceAccountFlags {
  readonly serviceAccountIssuer: readonly string[];
  readonly serviceAccountKeyFile: readonly string[];
  readonly serviceAccountSigningKeyFile?: string;
  readonly serviceAccountSigningEndpoint?: string;
  readonly serviceAccountJwksUri?: string;
  readonly apiAudiences: readonly string[];
  /** Milliseconds; 0 is none. */
  readonly serviceAccountMaxTokenExpiration: number;
  readonly serviceAccountExtendTokenExpiration: boolean;
}

export class ServiceAccountFlagError extends Error {
  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'ServiceAccountFlagError';
  }
}

export function addServiceAccountFlags(command: Command): Command {
  const repeated = (text: string, before: readonly string[]) => [...before, text];
  const listed = (text: string, before: readonly string[]) => [
    ...before,
    ...text.split(',').filter((part) => part !== ''),
  ];
  return command
    .option(
      '--service-account-issuer <url>',
      'issuer of tokens; may be repeated, the first one issues, the others are taken too',
      repeated,
      [],
    )
    .option(
      '--service-account-key-file <file>',
      'keys that verify tokens: public keys, private keys or certificates; may be repeated',
      repeated,
      [],
    )
    .option(
      '--service-account-signing-key-file <file>',
      'the key that signs tokens (default: the one in the data directory)',
    )
    .option(
      '--service-account-signing-endpoint <socket>',
      'Unix socket of an external signer; @name is an abstract one',
    )
    .option('--service-account-jwks-uri <url>', 'where others find the keys of tokens')
    .option('--api-audiences <names>', 'audiences that tokens must be meant for', listed, [])
    .addOption(
      new Option(
        '--service-account-max-token-expiration <duration>',
        'how long tokens live at most (default: no limit)',
      )
        .argParser(parseDuration)
        .default(0, 'no limit'),
    )
    .addOption(
      new Option(
        '--service-account-extend-token-expiration [on]',
        'tokens in pods live for a year, and are noted when they are used late',
      )
        .argParser(parseBoolean)
        .preset('true')
        .default(true),
    );
}

/** Throws ServiceAccountFlagError and ServiceAccountKeyError. */
export function readUpServiceAccounts(
  flags: UpServiceAccountFlags,
  features: Features,
  ownKey: () => SigningKey,
): ServiceAccountChoices {
  const values = {
    issuers: flags.serviceAccountIssuer,
    keyFiles: flags.serviceAccountKeyFile,
    signingKeyFile: flags.serviceAccountSigningKeyFile ?? '',
    signingEndpoint: flags.serviceAccountSigningEndpoint ?? '',
    jwksUri: flags.serviceAccountJwksUri ?? '',
    apiAudiences: flags.apiAudiences,
    maxExpirationMs: flags.serviceAccountMaxTokenExpiration,
    extendExpiration: flags.serviceAccountExtendTokenExpiration,
  };
  const problems = serviceAccountProblems(values, features);
  if (problems.length > 0) throw new ServiceAccountFlagError(problems);
  return readServiceAccountChoices(values, ownKey);
}
