// The flags that say whose credentials are taken, named and checked as kube-apiserver's, for
// `keelson up` and for the drop-in alike. Files are read here, so that what is wrong with them
// shows before anything is opened.

import { readFileSync } from 'node:fs';
import { openProblem } from './open-problem.ts';
import {
  AuthenticationConfigurationError,
  parseTokenFile,
  signingAlgorithms,
  tokenReviewVersionProblem,
  TokenFileError,
  type Features,
  type OidcFlags,
  type TokenReviewVersion,
} from '@keelson/apiserver';
import { KubeconfigError } from '@keelson/client';
import type { IdentityOptions, TrustedProxy } from '../identity.ts';
import { openTokenWebhook } from '../token-webhook-endpoint.ts';

/** As given on the command line; undefined or empty: not given. */
export interface AuthenticationFlags {
  readonly anonymousAuth?: boolean | undefined;
  readonly authenticationConfig?: string | undefined;
  readonly authenticationTokenWebhookConfigFile?: string | undefined;
  readonly authenticationTokenWebhookVersion?: string | undefined;
  /** Milliseconds. */
  readonly authenticationTokenWebhookCacheTtl?: number | undefined;
  readonly clientCaFile?: string | undefined;
  readonly enableBootstrapTokenAuth?: boolean | undefined;
  readonly oidcCaFile?: string | undefined;
  readonly oidcClientId?: string | undefined;
  readonly oidcGroupsClaim?: string | undefined;
  readonly oidcGroupsPrefix?: string | undefined;
  readonly oidcIssuerUrl?: string | undefined;
  /** `claim=value`. */
  readonly oidcRequiredClaim?: readonly string[] | undefined;
  readonly oidcSigningAlgs?: readonly string[] | undefined;
  readonly oidcUsernameClaim?: string | undefined;
  readonly oidcUsernamePrefix?: string | undefined;
  readonly requestheaderAllowedNames?: readonly string[] | undefined;
  readonly requestheaderClientCaFile?: string | undefined;
  readonly requestheaderExtraHeadersPrefix?: readonly string[] | undefined;
  readonly requestheaderGroupHeaders?: readonly string[] | undefined;
  readonly requestheaderUidHeaders?: readonly string[] | undefined;
  readonly requestheaderUsernameHeaders?: readonly string[] | undefined;
  readonly tokenAuthFile?: string | undefined;
}

/** What is wrong with the flags or their files, all of it, in kube-apiserver's words. */
export class AuthenticationFlagError extends Error {
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.length === 1 ? problems[0] : `[${problems.join(', ')}]`, options);
    this.name = 'AuthenticationFlagError';
  }
}

/** Throws AuthenticationFlagError. Warnings are for whoever started the server. */
export function readAuthenticationFlags(
  flags: AuthenticationFlags,
  features: Features,
  warn: (text: string) => void,
): IdentityOptions {
  const problems = [
    ...configurationProblems(flags, features),
    ...webhookProblems(flags),
    ...proxyProblems(flags, features),
  ];
  if (problems.length > 0) throw new AuthenticationFlagError(problems);
  const { anonymousAuth, clientCaFile, authenticationConfig } = flags;
  const oidc = readOidc(flags);
  const requestHeader = readProxy(flags);
  const tokenWebhook = readWebhook(flags);
  return {
    ...(anonymousAuth === undefined ? {} : { anonymous: anonymousAuth }),
    ...(isGiven(clientCaFile) ? { clientCaPem: readText(clientCaFile), clientCaFile } : {}),
    bootstrapTokens: flags.enableBootstrapTokenAuth ?? false,
    staticTokens: isGiven(flags.tokenAuthFile) ? readTokens(flags.tokenAuthFile, warn) : [],
    ...(isGiven(authenticationConfig)
      ? {
          authenticationConfig: {
            path: authenticationConfig,
            initial: reading(authenticationConfig, () => readFileSync(authenticationConfig)),
          },
        }
      : {}),
    ...(oidc === undefined ? {} : { oidc }),
    ...(tokenWebhook === undefined ? {} : { tokenWebhook }),
    ...(requestHeader === undefined ? {} : { requestHeader }),
  };
}

const defaultUsernameClaim = 'sub';
const defaultAlgorithms = ['RS256'];

function configurationProblems(flags: AuthenticationFlags, features: Features): string[] {
  const problems: string[] = [];
  const { authenticationConfig, oidcIssuerUrl, oidcClientId, oidcSigningAlgs = [] } = flags;
  const isOidc = hasOidcFlag(flags);
  if (isOidc && !(isGiven(oidcIssuerUrl) && isGiven(oidcClientId)))
    problems.push(
      'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set',
    );
  for (const algorithm of oidcSigningAlgs)
    if (!signingAlgorithms.includes(algorithm))
      problems.push(`oidc: unsupported signing alg: ${JSON.stringify(algorithm)}`);
  for (const pair of flags.oidcRequiredClaim ?? [])
    if (!pair.includes('='))
      problems.push(
        `invalid argument ${JSON.stringify(pair)} for "--oidc-required-claim" flag: malformed pair, expect string=string`,
      );
  if (!isGiven(authenticationConfig)) return problems;
  if (!features.enabled('StructuredAuthenticationConfiguration'))
    problems.push(
      'set --feature-gates=StructuredAuthenticationConfiguration=true to use authentication-config file',
    );
  if (isOidc) problems.push('authentication-config file and oidc-* flags are mutually exclusive');
  return problems;
}

