// Control planes that trust identity providers of a test, by a configuration file that can be
// changed.

import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { JsonObject } from '@keelson/apimachinery';
import {
  startAuthenticatedPlane,
  temporaryFile,
  until,
  type AuthenticatedPlane,
} from './authenticated-plane.ts';
import { audience, startIdentityProvider, type IdentityProvider } from './identity-provider.ts';

export const startMs = Date.UTC(2026, 0, 1);
export const start = (seconds: number) => Math.floor(startMs / 1000) + seconds;

export interface Authenticator {
  readonly provider: IdentityProvider;
  readonly issuer?: JsonObject;
  readonly claimMappings?: JsonObject;
  readonly more?: JsonObject;
}

/** The text of a configuration file. */
export function configuration(
  authenticators: readonly Authenticator[],
  more: JsonObject = {},
): string {
  return JSON.stringify({
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthenticationConfiguration',
    jwt: authenticators.map(({ provider, issuer, claimMappings, more: rest }) => ({
      issuer: {
        url: provider.url,
        audiences: [audience],
        certificateAuthority: provider.authorityPem,
        ...issuer,
      },
      claimMappings: {
        username: { claim: 'sub', prefix: 'idp:' },
        groups: { claim: 'groups', prefix: 'idp:' },
        ...claimMappings,
      },
      ...rest,
    })),
    ...more,
  });
}

export async function provider(
  t: TestContext,
  options: Parameters<typeof startIdentityProvider>[0] = {},
) {
  const started = await startIdentityProvider({ nowMs: () => startMs, ...options });
  t.after(() => started.close());
  return started;
}

export async function planeWith(
  t: TestContext,
  text: string,
  more: Parameters<typeof startAuthenticatedPlane>[1] = {},
) {
  const { path, write } = temporaryFile(t, 'authentication.yaml', text);
  const authenticationConfig = { path, initial: readFileSync(path) };
  const plane = await startAuthenticatedPlane(t, { authenticationConfig, ...more });
  return { ...plane, write };
}

export const notReady = 'oidc: authenticator not initialized';
export async function ready(plane: AuthenticatedPlane, token: string): Promise<void> {
  await until(async () => !(await plane.review(token)).error.includes(notReady));
}

/** `name [groups]`, or the error, without that of the server's own token. */
export async function outcome(plane: AuthenticatedPlane, token: string): Promise<string> {
  const { authenticated, username, groups, error } = await plane.review(token);
  if (authenticated) return `${username} [${groups.join(' ')}]`;
  return error.replace(/^\[invalid bearer token, (.*)\]$/s, '$1');
}
