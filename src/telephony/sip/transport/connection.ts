import type { Socket } from 'node:net';
import type { Peer } from './transport.ts';
import { StreamFramer } from './framer.ts';

/** Bounds of stream connections. */
export interface StreamLimits {
  /** Connections at once, both ways together. */
  readonly connections: number;
  /** Incoming connections from one address. */
  readonly perAddress: number;
  /** A connection without any byte for this long is closed. */
  readonly idleMs: number;
  /** Time to connect, TLS included. */
  readonly connectMs: number;
  /** Time from the first byte of a message to its last. */
  readonly messageMs: number;
  readonly messageBytes: number;
  /** Outgoing connections send CRLF CRLF when nothing was sent for this long (RFC 5626 §4.4.1 names 95 to 120 s). */
  readonly pingMs: number;
  /** Bytes that a slow peer may leave unread before its connection is given up. */
  readonly backlogBytes: number;
}

/** How long a peer that has answered pings before may take for the next pong (RFC 5626 §4.4.1). */
const PONG_MS = 10_000;
const PING = Buffer.from('\r\n\r\n');
const PONG = Buffer.from('\r\n');

/** What a connection tells its transport. */
export interface ConnectionHandlers {
  onMessage(bytes: Uint8Array, from: Peer): void;
  onClosed(reason: string): void;
}

/** One TCP or TLS connection: frames what comes, and ends itself when `check` finds it stuck, idle or dead. */
export class Connection {
  readonly flow: number;
  readonly outgoing: boolean;
  /** The keys under which requests find it. */
  readonly keys = new Set<string>();
  readonly #socket: Socket;
  readonly #limits: StreamLimits;
  readonly #handlers: ConnectionHandlers;
  readonly #framer: StreamFramer;
  readonly #peer: Peer;
  /** Senders whose message the peer may not have read: it has sent nothing since. */
  readonly #unconfirmed = new Set<(error: Error) => void>();
  #ready: boolean;
  readonly #openedMs: number;
  #lastByteMs: number;
  #lastSentMs: number;
  #messageSinceMs: number | undefined;
  #lastPingMs: number;
  #awaitsPong = false;
  /** The peer has answered a ping before. */
  #pongs = false;
  #closed = false;

  constructor(options: {
    socket: Socket;
    peer: Peer;
    flow: number;
    outgoing: boolean;
    limits: StreamLimits;
    nowMs: () => number;
    handlers: ConnectionHandlers;
  }) {
    const { socket, nowMs } = options;
    this.#socket = socket;
    this.flow = options.flow;
    this.outgoing = options.outgoing;
    this.#peer = { ...options.peer, flow: options.flow };
    this.#limits = options.limits;
    this.#handlers = options.handlers;
    this.#framer = new StreamFramer(options.limits.messageBytes);
    this.#ready = !options.outgoing;
    this.#openedMs = nowMs();
    this.#lastByteMs = this.#openedMs;
    this.#lastSentMs = this.#openedMs;
    this.#lastPingMs = this.#openedMs;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk, nowMs()));
    socket.on('error', (error) => this.close(error.message));
    socket.on('end', () => this.close('closed by the peer'));
    socket.on('close', () => this.close('closed'));
  }

  /** The connection, TLS included, stands. */
  ready(): void {
    this.#ready = true;
  }

  send(bytes: Uint8Array, nowMs: number, failed?: (error: Error) => void): void {
    if (this.#closed || this.#socket.writableLength > this.#limits.backlogBytes) {
      this.close('peer does not read');
      if (failed !== undefined) queueMicrotask(() => failed(new Error('connection is closed')));
      return;
    }
    this.#lastSentMs = nowMs;
    if (failed !== undefined) this.#unconfirmed.add(failed);
    this.#socket.write(bytes);
  }

  /** Looks after the time limits; called every second or so. */
  check(nowMs: number): void {
    const { connectMs, messageMs, idleMs, pingMs } = this.#limits;
    if (!this.#ready) {
      if (nowMs - this.#openedMs >= connectMs) this.close('connecting took too long');
      return;
    }
    if (this.#messageSinceMs !== undefined && nowMs - this.#messageSinceMs >= messageMs)
      return this.close('message never became whole');
    if (nowMs - Math.max(this.#lastByteMs, this.#lastSentMs) >= idleMs) return this.close('idle');
    if (this.#awaitsPong && this.#pongs && nowMs - this.#lastPingMs >= PONG_MS)
      return this.close('no answer to keep-alive');
    if (this.outgoing && nowMs - Math.max(this.#lastSentMs, this.#lastPingMs) >= pingMs) this.#ping(nowMs);
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#handlers.onClosed(reason);
    const error = new Error(reason);
    for (const failed of this.#unconfirmed) queueMicrotask(() => failed(error));
    this.#unconfirmed.clear();
  }

  /** Ends once what was written has left. */
  end(): void {
    this.#socket.end();
  }

  #ping(nowMs: number): void {
    this.#lastPingMs = nowMs;
    this.#awaitsPong = true;
    this.#socket.write(PING);
  }

  #onData(chunk: Buffer, nowMs: number): void {
    if (this.#closed) return;
    // A pong is no traffic: a connection that only we keep alive is idle.
    if (chunk.length > PONG.length || !this.#awaitsPong) this.#lastByteMs = nowMs;
    this.#unconfirmed.clear();
    const frames = this.#framer.push(chunk);
    if (typeof frames === 'string') return this.close(frames);
    for (const frame of frames) {
      if (frame.type === 'message') this.#handlers.onMessage(frame.bytes, this.#peer);
      else if (frame.type === 'ping') this.#socket.write(PONG);
      else {
        this.#pongs ||= this.#awaitsPong;
        this.#awaitsPong = false;
      }
    }
    if (!this.#framer.partial) this.#messageSinceMs = undefined;
    else if (frames.length > 0) this.#messageSinceMs = nowMs;
    else this.#messageSinceMs ??= nowMs;
  }
}
