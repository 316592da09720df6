// PriorityLevelConfigurations: shares of the server's concurrency, and the queues in front of them.

import type { PriorityLevelConfiguration } from '@keelson/apimachinery/types/flowcontrol.apiserver.k8s.io.v1';
import { age, noneText } from '../../printing/cells.ts';
import type { Strategy } from '../../strategy.ts';
import { countedStrategy } from '../counted-strategy.ts';
import { validatePriorityLevel } from './validation.ts';

type Level = PriorityLevelConfiguration & {
  status?: NonNullable<PriorityLevelConfiguration['status']>;
};

const queuingDefaults = { queues: 64, handSize: 8, queueLengthLimit: 50 };
const limitedDefaults = { nominalConcurrencyShares: 30, lendablePercent: 0 };
const exemptDefaults = { nominalConcurrencyShares: 0, lendablePercent: 0 };

export const priorityLevelConfigurationStrategy: Strategy<Level> = {
  ...countedStrategy<Level>(validatePriorityLevel),
  applyDefaults({ spec }) {
    if (spec.exempt !== undefined) {
      spec.exempt.nominalConcurrencyShares ??= exemptDefaults.nominalConcurrencyShares;
      spec.exempt.lendablePercent ??= exemptDefaults.lendablePercent;
    }
    if (spec.limited === undefined) return;
    spec.limited.nominalConcurrencyShares ??= limitedDefaults.nominalConcurrencyShares;
    spec.limited.lendablePercent ??= limitedDefaults.lendablePercent;
    const queuing = spec.limited.limitResponse?.queuing;
    if (queuing === undefined) return;
    queuing.queues ||= queuingDefaults.queues;
    queuing.handSize ||= queuingDefaults.handSize;
    queuing.queueLengthLimit ||= queuingDefaults.queueLengthLimit;
  },
  allowUnconditionalUpdate: true,
  tableCells(object, nowMs) {
    const { type, limited } = object.spec;
    const queuing = limited?.limitResponse?.queuing;
    return [
      object.metadata.name ?? '',
      type ?? '',
      limited?.nominalConcurrencyShares ?? noneText,
      queuing?.queues ?? noneText,
      queuing?.handSize ?? noneText,
      queuing?.queueLengthLimit ?? noneText,
      age(object, nowMs),
    ];
  },
};