function hasOidcFlag(flags: AuthenticationFlags): boolean {
  return Object.entries(flags).some(
    ([name, value]) => name.startsWith('oidc') && value !== undefined,
  );
}

function webhookProblems(flags: AuthenticationFlags): string[] {
  const { authenticationTokenWebhookConfigFile: file, authenticationTokenWebhookVersion: version } =
    flags;
  if (!isGiven(file) || version === undefined) return [];
  const problem = tokenReviewVersionProblem(version);
  return problem === undefined ? [] : [problem];
}

const standardUidHeader = 'x-remote-uid';

function proxyProblems(flags: AuthenticationFlags, features: Features): string[] {
  const lists = {
    'requestheader-username-headers': flags.requestheaderUsernameHeaders,
    'requestheader-uid-headers': flags.requestheaderUidHeaders,
    'requestheader-group-headers': flags.requestheaderGroupHeaders,
    'requestheader-extra-headers-prefix': flags.requestheaderExtraHeadersPrefix,
    'requestheader-allowed-names': flags.requestheaderAllowedNames,
  };
  const problems: string[] = [];
  for (const [name, values = []] of Object.entries(lists))
    if (values.some((value) => value.trim() === ''))
      problems.push(`empty value in ${JSON.stringify(name)}`);
  const uidHeaders = flags.requestheaderUidHeaders ?? [];
  if (uidHeaders.length > 0 && !features.enabled('RemoteRequestHeaderUID'))
    problems.push(
      '--requestheader-uid-headers requires the "RemoteRequestHeaderUID" feature to be enabled',
    );
  if (
    uidHeaders.length > 0 &&
    !uidHeaders.some((header) => header.toLowerCase() === standardUidHeader)
  )
    problems.push(
      '--requestheader-uid-headers is set without specifying the standard X-Remote-Uid header - API aggregation will not work',
    );
  return problems;
}

function readOidc(flags: AuthenticationFlags): IdentityOptions['oidc'] {
  const { oidcIssuerUrl: issuerUrl, oidcClientId: clientId, oidcCaFile } = flags;
  if (!isGiven(issuerUrl) || !isGiven(clientId)) return undefined;
  const requiredClaims = (flags.oidcRequiredClaim ?? []).map((pair): [string, string] => {
    const equals = pair.indexOf('=');
    return [pair.slice(0, equals).trim(), pair.slice(equals + 1).trim()];
  });
  const settings: OidcFlags = {
    issuerUrl,
    clientId,
    certificateAuthority: isGiven(oidcCaFile) ? readText(oidcCaFile) : '',
    usernameClaim: flags.oidcUsernameClaim ?? defaultUsernameClaim,
    usernamePrefix: flags.oidcUsernamePrefix ?? '',
    groupsClaim: flags.oidcGroupsClaim ?? '',
    groupsPrefix: flags.oidcGroupsPrefix ?? '',
    requiredClaims: new Map(requiredClaims),
  };
  const { oidcSigningAlgs: algorithms = [] } = flags;
  return { settings, algorithms: algorithms.length > 0 ? algorithms : defaultAlgorithms };
}

const defaultCacheTtlMs = 120_000;

function readWebhook(flags: AuthenticationFlags): IdentityOptions['tokenWebhook'] {
  const file = flags.authenticationTokenWebhookConfigFile;
  if (!isGiven(file)) return undefined;
  const version = (flags.authenticationTokenWebhookVersion ?? 'v1beta1') as TokenReviewVersion;
  return {
    endpoint: reading(file, () => openTokenWebhook(file)),
    version,
    cacheTtlMs: flags.authenticationTokenWebhookCacheTtl ?? defaultCacheTtlMs,
  };
}

function readProxy(flags: AuthenticationFlags): TrustedProxy | undefined {
  const file = flags.requestheaderClientCaFile;
  if (!isGiven(file)) return undefined;
  return {
    clientCa: readText(file),
    clientCaFile: file,
    allowedNames: flags.requestheaderAllowedNames ?? [],
    usernameHeaders: flags.requestheaderUsernameHeaders ?? [],
    uidHeaders: flags.requestheaderUidHeaders ?? [],
    groupHeaders: flags.requestheaderGroupHeaders ?? [],
    extraHeaderPrefixes: flags.requestheaderExtraHeadersPrefix ?? [],
  };
}

function readTokens(file: string, warn: (text: string) => void) {
  const { tokens, warnings } = reading(file, () => parseTokenFile(readText(file), file));
  warnings.forEach(warn);
  return tokens;
}

function readText(file: string): string {
  return reading(file, () => readFileSync(file, 'utf8'));
}

/** What the files' own parsers find is the user's to mend. */
function reading<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof AuthenticationFlagError) throw cause;
    if (cause instanceof TokenFileError || cause instanceof KubeconfigError)
      throw new AuthenticationFlagError([`${file}: ${cause.message}`], { cause });
    if (cause instanceof AuthenticationConfigurationError)
      throw new AuthenticationFlagError([cause.message], { cause });
    const problem = openProblem(file, cause);
    if (problem !== undefined) throw new AuthenticationFlagError([problem], { cause });
    throw cause;
  }
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
