// ServiceAccounts. References to Secrets keep nothing but the name.

import type { ServiceAccount } from '@keelson/apimachinery/types/core.v1';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';

const mountableSecretsAnnotation = 'kubernetes.io/enforce-mountable-secrets';

export const serviceAccountStrategy: Strategy<ServiceAccount> = {
  prepareForCreate: keepSecretNames,
  prepareForUpdate: keepSecretNames,
  warningsOnCreate: (account) => mountableSecretsWarning(account, undefined),
  warningsOnUpdate: mountableSecretsWarning,
  returnDeletedObject: true,
  tableCells: (account, nowMs) => [account.metadata.name, age(account, nowMs)],
};

function keepSecretNames(account: ServiceAccount): void {
  account.secrets = account.secrets?.map(({ name }) => (name === undefined ? {} : { name }));
}

/** Only whoever adds the annotation is warned. */
function mountableSecretsWarning(
  account: ServiceAccount,
  old: ServiceAccount | undefined,
): string[] {
  const has = (object: ServiceAccount | undefined) =>
    object?.metadata.annotations?.[mountableSecretsAnnotation] !== undefined;
  if (!has(account) || has(old)) return [];
  return [
    `metadata.annotations[${mountableSecretsAnnotation}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`,
  ];
}
