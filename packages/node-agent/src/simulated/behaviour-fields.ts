// How the fields of a behaviour are written, in a rule and in an annotation alike. Annotations have
// the same names in the form of labels: `runFor` is `keelson.dev/simulate-run-for`.
//
//   durations     5s, 1m30s, 250ms; `forever` where it never happens
//   by run        `1,1,0`: the first two runs, and all that follow
//   ports         a list of ports and what they say, or by line `8080 http hello`, `7 tcp hello`
//   usage         100m, or 100m@0s,900m@60s: from which moment after the start

import {
  isJsonObject,
  parseGoDuration,
  parseQuantity,
  quantityToNumber,
  type JsonValue,
} from '@keelson/apimachinery';
import type { ContainerBehaviour, ExecAnswer, UsagePoint } from './container-behaviour.ts';
import { BehaviourError } from './behaviour-error.ts';
import { portAnswers } from './port-fields.ts';

type Reader<T> = (value: JsonValue) => T;
/** What a rule or an annotation says; the rest is left to others. */
export type PartialBehaviour = { readonly [K in keyof ContainerBehaviour]?: ContainerBehaviour[K] };

interface FieldDescription {
  readonly sets: keyof ContainerBehaviour;
  readonly read: Reader<unknown>;
  /** Only in rules: it takes more than a line. */
  readonly onlyInRules?: true;
}

const listItemsMax = 1_000;
const dayMs = 24 * 3_600_000;

export const behaviourFields: Readonly<Record<string, FieldDescription>> = {
  startDelay: { sets: 'startDelayMs', read: duration },
  readyAfter: { sets: 'readyAfterMs', read: duration },
  startedAfter: { sets: 'startedAfterMs', read: duration },
  livenessFailsAfter: { sets: 'livenessFailsAfterMs', read: duration },
  runFor: { sets: 'runForMs', read: listOf(duration) },
  exitCode: { sets: 'exitCodes', read: listOf(exitCode) },
  outOfMemory: { sets: 'outOfMemory', read: flag },
  stopAfter: { sets: 'stopAfterMs', read: duration },
  pullFor: { sets: 'pullForMs', read: duration },
  pull: { sets: 'pullFailure', read: pull },
  evictAfter: { sets: 'evictAfterMs', read: duration },
  terminationMessage: { sets: 'terminationMessage', read: text },
  logs: { sets: 'logLines', read: lines },
  logEvery: { sets: 'logEveryMs', read: duration },
  exec: { sets: 'exec', read: execAnswers, onlyInRules: true },
  ports: { sets: 'ports', read: portAnswers },
  cpuUsage: { sets: 'cpu', read: usage },
  memoryUsage: { sets: 'memory', read: usage },
};

/** Throws BehaviourError for a field that is unknown or cannot be read. */
export function readField(name: string, value: JsonValue): PartialBehaviour {
  const field = Object.hasOwn(behaviourFields, name) ? behaviourFields[name] : undefined;
  if (field === undefined) throw new BehaviourError(`unknown field ${JSON.stringify(name)}`);
  try {
    return { [field.sets]: field.read(value) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BehaviourError(`${name}: ${why}`);
  }
}

function text(value: JsonValue): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new BehaviourError('a text is expected');
}

function duration(value: JsonValue): number {
  const written = text(value);
  if (written === 'forever') return Infinity;
  const ms = Number(parseGoDuration(written) / 1_000n) / 1_000;
  if (ms < 0 || ms > 365 * dayMs)
    throw new BehaviourError('a duration from 0s to 8760h, or forever, is expected');
  return ms;
}

function exitCode(value: JsonValue): number {
  const code = Number(text(value));
  if (!Number.isInteger(code) || code < 0 || code > 255)
    throw new BehaviourError('exit codes are from 0 to 255');
  return code;
}

function flag(value: JsonValue): boolean {
  const written = text(value);
  if (written !== 'true' && written !== 'false')
    throw new BehaviourError('true or false is expected');
  return written === 'true';
}

/** `fail` is what a registry says of an image that it does not have; other texts are the error. */
function pull(value: JsonValue): string | undefined {
  const written = text(value);
  if (written === 'succeed') return undefined;
  if (written === 'fail') return 'not found';
  if (written.startsWith('fail: ')) return written.slice('fail: '.length);
  throw new BehaviourError('succeed, fail or "fail: why" is expected');
}

function listOf<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value) => {
    const items = Array.isArray(value) ? value : text(value).split(',');
    if (items.length === 0 || items.length > listItemsMax)
      throw new BehaviourError(`from 1 to ${listItemsMax} values are expected`);
    return items.map(read);
  };
}

function lines(value: JsonValue): readonly string[] {
  const items = Array.isArray(value) ? value.map(text) : text(value).split('\n');
  if (items.length > listItemsMax)
    throw new BehaviourError(`at most ${listItemsMax} lines are expected`);
  return items;
}

function usage(value: JsonValue): readonly UsagePoint[] {
  const points = listOf((item): UsagePoint => {
    const [amount = '', after = '0s'] = text(item).split('@');
    return { afterMs: duration(after), value: quantityToNumber(parseQuantity(amount)) };
  })(value);
  if (points.some((point) => !(point.value >= 0)))
    throw new BehaviourError('a usage cannot be negative');
  return points.toSorted((a, b) => a.afterMs - b.afterMs);
}

function execAnswers(value: JsonValue): readonly ExecAnswer[] {
  if (!Array.isArray(value) || value.length > listItemsMax)
    throw new BehaviourError(`a list of at most ${listItemsMax} answers is expected`);
  return value.map((item) => {
    if (!isJsonObject(item)) throw new BehaviourError('an answer is an object');
    const { command, output = '', error = '', exitCode: code = 0, ...others } = item;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined)
      throw new BehaviourError(`unknown field ${JSON.stringify(unknown)} of an answer`);
    if (command === undefined) throw new BehaviourError('an answer needs a command');
    return {
      command: text(command),
      output: rawText(output),
      error: rawText(error),
      exitCode: exitCode(code),
    };
  });
}

function rawText(value: JsonValue): string {
  if (typeof value !== 'string') throw new BehaviourError('a text is expected');
  return value;
}
