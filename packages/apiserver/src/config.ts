// Every limit of the server and its default. Frozen; handed down from the composition root. A test
// exceeds each of them (`security.test.ts`).

export interface ServerLimits {
  /** Largest request body; kube-apiserver's `--max-request-body-bytes` (3 MiB). */
  readonly bodyBytesMax: number;
  /** Time that a request which is not long-running may take. */
  readonly requestTimeoutMs: number;
  /** Watches end after a random time between this and twice this, as `--min-request-timeout`. */
  readonly watchTimeoutMinMs: number;
  /**
   * `--max-requests-inflight`: with the next, the seats of the server. Without priority and fairness,
   * concurrent requests that only read; more are answered 429.
   */
  readonly readOnlyInFlightMax: number;
  /** `--max-mutating-requests-inflight`: likewise, for requests that write. */
  readonly mutatingInFlightMax: number;
  /** Bytes of all `Warning` headers of one answer. */
  readonly warningRunesMax: number;
  /** Bytes that may wait for a slow watcher before its watch is ended. */
  readonly watchBacklogBytesMax: number;
  /** Interval of watch bookmarks. */
  readonly bookmarkIntervalMs: number;
  /** How long a read waits for a revision that is not there yet, as the watch cache's. */
  readonly revisionWaitMs: number;
  /** How many may wait so at a time; the next ones are answered at once. */
  readonly revisionWaitersMax: number;
  /** Bytes of request headers. */
  readonly headerBytesMax: number;
  /** Open connections. */
  readonly connectionsMax: number;
  /** Bytes of a list that are encoded before others have a turn: a few milliseconds. */
  readonly encodeChunkBytes: number;
  /**
   * Tries to find an unused generated name: with five characters of 27, eight make a clash among a
   * million names rarer than one in a thousand.
   */
  readonly generateNameTriesMax: number;
  /** How often a patch that names no revision is applied again after a conflict, as Kubernetes. */
  readonly patchConflictRetriesMax: number;
  /** Bytes of the answer of a webhook, unpacked; larger ones are failures of the call. */
  readonly webhookAnswerBytesMax: number;
  /** Decision traces that are kept to be read; a new one takes the place of the oldest. */
  readonly tracesMax: number;
  /** The same for requests that failed to authenticate, which anybody can send. */
  readonly unauthenticatedTracesMax: number;
  /** Steps of one decision trace; later ones are counted only. */
  readonly traceStepsMax: number;
  /** Characters of the reason of one step. */
  readonly traceReasonLengthMax: number;
}

export const defaultLimits: ServerLimits = Object.freeze({
  bodyBytesMax: 3 * 1024 * 1024,
  requestTimeoutMs: 60_000,
  watchTimeoutMinMs: 1_800_000,
  readOnlyInFlightMax: 400,
  mutatingInFlightMax: 200,
  warningRunesMax: 4096,
  watchBacklogBytesMax: 64 * 1024 * 1024,
  bookmarkIntervalMs: 60_000,
  revisionWaitMs: 3_000,
  revisionWaitersMax: 1_000,
  headerBytesMax: 64 * 1024,
  connectionsMax: 10_000,
  encodeChunkBytes: 1024 * 1024,
  generateNameTriesMax: 8,
  patchConflictRetriesMax: 5,
  webhookAnswerBytesMax: 32 * 1024 * 1024,
  tracesMax: 256,
  unauthenticatedTracesMax: 64,
  traceStepsMax: 200,
  traceReasonLengthMax: 1024,
});
