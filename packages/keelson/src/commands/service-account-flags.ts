// The flags about service account tokens, which `keelson up` and `keelson kube-apiserver` have in
// common: which of them go together, in kube-apiserver's words, and what they ask for. Key files are
// read here once, so that what is wrong with them shows before anything is opened, and again while
// the server runs.

import { readFileSync } from 'node:fs';
import { openProblem } from './open-problem.ts';
import {
  parseSigningKey,
  parseVerificationKeys,
  type Features,
  type SigningKey,
} from '@keelson/apiserver';
import type { ServiceAccountChoices } from '../identity.ts';
import type { TokenKeyFiles, TokenKeySet } from '../service-account-tokens.ts';

/** As given; empty where a flag was not. */
export interface ServiceAccountFlagValues {
  readonly issuers: readonly string[];
  readonly keyFiles: readonly string[];
  readonly signingKeyFile: string;
  readonly signingEndpoint: string;
  readonly jwksUri: string;
  readonly apiAudiences: readonly string[];
  /** Milliseconds; 0 is none. */
  readonly maxExpirationMs: number;
  readonly extendExpiration: boolean;
}

const abstractName = /^@([a-zA-Z0-9_-]+\.)*[a-zA-Z0-9_-]+$/;
const gate = 'ExternalServiceAccountTokenSigner';
const maxExpirationMinMs = 60 * 60 * 1000;
const maxExpirationMaxMs = 2 ** 32 * 1000;

/** What is wrong with values that are well-formed each; all at once, COMPAT: as kube-apiserver. */
export function serviceAccountProblems(
  values: ServiceAccountFlagValues,
  features: Features,
): string[] {
  const { signingEndpoint, jwksUri, maxExpirationMs } = values;
  const problems = issuerProblems(values.issuers);
  if (signingEndpoint !== '') problems.push(...endpointProblems(values, features));
  if (jwksUri !== '' && protocolOf(jwksUri) !== 'https:')
    problems.push(`service-account-jwks-uri requires https scheme, parsed as: ${jwksUri}`);
  const isInRange = maxExpirationMs >= maxExpirationMinMs && maxExpirationMs <= maxExpirationMaxMs;
  if (maxExpirationMs !== 0 && !isInRange)
    problems.push(
      'the service-account-max-token-expiration must be between 1 hour and 2^32 seconds',
    );
  return problems;
}

function issuerProblems(issuers: readonly string[]): string[] {
  const seen = new Set<string>();
  return issuers.flatMap((issuer) => {
    if (issuer === '') return ['service-account-issuer should not be an empty string'];
    if (seen.has(issuer))
      return [`service-account-issuer ${JSON.stringify(issuer)} is already specified`];
    seen.add(issuer);
    return issuer.includes(':') && !URL.canParse(issuer)
      ? [
          `service-account-issuer ${JSON.stringify(issuer)} contained a ':' but was not a valid URL: parse ${JSON.stringify(issuer)}: invalid URL`,
        ]
      : [];
  });
}

function endpointProblems(values: ServiceAccountFlagValues, features: Features): string[] {
  const { signingEndpoint, signingKeyFile, keyFiles, issuers } = values;
  // kube-apiserver stops at this one.
  if (signingKeyFile !== '' && (issuers[0] ?? '') !== '')
    return [
      'service-account-signing-key-file and service-account-signing-endpoint are mutually exclusive and cannot be set at the same time',
    ];
  const problems: string[] = [];
  if (signingKeyFile !== '' || keyFiles.length > 0)
    problems.push(
      "can't set `--service-account-signing-key-file` and/or `--service-account-key-file` with `--service-account-signing-endpoint` (They are mutually exclusive)",
    );
  if (!features.enabled(gate))
    problems.push(
      `setting \`--service-account-signing-endpoint\` requires enabling ${gate} feature gate`,
    );
  if (signingEndpoint.startsWith('@') && !abstractName.test(signingEndpoint))
    problems.push(
      `invalid value ${JSON.stringify(signingEndpoint)} passed for \`--service-account-signing-endpoint\`, when prefixed with @ must be a valid abstract socket name`,
    );
  return problems;
}

function protocolOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : '';
}

/**
 * What values without problems ask for. `ownKey` signs where no file does. Throws what reading and
 * parsing the files throws, with the name of the file in front.
 */
export function readServiceAccountChoices(
  values: ServiceAccountFlagValues,
  ownKey: () => SigningKey,
): ServiceAccountChoices {
  const { issuers, apiAudiences, jwksUri, signingEndpoint, maxExpirationMs } = values;
  const tokenKeyFiles = keyFilesOf(values, ownKey);
  tokenKeyFiles?.read();
  return {
    ...(issuers.length === 0 ? {} : { issuers }),
    ...(apiAudiences.length === 0 ? {} : { apiAudiences }),
    ...(jwksUri === '' ? {} : { jwksUri }),
    ...(tokenKeyFiles === undefined ? {} : { tokenKeyFiles }),
    ...(signingEndpoint === '' ? {} : { tokenSigningEndpoint: signingEndpoint }),
    ...(maxExpirationMs === 0
      ? {}
      : { tokenExpirationSecondsMax: Math.floor(maxExpirationMs / 1000) }),
    extendTokenExpiration: values.extendExpiration,
  };
}

function keyFilesOf(
  { signingKeyFile, keyFiles }: ServiceAccountFlagValues,
  ownKey: () => SigningKey,
): TokenKeyFiles | undefined {
  if (signingKeyFile === '' && keyFiles.length === 0) return undefined;
  return {
    read: (): TokenKeySet => ({
      signing: signingKeyFile === '' ? ownKey() : readKeys(signingKeyFile, parseSigningKey),
      verification: keyFiles.flatMap((file) => readKeys(file, parseVerificationKeys)),
    }),
  };
}

function readKeys<T>(file: string, parse: (pem: string) => T): T {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ServiceAccountKeyError(file, cause);
  }
}

/** A key file cannot be used. SECURITY: the message names the file, never what is in it. */
export class ServiceAccountKeyError extends Error {
  constructor(file: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(openProblem(file, cause) ?? `${file}: ${why}`, { cause });
    this.name = 'ServiceAccountKeyError';
  }
}
