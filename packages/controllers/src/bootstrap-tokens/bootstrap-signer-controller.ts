// Signs the ConfigMap kube-public/cluster-info with every bootstrap token that is meant for it, so
// that a new node that knows a token, and nothing else, can tell the cluster's authority from a
// forged one: `jws-kubeconfig-<id>` is the detached signature of the value of `kubeconfig`.
// Signatures whose token is gone are taken out. Without the ConfigMap there is nothing to sign.

import type { ConfigMap, Secret } from '@keelson/apimachinery/types/core.v1';
import { isStatusError } from '@keelson/apimachinery';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText } from '../machinery/controller.ts';
import { configMapsResource, secretsResource } from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';
import {
  bootstrapTokenNamespace,
  bootstrapTokenType,
  expiryOf,
  signingTokenOf,
  type SigningToken,
} from './bootstrap-token-secret.ts';

export interface BootstrapSignerOptions {
  /** A detached JWS of `content`, keyed with the token's secret and naming its id. */
  readonly sign: (content: string, token: SigningToken) => string;
}

const namespace = 'kube-public';
const name = 'cluster-info';
const contentKey = 'kubeconfig';
const signaturePrefix = 'jws-kubeconfig-';

export function createBootstrapSignerController(
  { client, informers, clock, log, metrics }: ControllerContext,
  { sign }: BootstrapSignerOptions,
): Controller {
  const queue = createWorkQueue({ clock, meter: metrics.workQueue('bootstrap_signer_queue') });
  const maps = informers.informer<ConfigMap>(configMapsResource, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
  });
  const secrets = informers.informer<Secret>(secretsResource, {
    namespace: bootstrapTokenNamespace,
    fieldSelector: `type=${bootstrapTokenType}`,
  });
  const resource = client.resource<ConfigMap>(configMapsResource).namespace(namespace);
  const reconcile = async (_key: string, signal: AbortSignal) => {
    const map = maps.store.get(namespace, name);
    const content = map?.data?.[contentKey];
    if (map === undefined || content === undefined) return;
    const now = clock.now();
    const known = secrets.store.list(bootstrapTokenNamespace);
    const tokens = known.flatMap((secret) => signingTokenOf(secret, now) ?? []);
    const data = { ...unsigned(map.data ?? {}), ...signatures(content, tokens, sign) };
    if (!isSame(map.data ?? {}, data)) {
      try {
        await resource.update({ ...map, data }, { signal });
      } catch (error) {
        if (!isStatusError(error, 'NotFound')) throw error;
      }
    }
    const next = Math.min(...known.map(expiryOf).filter((at) => at > now));
    if (Number.isFinite(next)) return { requeueAfterMs: next - now };
  };
  return {
    async run(signal) {
      const enqueue = () => queue.add(name);
      const handler = { onAdd: enqueue, onUpdate: enqueue, onDelete: enqueue };
      const unsubscribe = [maps.addHandler(handler), secrets.addHandler(handler)];
      const onError = (error: unknown) =>
        log.warn('cluster information not signed', { error: errorText(error) });
      await Promise.all([maps.synced(signal), secrets.synced(signal)]).catch(() => {});
      await runController({ queue, reconcile, workers: 1, onError }, signal);
      for (const end of unsubscribe) end();
    },
  };
}

type Data = Readonly<Record<string, string>>;

function unsigned(data: Data): Data {
  return Object.fromEntries(
    Object.entries(data).filter(([key]) => !key.startsWith(signaturePrefix)),
  );
}

function signatures(
  content: string,
  tokens: readonly SigningToken[],
  sign: BootstrapSignerOptions['sign'],
): Data {
  return Object.fromEntries(
    tokens.map((token) => [signaturePrefix + token.id, sign(content, token)]),
  );
}

function isSame(a: Data, b: Data): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
