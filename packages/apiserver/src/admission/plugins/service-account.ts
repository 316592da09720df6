// ServiceAccount: every pod acts as a service account of its namespace.
//
// - A new pod without a name gets `default`. The account must exist; `default` is waited for a
//   moment, because a controller creates it soon after the namespace.
// - Unless the pod, or else its account, says automountServiceAccountToken: false, the token is
//   mounted (service-account-volume.ts).
// - A pod without imagePullSecrets gets those of the account.
// - The account may limit the secrets that its pods use, ephemeral containers included
//   (service-account-secrets.ts).
// - Mirror pods, which nodes create to show what they run by themselves, are not changed and may
//   use no service account, no secret and no projected token.
// Only creations, and updates of `ephemeralcontainers`. All but the changes is checked again after
// mutation.

import type { Clock, Random } from '@keelson/apimachinery';
import type { Pod, PodSpec, ServiceAccount } from '@keelson/apimachinery/types/core.v1';
import { isMirrorPod } from '../../authorization/mirror-pod.ts';
import type { ObjectSource } from '../../object-source.ts';
import {
  admissionForbidden,
  type AdmissionAttributes,
  type AdmissionPlugin,
} from '../admission.ts';
import { awaitObject } from '../await-object.ts';
import { secretNames } from '../pod-references.ts';
import { asKind, handling, isAbout, podOf } from '../request-match.ts';
import {
  enforcesMountableSecrets,
  forbiddenEphemeralSecretUse,
  forbiddenSecretUse,
} from './service-account-secrets.ts';
import { mountServiceAccountToken, serviceCaName } from './service-account-volume.ts';

export interface ServiceAccountOptions {
  readonly serviceAccounts: ObjectSource;
  readonly configMaps: ObjectSource;
  readonly clock: Clock;
  readonly random: Random;
}

const defaultName = 'default';
/** Upstream asks ten times, 100 to 200 ms apart. */
const defaultAccountPauses = 9;

type FindAccount = (attributes: AdmissionAttributes, name: string) => Promise<ServiceAccount>;

export function createServiceAccount(options: ServiceAccountOptions): AdmissionPlugin {
  const findAccount = accountFinder(options);
  return {
    name: 'ServiceAccount',
    handles: handling('CREATE', 'UPDATE'),
    async mutate(attributes) {
      const pod = newPod(attributes);
      if (pod === undefined) return;
      const { spec } = pod;
      if (!isMirrorPod(pod)) {
        const name = serviceAccountNameOf(spec) || defaultName;
        spec.serviceAccountName = name;
        // COMPAT: the old name of the field always says the same.
        spec.serviceAccount = name;
        const account = await findAccount(attributes, name);
        if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true)
          mountServiceAccountToken(spec, {
            random: options.random,
            hasServiceCa: options.configMaps.get(attributes.namespace, serviceCaName) !== undefined,
          });
        inheritPullSecrets(spec, account);
      }
      await checkNewPod(attributes, pod, findAccount);
    },
    async validate(attributes) {
      const pod = newPod(attributes);
      if (pod !== undefined) return checkNewPod(attributes, pod, findAccount);
      return checkEphemeralContainers(attributes, findAccount);
    },
  };
}

function accountFinder({ serviceAccounts, clock, random }: ServiceAccountOptions): FindAccount {
  return async (attributes, name) => {
    const { namespace } = attributes;
    const awaited = { source: serviceAccounts, namespace, name };
    const timeoutMs = defaultAccountPauses * (100 + Math.floor(random.float() * 100));
    const found =
      serviceAccounts.get(namespace, name) ??
      (name === defaultName
        ? await awaitObject(awaited, clock, timeoutMs, attributes.signal)
        : undefined);
    if (found === undefined)
      throw admissionForbidden(
        attributes,
        `error looking up service account ${namespace}/${name}: ` +
          `serviceaccount ${JSON.stringify(name)} not found`,
      );
    return asKind<ServiceAccount>(found);
  };
}

async function checkNewPod(
  attributes: AdmissionAttributes,
  pod: Pod,
  findAccount: FindAccount,
): Promise<void> {
  const why = isMirrorPod(pod)
    ? forbiddenInMirrorPod(pod.spec)
    : await forbiddenByAccount(attributes, pod, { findAccount, judge: forbiddenSecretUse });
  if (why !== undefined) throw admissionForbidden(attributes, why);
}

async function checkEphemeralContainers(
  attributes: AdmissionAttributes,
  findAccount: FindAccount,
): Promise<void> {
  if (attributes.operation !== 'UPDATE' || attributes.subresource !== 'ephemeralcontainers') return;
  if (attributes.object === undefined || !isAbout(attributes, '', 'pods')) return;
  const pod = asKind<Pod>(attributes.object);
  if (isMirrorPod(pod)) return;
  const judge = forbiddenEphemeralSecretUse;
  const why = await forbiddenByAccount(attributes, pod, { findAccount, judge });
  if (why !== undefined) throw admissionForbidden(attributes, why);
}

interface AccountCheck {
  readonly findAccount: FindAccount;
  judge(spec: PodSpec, account: ServiceAccount): string | undefined;
}

async function forbiddenByAccount(
  attributes: AdmissionAttributes,
  pod: Pod,
  { findAccount, judge }: AccountCheck,
): Promise<string | undefined> {
  const name = serviceAccountNameOf(pod.spec);
  if (name === '')
    return `no service account specified for pod ${attributes.namespace}/${pod.metadata.name ?? ''}`;
  const account = await findAccount(attributes, name);
  return enforcesMountableSecrets(account) ? judge(pod.spec, account) : undefined;
}

function newPod(attributes: AdmissionAttributes): Pod | undefined {
  return attributes.operation === 'CREATE' ? podOf(attributes) : undefined;
}

function serviceAccountNameOf({ serviceAccountName, serviceAccount }: PodSpec): string {
  return serviceAccountName || serviceAccount || '';
}

function inheritPullSecrets(spec: PodSpec, account: ServiceAccount): void {
  if ((spec.imagePullSecrets ?? []).length > 0) return;
  const inherited = (account.imagePullSecrets ?? []).map(({ name = '' }) => ({ name }));
  if (inherited.length > 0) spec.imagePullSecrets = inherited;
}

function forbiddenInMirrorPod(spec: PodSpec): string | undefined {
  if (serviceAccountNameOf(spec) !== '') return 'a mirror pod may not reference service accounts';
  if (secretNames(spec).length > 0) return 'a mirror pod may not reference secrets';
  const projections = (spec.volumes ?? []).flatMap((v) => v.projected?.sources ?? []);
  return projections.some((source) => source.serviceAccountToken !== undefined)
    ? 'a mirror pod may not use ServiceAccountToken volume projections'
    : undefined;
}
