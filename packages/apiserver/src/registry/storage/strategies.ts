// The strategies of the storage.k8s.io group, by resource.

import type { Strategy } from '../strategy.ts';
import { csiDriverStrategy } from './csidrivers/strategy.ts';
import { csiNodeStrategy } from './csinodes/strategy.ts';
import { csiStorageCapacityStrategy } from './csistoragecapacities/strategy.ts';
import { storageClassStrategy } from './storageclasses/strategy.ts';
import { volumeAttachmentStrategy } from './volumeattachments/strategy.ts';
import { volumeAttributesClassStrategy } from './volumeattributesclasses/strategy.ts';

export const storageStrategies: Readonly<Record<string, Strategy>> = {
  csidrivers: csiDriverStrategy,
  csinodes: csiNodeStrategy,
  csistoragecapacities: csiStorageCapacityStrategy,
  storageclasses: storageClassStrategy,
  volumeattachments: volumeAttachmentStrategy,
  volumeattributesclasses: volumeAttributesClassStrategy,
};
