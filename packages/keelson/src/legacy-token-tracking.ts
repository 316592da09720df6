// What the server itself does about tokens that live in Secrets (KEP-2799): it writes on the Secret
// when its token was last used, and keeps the ConfigMap that says since when this is so.
//
//   kube-system/kube-apiserver-legacy-service-account-token-tracking   data.since: 2026-01-31
//
// A ConfigMap that is deleted comes back at most every half hour, so that servers of two releases
// do not fight over it; a day that cannot be read becomes today. Without the gate there is none.

import {
  isStatusError,
  type Clock,
  type GroupVersionResource,
  type KubeObject,
} from '@keelson/apimachinery';
import type { Features, Logger, ObjectSource } from '@keelson/apiserver';
import type { Client } from '@keelson/client';

const secretsResource: GroupVersionResource = { group: '', version: 'v1', resource: 'secrets' };
const configMapsResource: GroupVersionResource = {
  group: '',
  version: 'v1',
  resource: 'configmaps',
};
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
const namespace = 'kube-system';
const name = 'kube-apiserver-legacy-service-account-token-tracking';
const createIntervalMs = 30 * 60_000;
const retryMs = 10_000;

/** Notes the use of a Secret's token on the Secret, once a day. Never throws. */
export type NoteTokenUse = (secret: KubeObject, today: string) => void;

/** `client` acts as the server itself. */
export function createTokenUseNotes(client: () => Client, logger: Logger): NoteTokenUse {
  // Many requests with one token may come before the label is written.
  const underWay = new Set<string>();
  const note = async (secret: KubeObject, today: string) => {
    const { namespace: of = '', name: secretName = '', uid = '' } = secret.metadata;
    const patch = { metadata: { uid, labels: { [lastUsedLabel]: today } } };
    try {
      await client().resource(secretsResource).namespace(of).patch(secretName, 'merge', patch);
    } catch (error) {
      // Another Secret of the same name by now, or none.
      if (isStatusError(error, 'Conflict') || isStatusError(error, 'NotFound')) return;
      logger.warn('use of a token secret not noted', {
        namespace: of,
        name: secretName,
        error: error instanceof Error ? error.message : String(error),
      });
    }
  };
  return (secret, today) => {
    const key = `${secret.metadata.uid}/${today}`;
    if (underWay.has(key)) return;
    underWay.add(key);
    void note(secret, today).finally(() => underWay.delete(key));
  };
}

export interface TrackingOptions {
  readonly client: Client;
  readonly configMaps: ObjectSource;
  readonly features: Features;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Resolves when the ConfigMap is as it should be, and keeps it so until the signal is aborted. */
export async function keepTokenTracking(options: TrackingOptions): Promise<void> {
  const { configMaps, clock, logger, signal } = options;
  let createdMs = Number.NEGATIVE_INFINITY;
  let wanted = Promise.withResolvers<void>();
  const end = configMaps.subscribe(({ object }) => {
    if (object.metadata.name === name && object.metadata.namespace === namespace) wanted.resolve();
  });
  const stop = () => {
    end();
    wanted.resolve();
  };
  signal.addEventListener('abort', stop, { once: true });
  /** Answers when to look again at the latest, if ever. */
  const sync = async (): Promise<number | undefined> => {
    wanted = Promise.withResolvers();
    try {
      const isThere = configMaps.get(namespace, name) !== undefined;
      const waitMs = createdMs + createIntervalMs - clock.monotonic();
      const tracks = options.features.enabled('LegacyServiceAccountTokenTracking');
      if (tracks && !isThere && waitMs > 0) return waitMs;
      if ((await reconcile(options)) === 'created') createdMs = clock.monotonic();
      return undefined;
    } catch (error) {
      if (!signal.aborted)
        logger.warn('tracking of token secrets not published', {
          error: error instanceof Error ? error.message : String(error),
        });
      return retryMs;
    }
  };
  let waitMs = await sync();
  const keep = async () => {
    while (!signal.aborted) {
      const cancel = waitMs === undefined ? () => {} : clock.after(waitMs, wanted.resolve);
      await wanted.promise;
      cancel();
      if (!signal.aborted) waitMs = await sync();
    }
  };
  void keep();
}

async function reconcile({
  client,
  configMaps,
  features,
  clock,
}: TrackingOptions): Promise<'created' | undefined> {
  const resource = client.resource<TrackingMap>(configMapsResource).namespace(namespace);
  const current = configMaps.get(namespace, name) as TrackingMap | undefined;
  const since = new Date(clock.now()).toISOString().slice(0, 10);
  if (!features.enabled('LegacyServiceAccountTokenTracking')) {
    if (current !== undefined) await unless(resource.delete(name), 'NotFound');
    return undefined;
  }
  if (current === undefined) {
    const made = resource.create({ metadata: { name, namespace }, data: { since } });
    return (await unless(made, 'AlreadyExists')) ? 'created' : undefined;
  }
  if (isDay(current.data?.['since'])) return undefined;
  const repaired = { ...current, data: { ...current.data, since } };
  await unless(resource.update(repaired), 'NotFound', 'Conflict');
  return undefined;
}

interface TrackingMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

function isDay(text: string | undefined): boolean {
  if (text === undefined || !/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** False when the call failed for one of these reasons. */
async function unless(
  call: Promise<unknown>,
  ...reasons: readonly ('AlreadyExists' | 'Conflict' | 'NotFound')[]
): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    if (reasons.some((reason) => isStatusError(error, reason))) return false;
    throw error;
  }
}
