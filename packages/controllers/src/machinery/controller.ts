// What every controller is given and what it is.

import type { Clock, KubeObject, Random } from '@keelson/apimachinery';
import type { Client, Informers } from '@keelson/client';
import type { ControllerMetrics } from './controller-metrics.ts';

/** Where controllers report failures; a constant message with key–value pairs. */
export interface ControllerLog {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface ControllerContext {
  /** Acts as the controller's own service account, so it can do what its role says and no more. */
  readonly client: Client;
  /** Shared by all controllers; they read with the rights of the controller manager. */
  readonly informers: Informers;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: ControllerLog;
  readonly metrics: ControllerMetrics;
  /** Feature gates of the emulated release; a name that no release knows throws. */
  readonly isEnabled: (gate: string) => boolean;
}

export interface Controller {
  /** Resolves when the signal was aborted and nothing is under way any more. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/** `namespace/name`, or the name of what is in no namespace. */
export function keyOf({ metadata: { namespace = '', name = '' } }: KubeObject): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}
export function parseKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/');
  if (slash < 0) return { namespace: '', name: key };
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}

/** A message for the log. SECURITY: objects stay out of it; errors of the API name them only. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
