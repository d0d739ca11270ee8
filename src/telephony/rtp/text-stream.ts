import type { TextMedia } from '../sdp/media.ts';
import { isUnspecified, type StreamContext } from './audio-stream.ts';
import type { EarlyDatagram } from './early-datagrams.ts';
import { SourceLatch } from './latch.ts';
import { MediaCrypto } from './media-crypto.ts';
import { newRtpPacket, parseRtp } from './packet.ts';
import type { PortPair } from './port-pairs.ts';
import { RtcpSession } from './rtcp-session.ts';
import { TextReceiver } from './text-receiver.ts';
import { TextSender } from './text-sender.ts';

/** Text pauses do not use up sequence numbers; those of a few lost packets may be missing where a stream moves. */
const MAX_TEXT_STEP = 16;

/** The real-time text m-line of a leg on its two sockets. */
export class TextStream {
  readonly receiver: TextReceiver;
  readonly sender: TextSender;
  readonly rtcp: RtcpSession;
  readonly latch = new SourceLatch();
  readonly crypto = new MediaCrypto();
  malformed = 0;
  readonly #context: StreamContext;
  readonly #rtcpLatch = new SourceLatch();
  readonly #packet = newRtpPacket();
  #media: TextMedia;

  constructor(context: StreamContext, ports: PortPair, media: TextMedia, onText: (text: string) => void) {
    this.#context = context;
    this.#media = media;
    this.receiver = new TextReceiver(media, onText);
    this.sender = new TextSender(media, context.random, (packet) =>
      ports.rtp.send(this.crypto.protectRtp(packet), this.latch.address, this.latch.port),
    );
    this.rtcp = new RtcpSession({
      clock: context.clock,
      cname: context.cname,
      random: context.random,
      sent: this.sender,
      reception: this.receiver.reception,
      send: (bytes) => {
        const { address, port } = this.#rtcpLatch;
        if (port !== 0 && this.#media.withoutRtcp !== true)
          ports.rtcp.send(this.crypto.protectRtcp(bytes), address, port);
      },
    });
    this.crypto.use(media.srtp);
    this.#expect();
    ports.rtp.onDatagram = (bytes, address, port, atMs) => this.#onRtp(bytes, address, port, atMs);
    ports.rtcp.onDatagram = (bytes, address, port, atMs) => this.#onRtcp(bytes, address, port, atMs);
  }

  renegotiate(media: TextMedia): void {
    this.#media = media;
    this.receiver.renegotiate(media);
    this.sender.renegotiate(media);
    this.crypto.use(media.srtp);
    this.#expect();
  }

  /** Takes what came before the stream was there. */
  accept({ bytes, address, port, atMs }: EarlyDatagram): void {
    this.#onRtp(bytes, address, port, atMs);
  }

  tick(deadlineMs: number): void {
    this.receiver.poll(deadlineMs);
    if (this.#sends) this.sender.poll(deadlineMs);
    this.rtcp.poll(deadlineMs);
  }

  /** Sends what was typed last and says goodbye. */
  close(): void {
    if (this.#sends) this.sender.flush(this.#context.clock.monotonicMs());
    this.rtcp.close();
  }

  get #sends(): boolean {
    return this.latch.port !== 0 && (this.#media.direction === 'sendrecv' || this.#media.direction === 'sendonly');
  }

  #expect(): void {
    const { remoteAddress, remotePort, remoteRtcpPort } = this.#media;
    const port = isUnspecified(remoteAddress) ? 0 : remotePort;
    this.latch.expect(remoteAddress, port);
    this.#rtcpLatch.expect(remoteAddress, port === 0 ? 0 : (remoteRtcpPort ?? Math.min(port + 1, 65_535)));
  }

  #onRtp(datagram: Uint8Array, address: string, port: number, nowMs: number): void {
    const packet = this.#packet;
    const bytes = this.crypto.unprotectRtp(datagram);
    if (bytes === undefined) return;
    if (!parseRtp(bytes, packet) || !this.receiver.understands(packet.payloadType)) {
      this.malformed++;
      return;
    }
    if (this.#media.direction === 'sendonly' || this.#media.direction === 'inactive') return;
    const goesOn = this.receiver.reception.goesOn(packet, MAX_TEXT_STEP);
    if (this.latch.admit(address, port, nowMs, goesOn, this.crypto.active)) this.receiver.accept(packet, bytes, nowMs);
  }

  #onRtcp(datagram: Uint8Array, address: string, port: number, nowMs: number): void {
    const bytes = this.crypto.unprotectRtcp(datagram);
    if (bytes === undefined) return;
    if (this.#rtcpLatch.latched && !this.#rtcpLatch.admit(address, port, nowMs)) return;
    if (this.rtcp.accept(bytes, nowMs)) this.#rtcpLatch.admit(address, port, nowMs);
  }
}
