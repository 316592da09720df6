// Takes token Secrets out of use that nobody has used for long (KEP-2799). Only those that the
// cluster once made by itself, which their service account still lists and no pod mounts:
//
//   not used for a period P (a year)             the label `legacy-token-invalid-since`: refused from now on
//   and not taken back for another P             deleted
//
// Use is known since the day in the tracking ConfigMap, so nothing happens in the first P and a day
// after it. Whoever takes the label away may use the token again.

import { isStatusError } from '@keelson/apimachinery';
import type { ConfigMap, Pod, Secret, ServiceAccount } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import {
  configMapsResource,
  podsResource,
  secretsResource,
  serviceAccountsResource,
} from '../machinery/resources.ts';
import { runPeriodically } from '../machinery/run-periodically.ts';
import { podSecretNames } from './pod-secret-names.ts';

export interface LegacyTokenCleanerOptions {
  /** `--legacy-service-account-token-clean-up-period`; a year by default. */
  readonly periodMs?: number | undefined;
  /** How often it looks; once a day by default. */
  readonly syncIntervalMs?: number | undefined;
}

const dayMs = 24 * 60 * 60 * 1000;
const defaultPeriodMs = 365 * dayMs;
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since';
const secretType = 'kubernetes.io/service-account-token';
const trackingNamespace = 'kube-system';
const trackingName = 'kube-apiserver-legacy-service-account-token-tracking';

export function createLegacyTokenCleanerController(
  { client, informers, clock, log }: ControllerContext,
  { periodMs = defaultPeriodMs, syncIntervalMs = dayMs }: LegacyTokenCleanerOptions,
): Controller {
  const secrets = informers.informer<Secret>(secretsResource, {
    fieldSelector: `type=${secretType}`,
  });
  const accounts = informers.informer<ServiceAccount>(serviceAccountsResource);
  const pods = informers.informer<Pod>(podsResource);
  const known: Known = {
    account: (namespace, name) => accounts.store.get(namespace, name),
    pods: (namespace) => pods.store.list(namespace),
  };
  const retire = async (secret: Secret, signal: AbortSignal) => {
    const { namespace = '', name = '', uid = '', resourceVersion = '', labels } = secret.metadata;
    const resource = client.resource<Secret>(secretsResource).namespace(namespace);
    const invalidSince = parseDay(labels?.[invalidSinceLabel]);
    const now = clock.now();
    if (invalidSince === undefined) {
      const metadata = { uid, labels: { [invalidSinceLabel]: dayOf(now) } };
      await resource.patch(name, 'merge', { metadata }, { signal });
    } else if (dayOf(invalidSince) < dayOf(now - periodMs)) {
      // Whoever used or changed it meanwhile has saved it.
      await resource.delete(name, { preconditions: { resourceVersion }, signal });
    }
  };
  const clean = async (signal: AbortSignal) => {
    const trackedSince = await trackedSinceMs(client, signal);
    const now = clock.now();
    if (trackedSince === undefined || now < trackedSince + dayMs + periodMs) return;
    for (const secret of secrets.store.list()) {
      if (!isUnused(secret, known, { now, periodMs })) continue;
      try {
        await retire(secret, signal);
      } catch (error) {
        if (signal.aborted) return;
        const isFine = isStatusError(error, 'NotFound') || isStatusError(error, 'Conflict');
        const { namespace, name } = secret.metadata;
        if (!isFine)
          log.warn('unused token not retired', { namespace, name, error: errorText(error) });
      }
    }
  };
  return {
    async run(signal) {
      const synced = [secrets, accounts, pods].map((informer) => informer.synced(signal));
      await Promise.all(synced).catch(() => {});
      const work = (during: AbortSignal) =>
        clean(during).catch((error: unknown) => {
          if (!signal.aborted)
            log.warn('unused tokens not looked for', { error: errorText(error) });
        });
      await runPeriodically(work, { clock, periodMs: syncIntervalMs }, signal);
    },
  };
}

/** Midnight of the day in the ConfigMap; undefined when it is not there or unreadable. */
async function trackedSinceMs(
  client: ControllerContext['client'],
  signal: AbortSignal,
): Promise<number | undefined> {
  const resource = client.resource<ConfigMap>(configMapsResource).namespace(trackingNamespace);
  try {
    return parseDay((await resource.get(trackingName, { signal })).data?.['since']);
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

interface Known {
  account(namespace: string, name: string): ServiceAccount | undefined;
  pods(namespace: string): readonly Pod[];
}

function isUnused(
  { metadata }: Secret,
  known: Known,
  { now, periodMs }: { readonly now: number; readonly periodMs: number },
): boolean {
  const { namespace = '', name = '', annotations = {}, labels = {} } = metadata;
  if (metadata.deletionTimestamp !== undefined) return false;
  const created = Date.parse(metadata.creationTimestamp ?? '');
  if (!(created < now - periodMs)) return false;
  const lastUsed = labels[lastUsedLabel];
  if (lastUsed !== undefined) {
    const day = parseDay(lastUsed);
    if (day === undefined || dayOf(day) >= dayOf(now - periodMs)) return false;
  }
  const account = known.account(namespace, annotations['kubernetes.io/service-account.name'] ?? '');
  const wantedUid = annotations['kubernetes.io/service-account.uid'] || account?.metadata.uid;
  if (account === undefined || account.metadata.uid !== wantedUid) return false;
  if (!account.secrets?.some((reference) => reference.name === name)) return false;
  return !known.pods(namespace).some((pod) => podSecretNames(pod).has(name));
}

/** Midnight of `2026-01-31`, in milliseconds; undefined for anything else. */
function parseDay(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || dayOf(ms) !== text ? undefined : ms;
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
