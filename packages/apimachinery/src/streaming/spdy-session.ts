// The streams of one SPDY connection and what frames do to them. Who reads the frames, and how long
// the connection lives, is the business of `spdy-connection.ts`.

import type { Duplex } from 'node:stream';
import type { Clock } from '../clock.ts';
import { createHeaderDecompressor, type SpdyHeaders } from './header-block.ts';
import { createOutgoingFrames } from './outgoing-frames.ts';
import { resetStatus, SpdyError, type ControlFrame, type DataPart } from './spdy-frames.ts';
import { SpdyStream } from './spdy-stream.ts';

export interface SpdySessionOptions {
  readonly transport: Duplex;
  readonly role: 'client' | 'server';
  readonly clock: Clock;
  /** Who takes a stream that the peer opens; undefined refuses it, which is the default. */
  readonly takerOf?: (headers: SpdyHeaders) => ((stream: SpdyStream) => void) | undefined;
}

/** Of one connection, at the same time. */
export const streamsMax = 512;
/** As kubelets wait for streams. */
const openMs = 30_000;

/** Who asked for a stream, and waits for the answer of the peer. */
interface Opening {
  readonly accepted: () => void;
  readonly refused: (why: string) => void;
}

export class SpdySession {
  readonly #options: SpdySessionOptions;
  readonly #outgoing;
  readonly #decompressor = createHeaderDecompressor();
  readonly #streams = new Map<number, SpdyStream>();
  readonly #openings = new Map<number, Opening>();
  #lastOwn: number;
  #lastOfPeer = 0;
  #isOver = false;
  #isGoingAway = false;

  constructor(options: SpdySessionOptions) {
    this.#options = options;
    this.#outgoing = createOutgoingFrames(options.transport);
    this.#lastOwn = options.role === 'client' ? -1 : 0;
  }

  /** Resolves with a stream that the peer has taken; rejects when it does not, or not in time. */
  async open(headers: SpdyHeaders): Promise<SpdyStream> {
    if (this.#isOver || this.#streams.size >= streamsMax)
      throw new Error('no stream can be opened');
    this.#lastOwn += 2;
    const id = this.#lastOwn;
    const stream = this.#addStream(id, headers);
    const answer = Promise.withResolvers<void>();
    // It may come to nothing before anybody waits for it.
    answer.promise.catch(() => {});
    const refused = (why: string) => answer.reject(new Error(why));
    this.#openings.set(id, { accepted: answer.resolve, refused });
    const cancel = this.#options.clock.after(openMs, () =>
      refused('timed out waiting for the answer to a stream'),
    );
    try {
      await this.#outgoing.headers('synStream', id, headers);
      await answer.promise;
      return stream;
    } catch (error) {
      stream.destroy();
      throw error;
    } finally {
      cancel();
      this.#openings.delete(id);
    }
  }

  /** Throws SpdyError when the peer breaks the protocol. Resolves when the next may come. */
  async receive(frame: ControlFrame | DataPart): Promise<void> {
    switch (frame.type) {
      case 'data':
        return this.#receiveData(frame);
      case 'synStream':
        return this.#takeStream(frame, await this.#decompressor.decompress(frame.block));
      case 'synReply':
      case 'headers':
        // Of no use here, but what comes later builds on it.
        await this.#decompressor.decompress(frame.block);
        if (frame.type === 'synReply') this.#openings.get(frame.streamId)?.accepted();
        if (frame.fin) this.#streams.get(frame.streamId)?.receiveEnd();
        return;
      case 'rstStream':
        this.#openings.get(frame.streamId)?.refused('the stream was refused');
        this.#streams.get(frame.streamId)?.receiveReset();
        return;
      case 'ping':
        if (this.#isOwn(frame.id)) return;
        this.#outgoing.control(frame);
        return this.#outgoing.drained();
      case 'goAway':
        for (const [id, { refused }] of this.#openings)
          if (id > frame.lastStreamId) refused('the peer is going away');
        return;
      case 'settings':
      case 'windowUpdate':
        return;
    }
  }

  /** The peer may open no more streams. */
  goAway(status: number): void {
    this.#isGoingAway = true;
    this.#outgoing.control({ type: 'goAway', lastStreamId: this.#lastOfPeer, status });
  }

  /** The connection has ended. What was received as a whole may still be read. */
  over(): void {
    this.#isOver = true;
    this.#outgoing.close();
    this.#decompressor.close();
    for (const { refused } of this.#openings.values()) refused('the connection has ended');
    for (const stream of this.#streams.values())
      if (!stream.hasEnded) stream.destroy(new Error('the connection has ended'));
  }

  #isOwn(id: number): boolean {
    return id % 2 === (this.#options.role === 'client' ? 1 : 0);
  }

  async #takeStream(
    { streamId, fin }: { readonly streamId: number; readonly fin: boolean },
    headers: SpdyHeaders,
  ): Promise<void> {
    if (this.#isOwn(streamId) || streamId <= this.#lastOfPeer)
      throw new SpdyError(`stream ${streamId} is out of order`);
    this.#lastOfPeer = streamId;
    const isRoom = !this.#isGoingAway && this.#streams.size < streamsMax;
    const taker = isRoom ? this.#options.takerOf?.(headers) : undefined;
    if (taker === undefined) {
      this.#reset(streamId, resetStatus.refusedStream);
      return this.#outgoing.drained();
    }
    const stream = this.#addStream(streamId, headers);
    await this.#outgoing.headers('synReply', streamId, new Map());
    if (fin) stream.receiveEnd();
    taker(stream);
  }

  #receiveData({ streamId, bytes, fin }: DataPart): Promise<void> | undefined {
    const stream = this.#streams.get(streamId);
    // One that was reset while this was on its way.
    if (stream === undefined) return undefined;
    if (stream.hasEnded) {
      this.#reset(streamId, resetStatus.streamAlreadyClosed);
      stream.destroy();
      return undefined;
    }
    const full = bytes.byteLength === 0 ? undefined : stream.receive(bytes);
    if (fin) stream.receiveEnd();
    return full;
  }

  #reset(streamId: number, status: number): void {
    this.#outgoing.control({ type: 'rstStream', streamId, status });
  }

  #addStream(id: number, headers: SpdyHeaders): SpdyStream {
    const stream = new SpdyStream(headers, {
      send: (bytes, fin, done) => this.#outgoing.data(id, bytes, fin, done),
      removed: (complete) => {
        this.#streams.delete(id);
        if (!complete) this.#reset(id, resetStatus.cancel);
      },
    });
    this.#streams.set(id, stream);
    return stream;
  }
}
