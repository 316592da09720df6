// The JWT authenticators of `--authentication-config`, which follow the file. A new configuration
// is in force when it has been validated and every issuer in it has been found; until then, and
// whenever anything is wrong with it, the last good one stays. What cannot become good without
// another edit is not tried again; what depends on others is.

import { sleep } from '@keelson/apimachinery';
import type { TokenAuthenticator } from '../authenticator.ts';
import {
  AuthenticationConfigurationError,
  type AnonymousConfiguration,
} from '../configuration/authentication-configuration.ts';
import { decodeAuthenticationConfiguration } from '../configuration/decode-configuration.ts';
import { createExpressionCompiler } from '../configuration/expressions.ts';
import { compileConfiguration } from '../configuration/validate-configuration.ts';
import type { WatchedFile } from '../configuration/watched-file.ts';
import type { JwtDependencies } from './jwt-authenticator.ts';
import { createJwtAuthenticators, type JwtAuthenticators } from './jwt-authenticators.ts';
import type { ReloadMetrics } from './reload-metrics.ts';

export interface ConfiguredJwtAuthenticators extends TokenAuthenticator {
  /** The block of the file; absent: the flag decides. It does not change with the file. */
  readonly anonymous?: AnonymousConfiguration;
  close(): void;
}

export interface ConfiguredJwtOptions extends JwtDependencies {
  /** For messages. */
  readonly path: string;
  /** What the file held at the start. */
  readonly initial: Uint8Array;
  readonly file: WatchedFile;
  /** Issuers of service account tokens, which no authenticator may claim. */
  readonly disallowedIssuers: readonly string[];
  readonly reloads: ReloadMetrics;
}

// COMPAT: how long a new configuration may take to find its issuers, how often that is looked at,
// and how long requests under way may go on with the old one.
const healthTimeoutMs = 60_000;
const healthIntervalMs = 10_000;
const retirementMs = 60_000;

/** Throws AuthenticationConfigurationError when the initial configuration cannot be used. */
export function createConfiguredJwtAuthenticators(
  options: ConfiguredJwtOptions,
): ConfiguredJwtAuthenticators {
  const { initial, file, clock, reloads, metrics } = options;
  const build = createBuilder(options);
  const first = build(initial);
  let current = first.authenticators;
  const retired = new Set<JwtAuthenticators>();
  const life = new AbortController();
  reloads.applied(initial);

  const apply = (next: JwtAuthenticators, source: Uint8Array): void => {
    const old = current;
    current = next;
    reloads.applied(source);
    for (const issuer of old.issuers)
      if (!next.issuers.includes(issuer)) metrics.forgetIssuer(issuer);
    retired.add(old);
    clock.after(retirementMs, () => {
      retired.delete(old);
      old.close();
    });
  };
  const check = createReloader(options, { build, apply, first, signal: life.signal });
  const unwatch = file.watch(() => void check());
  return {
    name: current.name,
    ...(first.anonymous === undefined ? {} : { anonymous: first.anonymous }),
    authenticateToken: (token, audiences, trace) =>
      current.authenticateToken(token, audiences, trace),
    close() {
      unwatch();
      life.abort();
      for (const one of [current, ...retired]) one.close();
    },
  };
}

interface ReloadParts {
  readonly build: (source: Uint8Array) => Built;
  readonly apply: (next: JwtAuthenticators, source: Uint8Array) => void;
  readonly first: Built;
  readonly signal: AbortSignal;
}

/**
 * The function looks at the file once, and once more when it was called meanwhile: what changed
 * after the text had been read is not lost.
 */
function createReloader(options: ConfiguredJwtOptions, parts: ReloadParts): () => Promise<void> {
  const { file, logger, reloads, initial } = options;
  const { build, apply, first, signal } = parts;
  let tracked: Uint8Array = initial;
  let isChecking = false;
  let isAskedAgain = false;
  const reload = async (): Promise<void> => {
    const source = await file.read();
    if (Buffer.compare(source, tracked) === 0) return;
    const { authenticators, anonymous } = rememberingRefusal(
      () => build(source),
      () => (tracked = source),
    );
    try {
      if (JSON.stringify(anonymous) !== JSON.stringify(first.anonymous)) {
        tracked = source;
        throw new AuthenticationConfigurationError(
          'anonymous: Forbidden: changed from initial configuration file',
        );
      }
      await untilHealthy(authenticators, options, signal);
    } catch (error) {
      authenticators.close();
      throw error;
    }
    tracked = source;
    apply(authenticators, source);
    reloads.reloaded('success');
    logger.info('reloaded authentication config');
  };
  const attempt = async (): Promise<void> => {
    try {
      await reload();
    } catch (error) {
      if (signal.aborted) return;
      reloads.reloaded('failure');
      logger.error('failed to reload authentication config', { error: messageOf(error) });
    }
  };
  return async () => {
    isAskedAgain = true;
    if (isChecking) return;
    isChecking = true;
    while (isAskedAgain && !signal.aborted) {
      isAskedAgain = false;
      await attempt();
    }
    isChecking = false;
  };
}

interface Built {
  readonly authenticators: JwtAuthenticators;
  readonly anonymous: AnonymousConfiguration | undefined;
}

/** A configuration that is refused for what it says, not for the state of the world. */
class RefusedConfiguration extends AuthenticationConfigurationError {}

function createBuilder(options: ConfiguredJwtOptions): (source: Uint8Array) => Built {
  const { features, disallowedIssuers, path } = options;
  const compiler = createExpressionCompiler(features);
  const compile = (source: Uint8Array) => {
    const configuration = saying(
      `failed to load authentication configuration from file ${JSON.stringify(path)}`,
      () => decodeAuthenticationConfiguration(source, features),
    );
    const compiled = saying('invalid authentication configuration', () =>
      compileConfiguration(configuration, { compiler, features, disallowedIssuers }),
    );
    return { compiled, configuration };
  };
  return (source) => {
    const { compiled, configuration } = compile(source);
    return {
      authenticators: createJwtAuthenticators(compiled, options),
      anonymous: configuration.anonymous,
    };
  };
}

function saying<T>(what: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    if (!(cause instanceof AuthenticationConfigurationError)) throw cause;
    throw new RefusedConfiguration(`${what}: ${cause.message}`, { cause });
  }
}

function rememberingRefusal<T>(step: () => T, remember: () => void): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof RefusedConfiguration) remember();
    throw error;
  }
}

async function untilHealthy(
  authenticators: JwtAuthenticators,
  { clock }: ConfiguredJwtOptions,
  signal: AbortSignal,
): Promise<void> {
  const endMs = clock.monotonic() + healthTimeoutMs;
  // Discovery has begun already; most providers answer within the first moments.
  for (let waitMs = 1_000; ; waitMs = healthIntervalMs) {
    const problem = authenticators.healthProblem();
    if (problem === undefined) return;
    if (clock.monotonic() >= endMs) throw new Error(problem);
    await sleep(clock, waitMs, signal);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
