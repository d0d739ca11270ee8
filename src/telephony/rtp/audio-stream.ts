import type { Clock } from '#platform/clock.ts';
import { frameCodecOf, type AudioMedia } from '../sdp/media.ts';
import { AudioReceiver } from './audio-receiver.ts';
import { AudioSender, type PacketSink } from './audio-sender.ts';
import { FramesAhead } from './frames-ahead.ts';
import type { Histogram } from './histogram.ts';
import { SourceLatch } from './latch.ts';
import { MediaCrypto } from './media-crypto.ts';
import type { LegHandlers } from './media-leg.ts';
import { newRtpPacket, parseRtp } from './packet.ts';
import type { PortPair } from './port-pairs.ts';
import { RtcpSession } from './rtcp-session.ts';

const TIMEOUT_MS = 30_000;
/** Packets of 10 ms that a silence may have swallowed, and some more. */
const SWALLOWED_PACKETS_PER_MS = 0.1;
const MORE_PACKETS = 10;
const RECEIVED = 0;
const SENT = 1;

/** What the streams of a leg share. */
export interface StreamContext {
  readonly clock: Clock;
  readonly cname: string;
  readonly random: () => number;
  readonly sendIntervals: Histogram;
}

/** The audio m-line of a leg on its two sockets. */
export class AudioStream implements PacketSink {
  readonly receiver: AudioReceiver;
  readonly sender: AudioSender;
  readonly rtcp: RtcpSession;
  readonly latch = new SourceLatch();
  readonly crypto = new MediaCrypto();
  /** Datagrams that were no RTP. */
  malformed = 0;
  readonly #context: StreamContext;
  readonly #ports: PortPair;
  readonly #handlers: LegHandlers;
  readonly #rtcpLatch = new SourceLatch();
  readonly #packet = newRtpPacket();
  readonly #ahead = new FramesAhead();
  #media: AudioMedia;
  /** What its direction says. */
  #sends = false;
  #receives = false;
  /** When something was received and sent last: a field with a fraction is a new object each time that it is written. */
  readonly #times = new Float64Array([0, -1]);
  #timedOut = false;
  #connected = false;
  #closed = false;

  constructor(context: StreamContext, ports: PortPair, media: AudioMedia, handlers: LegHandlers) {
    this.#context = context;
    this.#ports = ports;
    this.#media = media;
    this.#handlers = handlers;
    this.#times[RECEIVED] = context.clock.monotonicMs();
    this.receiver = new AudioReceiver(media, (event) => handlers.onDtmf(event));
    this.sender = new AudioSender(media, context.random, this);
    this.rtcp = new RtcpSession({
      clock: context.clock,
      cname: context.cname,
      random: context.random,
      sent: this.sender,
      reception: this.receiver.reception,
      send: (bytes) => this.#sendRtcp(bytes),
    });
    this.crypto.use(media.srtp);
    this.#expect();
    // What came before anybody listened is of no stream that was agreed.
    ports.rtp.discard();
    ports.rtp.onDatagram = (bytes, address, port, atMs) => this.#onRtp(bytes, address, port, atMs);
    ports.rtcp.onDatagram = (bytes, address, port, atMs) => this.#onRtcp(bytes, address, port, atMs);
  }

