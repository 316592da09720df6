// LimitRanges.

import type { LimitRange } from '@keelson/apimachinery/types/core.v1';
import { nameAndCreation } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { applyLimitRangeDefaults } from './defaults.ts';
import { validateLimitRange } from './validation.ts';

export const limitRangeStrategy: Strategy<LimitRange> = {
  applyDefaults: applyLimitRangeDefaults,
  prepareForCreate({ metadata }) {
    // COMPAT: a LimitRange without a name is named after a UUID; its own is one.
    if (!metadata.name && metadata.uid) metadata.name = metadata.uid;
  },
  validate: validateLimitRange,
  validateUpdate: validateLimitRange,
  allowCreateOnUpdate: true,
  tableCells: nameAndCreation,
};
