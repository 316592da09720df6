// What a simulated container does, in one flat record. It is put together from the annotations of
// its pod, the rules that match it and these defaults, in this order: what one of them leaves open,
// the next one says.

/** A usage at a time after the start of the container; it holds until the next one. */
export interface UsagePoint {
  readonly afterMs: number;
  /** Cores for cpu, bytes for memory. */
  readonly value: number;
}

export interface ExecAnswer {
  /** The command as one line; `*` stands for any text. */
  readonly command: string;
  readonly output: string;
  readonly error: string;
  readonly exitCode: number;
}

/** Of a server that speaks HTTP; `*` of the path stands for any text. */
export interface HttpAnswer {
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
/** What listens at a port: it says a text and closes the connection, or it speaks HTTP. */
export type PortAnswer =
  | { readonly port: number; readonly text: string; readonly http?: undefined }
  | { readonly port: number; readonly text?: undefined; readonly http: readonly HttpAnswer[] };

export interface ContainerBehaviour {
  /** From the pulled image to the running container. */
  readonly startDelayMs: number;
  /** From its start until it answers readiness probes, or counts as ready when it has none. */
  readonly readyAfterMs: number;
  /** From its start until it answers startup probes. */
  readonly startedAfterMs: number;
  /** From its start until it does not answer liveness probes any more. */
  readonly livenessFailsAfterMs: number;
  /** How long it runs, by run; the last one holds for all further runs. */
  readonly runForMs: readonly number[];
  /** How it ends then, by run. */
  readonly exitCodes: readonly number[];
  /** It is killed for its memory instead. */
  readonly outOfMemory: boolean;
  /** From SIGTERM to its end. */
  readonly stopAfterMs: number;
  readonly pullForMs: number;
  /** Why its image cannot be pulled. */
  readonly pullFailure: string | undefined;
  /** From the start of the pod until the node evicts it. */
  readonly evictAfterMs: number;
  /** What it leaves at its `terminationMessagePath`; empty: nothing. */
  readonly terminationMessage: string;
  readonly logLines: readonly string[];
  /** Between two lines of the log, over and over; zero: all at the start, once. */
  readonly logEveryMs: number;
  readonly exec: readonly ExecAnswer[];
  readonly ports: readonly PortAnswer[];
  readonly cpu: readonly UsagePoint[];
  readonly memory: readonly UsagePoint[];
}

const forEver = Infinity;
/** Of Jobs' pods: those that are not restarted for ever are expected to end. */
const workMs = 1_000;

export function defaultBehaviour(endsByItself: boolean): ContainerBehaviour {
  return {
    startDelayMs: 10,
    readyAfterMs: 0,
    startedAfterMs: 0,
    livenessFailsAfterMs: forEver,
    runForMs: [endsByItself ? workMs : forEver],
    exitCodes: [0],
    outOfMemory: false,
    stopAfterMs: 0,
    pullForMs: 10,
    pullFailure: undefined,
    evictAfterMs: forEver,
    terminationMessage: '',
    logLines: [],
    logEveryMs: 0,
    exec: [],
    ports: [],
    cpu: [{ afterMs: 0, value: 0.001 }],
    memory: [{ afterMs: 0, value: 10 * 1024 * 1024 }],
  };
}

/** That of the nth run, counted from zero. */
export function ofRun(values: readonly number[], run: number): number {
  return values[Math.min(run, values.length - 1)] ?? 0;
}

/** That of a moment after the start. */
export function usageAt(points: readonly UsagePoint[], sinceStartMs: number): number {
  let value = 0;
  for (const point of points) if (point.afterMs <= sinceStartMs) value = point.value;
  return value;
}
