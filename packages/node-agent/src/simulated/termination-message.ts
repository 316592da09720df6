// What a container leaves behind: the text that it wrote for it, or the end of its log when it
// failed and wrote none, where its policy says so. No more than kubelets keep.

import { logLines } from '../kubelet/container-log.ts';
import { isRunning, type ContainerRecord, type PodRecord } from './pod-record.ts';

const bytesMax = 4_096;
/** Of all containers of a pod together. */
const podBytesMax = 12 * 1_024;
const logBytesMax = 2_048;
const logTail = { previous: false, timestamps: false, tailLines: 80, sinceMs: undefined };

/** Of a container that ends at `endedAt`; undefined when it leaves none. */
export function terminationMessage(
  container: ContainerRecord,
  { endedAt, exitCode }: { readonly endedAt: number; readonly exitCode: number },
  { containers }: PodRecord,
): string | undefined {
  const { spec, behaviour } = container;
  const isLog = spec.terminationMessagePolicy === 'FallbackToLogsOnError' && exitCode !== 0;
  const written = firstBytes(behaviour.terminationMessage, bytesMax);
  const text = written === '' && isLog ? endOfLog(container, endedAt) : written;
  const counted = containers.filter(({ role }) => role !== 'ephemeral').length;
  const kept = firstBytes(text, Math.floor(podBytesMax / Math.max(counted, 1)));
  return kept === '' ? undefined : kept;
}

function endOfLog(container: ContainerRecord, endedAt: number): string {
  if (!isRunning(container)) return '';
  const run = { startedAt: container.phase.startedAt, endedAt };
  const text = logLines(container, { run, now: endedAt, first: 0 }, logTail).lines.join('');
  return Buffer.from(text).subarray(-logBytesMax).toString();
}

const firstBytes = (text: string, max: number) => Buffer.from(text).subarray(0, max).toString();
