// Secrets. `stringData` is for writing only: it becomes part of `data` before anything sees it.

import type { Secret } from '@keelson/apimachinery/types/core.v1';
import { age } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { tlsWarnings } from './tls-warnings.ts';
import { validateSecret, validateSecretUpdate } from './validation.ts';

export const secretStrategy: Strategy<Secret> = {
  applyDefaults(secret) {
    secret.type ||= 'Opaque';
    const { stringData } = secret;
    if (stringData === undefined) return;
    delete secret.stringData;
    for (const [key, text] of Object.entries(stringData)) {
      (secret.data ??= {})[key] = Buffer.from(text, 'utf8').toString('base64');
    }
  },
  validate: validateSecret,
  warningsOnCreate: tlsWarnings,
  validateUpdate: validateSecretUpdate,
  warningsOnUpdate: tlsWarnings,
  tableCells: (secret, nowMs) => [
    secret.metadata.name,
    secret.type,
    Object.keys(secret.data ?? {}).length,
    age(secret, nowMs),
  ],
  fieldValues: ({ type }) => ({ type: type ?? '' }),
};
