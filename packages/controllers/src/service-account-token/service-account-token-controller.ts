// Secrets of type kubernetes.io/service-account-token that name a service account are given a token
// of it, its namespace and the authority of the API server. When the account is gone, or is another
// one of the same name, the Secret goes too; when the Secret is gone, the account no longer lists
// it.
//
// SECURITY: a token is signed only after the live account and the live Secret have been read.

import { isStatusError, type KubeObject } from '@keelson/apimachinery';
import type { Secret, ServiceAccount } from '@keelson/apimachinery/types/core.v1';
import type { Controller, ControllerContext } from '../machinery/controller.ts';
import { errorText, keyOf, parseKey } from '../machinery/controller.ts';
import { secretsResource, serviceAccountsResource } from '../machinery/resources.ts';
import { runController } from '../machinery/run-controller.ts';
import { createWorkQueue } from '../machinery/work-queue.ts';

/** The account that a token is for. */
export interface TokenSubject {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface ServiceAccountTokenOptions {
  /** PEM bundle, which Secrets carry beside the token. */
  readonly rootCaPem: string;
  /** Signs the token of an account that lives in the Secret. */
  issueToken(subject: TokenSubject, secretName: string): Promise<string>;
}

const secretType = 'kubernetes.io/service-account-token';
const nameAnnotation = 'kubernetes.io/service-account.name';
const uidAnnotation = 'kubernetes.io/service-account.uid';
/** Between namespace and name of an account and the name of a Secret. */
const separator = '/';

export function createServiceAccountTokenController(
  context: ControllerContext,
  options: ServiceAccountTokenOptions,
): Controller {
  const { informers, clock, log, metrics } = context;
  const secretKeys = createWorkQueue({
    clock,
    meter: metrics.workQueue('serviceaccount_tokens_secret'),
  });
  const referenceKeys = createWorkQueue({
    clock,
    meter: metrics.workQueue('serviceaccount_tokens_service'),
  });
  const accounts = informers.informer(serviceAccountsResource);
  const secrets = informers.informer<Secret>(secretsResource, {
    fieldSelector: `type=${secretType}`,
  });
  const enqueueSecret = (secret: Secret) => secretKeys.add(keyOf(secret));
  const enqueueSecretsOf = ({ metadata }: KubeObject) => {
    for (const secret of secrets.store.list(metadata.namespace ?? ''))
      if (accountOf(secret) === metadata.name) enqueueSecret(secret);
  };
  const enqueueReference = (secret: Secret) => {
    const { namespace = '', name = '' } = secret.metadata;
    referenceKeys.add([namespace, accountOf(secret), name].join(separator));
  };
  return {
    async run(signal) {
      const unsubscribe = [
        secrets.addHandler({
          onAdd: enqueueSecret,
          onUpdate: enqueueSecret,
          onDelete: enqueueReference,
        }),
        accounts.addHandler({ onDelete: enqueueSecretsOf }),
      ];
      const onError = (error: unknown, key: string) =>
        log.warn('token secret not reconciled', { key, error: errorText(error) });
      const reconcile = (key: string, during: AbortSignal) => {
        const { namespace, name } = parseKey(key);
        const secret = secrets.store.get(namespace, name);
        return secret ? reconcileSecret(context, secret, options, during) : Promise.resolve();
      };
      const forget = (key: string, during: AbortSignal) => removeReference(context, key, during);
      await Promise.all([secrets.synced(signal), accounts.synced(signal)]).catch(() => {});
      await Promise.all([
        runController({ queue: secretKeys, reconcile, workers: 2, onError }, signal),
        runController({ queue: referenceKeys, reconcile: forget, workers: 1, onError }, signal),
      ]);
      for (const end of unsubscribe) end();
    },
  };
}

function accountOf({ metadata }: KubeObject): string {
  return metadata.annotations?.[nameAnnotation] ?? '';
}

async function reconcileSecret(
  { client }: ControllerContext,
  known: Secret,
  options: ServiceAccountTokenOptions,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = '', name = '', uid = '', annotations = {} } = known.metadata;
  const accountName = accountOf(known);
  if (accountName === '') return;
  const resource = client.resource<Secret>(secretsResource).namespace(namespace);
  const accounts = client.resource(serviceAccountsResource).namespace(namespace);
  const account = await unlessAbsent(accounts.get(accountName, { signal }));
  const accountUid = account?.metadata.uid ?? '';
  const wantedUid = annotations[uidAnnotation] ?? '';
  if (account === undefined || (wantedUid !== '' && wantedUid !== accountUid)) {
    await unlessAbsent(resource.delete(name, { preconditions: { uid }, signal }));
    return;
  }
  if (isComplete(known, options)) return;
  const live = await unlessAbsent(resource.get(name, { signal }));
  if (live === undefined || live.metadata.uid !== uid || isComplete(live, options)) return;
  const subject: TokenSubject = { namespace, name: accountName, uid: accountUid };
  await unlessAbsent(resource.update(await completed(live, subject, options), { signal }));
}

function isComplete({ data = {} }: Secret, { rootCaPem }: ServiceAccountTokenOptions): boolean {
  return (
    data['ca.crt'] === base64(rootCaPem) && Boolean(data['namespace']) && Boolean(data['token'])
  );
}

async function completed(
  secret: Secret,
  subject: TokenSubject,
  { rootCaPem, issueToken }: ServiceAccountTokenOptions,
): Promise<Secret> {
  const { metadata, data } = secret;
  const token = data?.['token'] || base64(await issueToken(subject, metadata.name ?? ''));
  const annotations = {
    ...metadata.annotations,
    [nameAnnotation]: subject.name,
    [uidAnnotation]: subject.uid,
  };
  return {
    ...secret,
    metadata: { ...metadata, annotations },
    data: {
      ...data,
      'ca.crt': base64(rootCaPem),
      namespace: data?.['namespace'] || base64(subject.namespace),
      token,
    },
  };
}

/** `namespace/account/secret`: the Secret is gone. */
async function removeReference(
  { client }: ControllerContext,
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const [namespace = '', accountName = '', secretName = ''] = key.split(separator);
  if (accountName === '') return;
  const resource = client.resource<ServiceAccount>(serviceAccountsResource).namespace(namespace);
  const account = await unlessAbsent(resource.get(accountName, { signal }));
  const left = account?.secrets?.filter(({ name }) => name !== secretName);
  if (account === undefined || left?.length === account.secrets?.length) return;
  await unlessAbsent(resource.update({ ...account, secrets: left ?? [] }, { signal }));
}

/** Undefined when there is none, or none of that uid any more. */
async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isStatusError(error, 'NotFound')) return undefined;
    throw error;
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
