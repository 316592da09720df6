// Which secrets pods of a service account may use. When the annotation
// kubernetes.io/enforce-mountable-secrets of the account is true (in one of Go's spellings), secret
// volumes and variables may name only what the account lists under `secrets`, and imagePullSecrets
// only what it lists there. The first violation is the answer.

import type { PodSpec, ServiceAccount } from '@keelson/apimachinery/types/core.v1';
import type { AnyContainer } from '../../registry/core/pod-spec/visit-containers.ts';
import { envFromSecrets, envSecrets } from '../pod-references.ts';

const enforceAnnotation = 'kubernetes.io/enforce-mountable-secrets';
const trueWords: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

export function enforcesMountableSecrets(account: ServiceAccount): boolean {
  return trueWords.has(account.metadata.annotations?.[enforceAnnotation] ?? '');
}

/** Why a new pod of the account is refused; undefined when it is not. */
export function forbiddenSecretUse(spec: PodSpec, account: ServiceAccount): string | undefined {
  const pullSecrets = new Set((account.imagePullSecrets ?? []).map(({ name = '' }) => name));
  const containers = [
    ...(spec.initContainers ?? []).map((c) => [c, 'init container'] as const),
    ...(spec.containers ?? []).map((c) => [c, 'container'] as const),
  ];
  const uses = [
    ...(spec.volumes ?? []).flatMap(({ secret }) =>
      secret === undefined
        ? []
        : [{ secret: secret.secretName ?? '', what: 'volume with secret.secretName' }],
    ),
    ...containers.flatMap(([c, kind]) => envUses(c, kind)),
    ...containers.flatMap(([c, kind]) => envFromUses(c, kind)),
  ];
  const pulls = (spec.imagePullSecrets ?? []).map(({ name = '' }, i) => [i, name] as const);
  const pull = pulls.find(([, name]) => !pullSecrets.has(name));
  return (
    firstForbidden(uses, account) ??
    (pull === undefined
      ? undefined
      : `imagePullSecrets[${pull[0]}].name="${pull[1]}" is not allowed because service account ` +
        `${account.metadata.name} does not reference that imagePullSecret`)
  );
}

/**
 * Why new ephemeral containers of a pod of the account are refused; undefined when they are not.
 */
export function forbiddenEphemeralSecretUse(
  spec: PodSpec,
  account: ServiceAccount,
): string | undefined {
  const uses = (spec.ephemeralContainers ?? []).flatMap((c) => [
    ...envUses(c, 'ephemeral container'),
    ...envFromUses(c, 'ephemeral container'),
  ]);
  return firstForbidden(uses, account);
}

interface SecretUse {
  readonly secret: string;
  readonly what: string;
}

function envUses(container: AnyContainer, kind: string): SecretUse[] {
  return envSecrets(container).map(({ variable, secret }) => ({
    secret,
    what: `${kind} ${container.name} with envVar ${variable} referencing secret.secretName`,
  }));
}

function envFromUses(container: AnyContainer, kind: string): SecretUse[] {
  const what = `${kind} ${container.name} with envFrom referencing secret.secretName`;
  return envFromSecrets(container).map((secret) => ({ secret, what }));
}

function firstForbidden(uses: readonly SecretUse[], account: ServiceAccount): string | undefined {
  const listed = new Set((account.secrets ?? []).map(({ name = '' }) => name));
  const bad = uses.find(({ secret }) => !listed.has(secret));
  if (bad === undefined) return undefined;
  return (
    `${bad.what}="${bad.secret}" is not allowed because service account ` +
    `${account.metadata.name} does not reference that secret`
  );
}