  renegotiate(media: AudioMedia): void {
    if (frameCodecOf(media.codec) !== frameCodecOf(this.#media.codec))
      this.#ahead.changeCodec(frameCodecOf(media.codec));
    this.#media = media;
    this.receiver.renegotiate(media);
    this.sender.renegotiate(media);
    this.crypto.use(media.srtp);
    this.#expect();
    this.#times[RECEIVED] = this.#context.clock.monotonicMs();
    this.#timedOut = false;
  }

  /** All frames that are due up to that deadline, each way. */
  tick(deadlineMs: number): void {
    this.#ports.rtp.drain();
    for (;;) {
      const atMs = this.#closed ? -1 : this.#ahead.due(deadlineMs);
      if (atMs < 0) break;
      const sent = this.#ahead.take();
      this.#handlers.onFrame(this.receiver.pull(atMs), sent ?? this.sender.blank(), sent !== undefined);
      if (sent === undefined) this.#sendFrame();
    }
    this.rtcp.poll(deadlineMs);
    this.#connect(deadlineMs);
    if (this.#receives && !this.#timedOut && deadlineMs - this.#times[RECEIVED]! > TIMEOUT_MS) {
      this.#timedOut = true;
      this.#handlers.onTimeout?.();
    }
  }

  /** The frame of that deadline, before its tick, where the handler knows what is in it; true once it has been sent. */
  send(deadlineMs: number): boolean {
    if (this.#ahead.sent(deadlineMs)) return true;
    if (!this.#ahead.mayLeave(deadlineMs)) return false;
    const tx = this.sender.blank();
    if (this.#handlers.onSend?.(tx, deadlineMs) !== true) return false;
    this.#ahead.keep(tx);
    this.#sendFrame();
    return true;
  }

  /** Gives up the frames before that deadline and returns how many. */
  skip(deadlineMs: number): number {
    const { ticks, unsent } = this.#ahead.skip(deadlineMs);
    if (unsent > 0) this.sender.skip(unsent);
    return ticks;
  }

  /** For the sender: puts a packet on the wire. */
  sendPacket(packet: Uint8Array): void {
    const nowMs = this.#context.clock.monotonicMs();
    if (this.#times[SENT]! >= 0) this.#context.sendIntervals.add(nowMs - this.#times[SENT]!);
    this.#times[SENT] = nowMs;
    this.#ports.rtp.send(this.crypto.protectRtp(packet), this.latch.address, this.latch.port);
  }

  close(): void {
    this.#closed = true;
    this.rtcp.close();
    this.receiver.close();
    this.sender.close();
  }

  #sendFrame(): void {
    this.sender.next(this.#sends && this.latch.port !== 0);
  }

  /** A connected socket is cheaper to send on but hears one peer only, so it is opened where that one falls silent. */
  #connect(nowMs: number): void {
    const connected = this.latch.settled(nowMs) && !this.latch.silent(nowMs);
    if (connected === this.#connected) return;
    this.#connected = connected;
    if (connected) this.#ports.rtp.connect(this.latch.address, this.latch.port);
    else this.#ports.rtp.disconnect();
  }

  /** Takes over where media goes to and comes from. */
  #expect(): void {
    const { direction, remoteAddress, remotePort, remoteRtcpPort } = this.#media;
    this.#sends = direction === 'sendrecv' || direction === 'sendonly';
    this.#receives = direction === 'sendrecv' || direction === 'recvonly';
    const held = isUnspecified(remoteAddress);
    if (this.latch.expect(remoteAddress, held ? 0 : remotePort)) {
      this.#ports.rtp.disconnect();
      this.#connected = false;
    }
    this.#rtcpLatch.expect(remoteAddress, held ? 0 : remoteRtcpPort);
  }

  #onRtp(datagram: Uint8Array, address: string, port: number, nowMs: number): void {
    const packet = this.#packet;
    const bytes = this.crypto.unprotectRtp(datagram);
    if (bytes === undefined) return;
    if (!parseRtp(bytes, packet)) {
      this.malformed++;
      return;
    }
    if (!this.#receives) return;
    if (!this.receiver.understands(packet.payloadType)) {
      this.receiver.unusable++;
      return;
    }
    const { latched, address: addressBefore, port: portBefore } = this.latch;
    const maxStep = (nowMs - this.#times[RECEIVED]!) * SWALLOWED_PACKETS_PER_MS + MORE_PACKETS;
    const goesOn = this.receiver.reception.goesOn(packet, maxStep);
    if (!this.latch.admit(address, port, nowMs, goesOn, this.crypto.active)) return;
    if (!latched || port !== portBefore || address !== addressBefore) this.#followRtcp(address, port);
    const first = !this.receiver.reception.started;
    this.#times[RECEIVED] = nowMs;
    this.#timedOut = false;
    this.receiver.accept(packet, bytes, nowMs);
    if (first) this.#handlers.onRemoteRtp?.();
  }

  /** The far end is behind a translation, or its port there has changed: its RTCP most likely comes the same way. */
  #followRtcp(address: string, port: number): void {
    const { remoteAddress, remotePort, remoteRtcpPort } = this.#media;
    const signalled = address === remoteAddress && port === remotePort;
    this.#rtcpLatch.expect(address, signalled ? remoteRtcpPort : port + 1);
  }

  #onRtcp(datagram: Uint8Array, address: string, port: number, nowMs: number): void {
    const bytes = this.crypto.unprotectRtcp(datagram);
    if (bytes === undefined) return;
    if (this.#rtcpLatch.latched && !this.#rtcpLatch.admit(address, port, nowMs)) return;
    if (this.rtcp.accept(bytes, nowMs)) this.#rtcpLatch.admit(address, port, nowMs);
  }

  #sendRtcp(bytes: Uint8Array): void {
    const { address, port } = this.#rtcpLatch;
    if (port !== 0 && this.#media.withoutRtcp !== true)
      this.#ports.rtcp.send(this.crypto.protectRtcp(bytes), address, port);
  }
}

/** `0.0.0.0` and `::` are the old way to hold (RFC 3264 §8.4): nothing is sent there. */
export function isUnspecified(address: string): boolean {
  return address === '' || address === '0.0.0.0' || address === '::';
}
