// Authorization of one control plane: the authorizers of its settings, webhooks reached as their
// kubeconfig files say, and the file of `--authorization-config` followed while the server runs.

import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { systemClock, systemRandom } from '@keelson/apimachinery';
import {
  createAuthorization,
  createReviewClient,
  defaultLimits,
  AuthorizationConfigurationError,
  parseAuthorizationConfiguration,
  silentLogger,
  startReload,
  type AuthorizationConfiguration,
  type Features,
  type Metrics,
  type ObjectSources,
  type ReviewServer,
} from '@keelson/apiserver';
import { loadKubeconfig } from '@keelson/client';
import type { ControlPlaneOptions } from './control-plane-options.ts';
import { watchForChanges } from './watched-file.ts';

export interface AuthorizationSettings {
  readonly configuration: AuthorizationConfiguration;
  /** The file that it was read from, and its text; followed from then on. */
  readonly file?: { readonly path: string; readonly text: string };
  /** Text of `--authorization-policy-file`, for ABAC. */
  readonly abacPolicy?: string;
}

export interface AuthorizationParts {
  readonly sources: ObjectSources;
  readonly metrics: Metrics;
  readonly signal: AbortSignal;
}

/** Throws AuthorizationConfigurationError for settings that cannot be used. */
export function createClusterAuthorization(
  options: ControlPlaneOptions,
  { sources, metrics, signal }: AuthorizationParts,
) {
  const { features, authorization: settings, clock = systemClock, random = systemRandom } = options;
  const { limits = defaultLimits, logger = silentLogger } = options;
  const connect = (file: string) =>
    createReviewClient(readReviewServer(file), {
      clock,
      answerBytesMax: limits.webhookAnswerBytesMax,
    });
  const authorization = createAuthorization({
    objects: sources,
    features,
    metrics,
    webhooks: { connect, clock, random },
    ...(settings === undefined ? {} : { configuration: settings.configuration }),
    ...(settings?.abacPolicy === undefined ? {} : { abacPolicy: settings.abacPolicy }),
  });
  if (settings?.file !== undefined) {
    const { path, text } = settings.file;
    const requiredTypes = new Set(settings.configuration.authorizers.map(({ type }) => type));
    startReload({
      read: () => readFileSync(path, 'utf8'),
      current: text,
      apply: (next) =>
        authorization.reconfigure(
          parseAuthorizationConfiguration(next, { features, checkFile, requiredTypes }),
        ),
      watch: (onChange) => watchForChanges(path, onChange, clock),
      hostName: hostname(),
      clock,
      metrics,
      logger,
      signal,
    });
  }
  return authorization;
}

/** Reads the file of `--authorization-config`. Throws AuthorizationConfigurationError. */
export function readAuthorizationFile(path: string, features: Features): AuthorizationSettings {
  try {
    const text = readFileSync(path, 'utf8');
    const configuration = parseAuthorizationConfiguration(text, { features, checkFile });
    return { configuration, file: { path, text } };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AuthorizationConfigurationError(
      `failed to load AuthorizationConfiguration from file: ${why}`,
      { cause },
    );
  }
}

/** What is wrong with a file that a configuration names, as kube-apiserver says it. */
function checkFile(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return `error loading file: stat ${path}: no such file or directory`;
  return stat.isFile() ? undefined : 'must be a regular file';
}

function readReviewServer(file: string): ReviewServer {
  try {
    const { transport, impersonate } = loadKubeconfig(file);
    if (impersonate !== undefined) throw new Error('webhooks are not called as somebody else');
    const { server, certificateAuthorityPem: ca, certificatePem, privateKeyPem } = transport;
    const { serverName, insecureSkipTlsVerify, token } = transport;
    return {
      url: server,
      tls: {
        ...(ca === undefined ? {} : { ca }),
        ...(insecureSkipTlsVerify === true ? { insecureSkipVerify: true } : {}),
        ...(serverName === undefined ? {} : { serverName }),
        ...(certificatePem === undefined ? {} : { certificate: certificatePem }),
        ...(privateKeyPem === undefined ? {} : { key: privateKeyPem }),
      },
      ...(token === undefined ? {} : { token }),
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AuthorizationConfigurationError(`${file}: ${why}`, { cause });
  }
}
