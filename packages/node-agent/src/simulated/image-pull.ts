// The image of a container: there already, pulled, or not to be had. After a failure the pull is
// tried again, later and later.

import { formatGoDuration, imageReferenceProblem } from '@keelson/apimachinery';
import { tellTrouble, warning, type Trouble } from './container-trouble.ts';
import type { Moment } from './node-surroundings.ts';
import type { ContainerRecord } from './pod-record.ts';

const backoffFirstMs = 10_000;
const backoffMaxMs = 300_000;
/** How long an error shows before the kubelet looks at the pod again. */
const settleMs = 1_000;

/** True when the image is there. */
export function stepPull(container: ContainerRecord, moment: Moment): boolean {
  const { record, now, node, wakeAt } = moment;
  const { pull, spec, behaviour } = container;
  const { image = '' } = spec;
  const misnamed = misnamedImage(image);
  if (misnamed !== undefined) return refuse(container, misnamed, moment);
  if (isPresent(container, moment)) return findPresent(container, moment);
  if (spec.imagePullPolicy === 'Never') return refuse(container, neverPulled(image), moment);
  if (pull.startedAt === undefined) {
    if (pull.retryAt > now) return waitForRetry(container, moment);
    pull.startedAt = now;
    const message = `Pulling image "${image}"`;
    node.emit(record, { type: 'Normal', reason: 'Pulling', message }, container);
  }
  const doneAt = pull.startedAt + behaviour.pullForMs;
  if (doneAt > now) {
    wakeAt(doneAt);
    return false;
  }
  if (behaviour.pullFailure !== undefined) return fail(container, behaviour.pullFailure, moment);
  pull.done = true;
  node.images.add(image);
  const took = formatGoDuration(BigInt(Math.round(Math.max(behaviour.pullForMs, 1) * 1_000_000)));
  const message = node.texts.imagePulled(image, took, node.images.sizeOf(image));
  node.emit(record, { type: 'Normal', reason: 'Pulled', message }, container);
  return true;
}

function isPresent({ spec, behaviour }: ContainerRecord, { node }: Moment): boolean {
  const { imagePullPolicy = 'IfNotPresent', image = '' } = spec;
  if (!node.images.has(image)) return false;
  if (imagePullPolicy === 'Never') return true;
  return imagePullPolicy === 'IfNotPresent' && behaviour.pullFailure === undefined;
}

function findPresent(container: ContainerRecord, { record, node }: Moment): true {
  container.pull.done = true;
  const message = node.texts.imagePresent(container.spec.image ?? '');
  node.emit(record, { type: 'Normal', reason: 'Pulled', message }, container);
  return true;
}

function refuse(container: ContainerRecord, trouble: Trouble, moment: Moment): false {
  tellTrouble(container, trouble, moment);
  return false;
}

function misnamedImage(image: string): Trouble | undefined {
  const problem = imageReferenceProblem(image);
  if (problem === undefined) return undefined;
  const why = `couldn't parse image name "${image}": ${problem}`;
  const message = `Failed to apply default image tag "${image}": ${why}`;
  const reason = 'InvalidImageName';
  return {
    reason,
    message,
    events: [warning('InspectFailed', message), warning('Failed', `Error: ${reason}`)],
  };
}

function neverPulled(image: string): Trouble {
  const reason = 'ErrImageNeverPull';
  const message = `Container image "${image}" is not present with pull policy of Never`;
  return {
    reason,
    message,
    events: [warning(reason, message), warning('Failed', `Error: ${reason}`)],
  };
}

/** First the error itself, then waiting for longer and longer. */
function fail(container: ContainerRecord, why: string, moment: Moment): false {
  const { record, now, node, wakeAt } = moment;
  const { pull, spec } = container;
  const { image = '' } = spec;
  const name = node.images.nameOf(image);
  const unresolved = `failed to resolve reference "${name}": ${name}: ${why}`;
  const error = `failed to pull and unpack image "${name}": ${unresolved}`;
  pull.error = `rpc error: code = NotFound desc = ${error}`;
  node.emit(record, warning('Failed', `Failed to pull image "${image}": ${pull.error}`), container);
  node.emit(record, warning('Failed', 'Error: ErrImagePull'), container);
  pull.startedAt = undefined;
  pull.failedAt = now;
  pull.retryAt = now + Math.min(backoffFirstMs * 2 ** pull.failures, backoffMaxMs);
  pull.failures++;
  container.phase = { is: 'waiting', reason: 'ErrImagePull', message: pull.error };
  wakeAt(now + settleMs);
  return false;
}

function waitForRetry(container: ContainerRecord, moment: Moment): false {
  const { pull, spec } = container;
  const settledAt = pull.failedAt + settleMs;
  if (settledAt > moment.now) {
    moment.wakeAt(settledAt);
    return false;
  }
  moment.wakeAt(pull.retryAt);
  const reason = 'ImagePullBackOff';
  const message = `Back-off pulling image "${spec.image}"`;
  const trouble = {
    reason,
    message: `${message}: ErrImagePull: ${pull.error}`,
    events: [
      { type: 'Normal', reason: 'BackOff', message } as const,
      warning('Failed', `Error: ${reason}`),
    ],
  };
  return refuse(container, trouble, moment);
}
