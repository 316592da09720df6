// What a kubelet says of a pod that it evicts because its node runs out of memory: how little there
// was, and which containers used more than they asked for.

import {
  createQuantity,
  formatQuantity,
  quantityToNumber,
  readResourceList,
} from '@keelson/apimachinery';
import { usageAt } from './container-behaviour.ts';
import { isRunning, type ContainerRecord, type PodRecord } from './pod-record.ts';

/** The threshold of kubelets that nobody has told another, and made up what was left. */
const memoryLow = 'Threshold quantity: 100Mi, available: 96Mi. ';

/** COMPAT: all of it ends with a blank. */
export function evictionMessage({ containers }: PodRecord, now: number): string {
  const greedy = containers.filter(isRunning).flatMap((container) => {
    const used = Math.round(usageAt(container.behaviour.memory, now - container.phase.startedAt));
    const request = readResourceList(container.spec.resources?.requests).get('memory');
    if (used <= (request === undefined ? 0 : quantityToNumber(request))) return [];
    const asked = request === undefined ? '0' : formatQuantity(request);
    const usage = formatQuantity(createQuantity(used, 'BinarySI'));
    return [excessText(container, usage, asked)];
  });
  return `The node was low on resource: memory. ${memoryLow}${greedy.join('')}`;
}

const excessText = ({ spec }: ContainerRecord, used: string, asked: string) =>
  `Container ${spec.name} was using ${used}, request is ${asked}, has larger consumption of memory. `;
