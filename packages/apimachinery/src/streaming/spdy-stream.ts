// One stream of a SPDY connection as a Duplex: each side is ended by itself. What is not read stays
// here up to a bound; beyond it the connection waits.

import { Duplex } from 'node:stream';
import type { SpdyHeaders } from './header-block.ts';

/** What a stream needs of its connection. */
export interface StreamLink {
  /** `done` when more may follow. */
  send(bytes: Uint8Array, fin: boolean, done: Done): void;
  /** `complete`: both sides were ended, so the peer need not be told. */
  removed(complete: boolean): void;
}
type Done = (error?: Error | null) => void;

/** Of one stream, before the connection stops reading. */
const unreadBytesMax = 64 * 1024;

export class SpdyStream extends Duplex {
  readonly headers: SpdyHeaders;
  readonly #link: StreamLink;
  #hasEnded = false;
  #isReset = false;
  #onRead: (() => void) | undefined;

  constructor(headers: SpdyHeaders, link: StreamLink) {
    super({ readableHighWaterMark: unreadBytesMax, decodeStrings: true });
    this.headers = headers;
    this.#link = link;
    // An error is followed by close, which is what counts.
    this.on('error', () => {});
  }

  /** The peer may not send any more. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when there is room for more; undefined when there is. */
  receive(bytes: Uint8Array): Promise<void> | undefined {
    if (this.destroyed || this.push(bytes)) return undefined;
    return new Promise((resolve) => {
      this.#onRead = resolve;
    });
  }

  receiveEnd(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.push(null);
  }

  /** COMPAT: what came before is read: kubelets reset the streams of commands that are over. */
  receiveReset(): void {
    this.#isReset = true;
    this.receiveEnd();
    if (this.readableEnded) this.destroy();
    else this.once('end', () => this.destroy());
  }

  override _read(): void {
    this.#onRead?.();
    this.#onRead = undefined;
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Done): void {
    if (this.#isReset) done(new Error('the stream was reset'));
    else this.#link.send(chunk, false, done);
  }

  override _final(done: Done): void {
    if (this.#isReset) done();
    else this.#link.send(new Uint8Array(), true, done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this._read();
    this.#link.removed(this.#isReset || (this.#hasEnded && this.writableFinished));
    done(error);
  }
}
