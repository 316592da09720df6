// Every bound of the client and its default.

export interface ClientLimits {
  /** Largest answer that is read into memory. */
  readonly responseBytesMax: number;
  /** Largest event of a watch; an object may be 3 MiB, a table or an escaped one somewhat more. */
  readonly watchEventBytesMax: number;
  /** Tries of one request, the first one included, when the server asks to come back later. */
  readonly triesMax: number;
  /** Longest that a `Retry-After` is obeyed for. */
  readonly retryAfterMaxMs: number;
  /** Objects of one page when everything is listed. */
  readonly pageSize: number;
  /** Time that a request other than a watch may take; 0 leaves it to the server. */
  readonly requestTimeoutMs: number;
}

export const defaultClientLimits: ClientLimits = Object.freeze({
  responseBytesMax: 1024 * 1024 * 1024,
  watchEventBytesMax: 64 * 1024 * 1024,
  triesMax: 10,
  retryAfterMaxMs: 60_000,
  pageSize: 500,
  requestTimeoutMs: 0,
});
