// The strategies of pods, their templates and the oldest controller of the core group.

import type { Strategy } from '../../strategy.ts';
import { podTemplateStrategy } from '../podtemplates/strategy.ts';
import { replicationControllerStrategy } from '../replicationcontrollers/strategy.ts';
import { podStrategy } from './strategy.ts';

export const podStrategies: Readonly<Record<string, Strategy>> = {
  pods: podStrategy as Strategy,
  podtemplates: podTemplateStrategy as Strategy,
  replicationcontrollers: replicationControllerStrategy as Strategy,
};
