import type { Clock } from '#platform/clock.ts';
import type { Reception } from './reception.ts';
import { middleNtp, parseRtcp, toNtp, writeRtcp, type ReportBlock, type SenderInfo } from './rtcp.ts';

/** RFC 3550 §6.2: 5 s between reports, half of it before the first; bandwidth never asks for more in a call of two. */
const INTERVAL_MS = 5000;
/** Undoes the bias of timer reconsideration (RFC 3550 §6.3.1): e − 3/2. */
const COMPENSATION = Math.E - 1.5;

/** The sent half of a stream as reports need it. */
export interface SentStream {
  readonly ssrc: number;
  readonly packets: number;
  readonly octets: number;
  /** The RTP timestamp of now. */
  readonly timestamp: number;
}

/** Reports on one stream and what the far end reports back. */
export class RtcpSession {
  /** The latest; undefined until the far end has reported on our stream. */
  roundTripMs: number | undefined;
  /** Mean of all measurements of the call. */
  get meanRoundTripMs(): number | undefined {
    return this.#roundTrips === 0 ? undefined : this.#roundTripSumMs / this.#roundTrips;
  }
  /** The far end's loss of our packets since the stream began, 0–1. */
  remoteLossRatio: number | undefined;
  /** The far end's loss of our packets over its last interval, 0–1. */
  remoteFractionLost: number | undefined;
  /** The far end's view of our jitter, in timestamp units. */
  remoteJitterUnits: number | undefined;
  malformed = 0;
  remoteBye = false;
  readonly #clock: Clock;
  readonly #cname: string;
  readonly #random: () => number;
  readonly #sent: SentStream;
  readonly #reception: Reception;
  readonly #send: (bytes: Uint8Array) => void;
  /** NTP time runs on the monotonic clock from here: round trips survive a step of the wall clock. */
  readonly #wallOffsetMs: number;
  #dueMs: number;
  #packetsReported = 0;
  #lastReport = 0;
  #lastReportMs = 0;
  #lastReportSsrc = -1;
  #roundTrips = 0;
  #roundTripSumMs = 0;

  constructor(options: {
    readonly clock: Clock;
    readonly cname: string;
    readonly random: () => number;
    readonly sent: SentStream;
    readonly reception: Reception;
    readonly send: (bytes: Uint8Array) => void;
  }) {
    this.#clock = options.clock;
    this.#cname = options.cname;
    this.#random = options.random;
    this.#sent = options.sent;
    this.#reception = options.reception;
    this.#send = options.send;
    const nowMs = this.#clock.monotonicMs();
    this.#wallOffsetMs = this.#clock.now().getTime() - nowMs;
    this.#dueMs = nowMs + this.#interval(INTERVAL_MS / 2);
  }

  /** Sends a report when one is due; to be called every frame. */
  poll(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.#dueMs = nowMs + this.#interval(INTERVAL_MS);
    this.#report(nowMs, false);
  }

  /** Says goodbye, if anything was ever sent (RFC 3550 §6.3.7). */
  close(): void {
    if (this.#sent.packets > 0) this.#report(this.#clock.monotonicMs(), true);
  }

  /** Takes a compound packet of the far end; false where it is malformed. */
  accept(bytes: Uint8Array, nowMs: number): boolean {
    const received = parseRtcp(bytes);
    if (received === undefined) {
      this.malformed++;
      return false;
    }
    if (received.sender !== undefined) {
      this.#lastReport = middleNtp(received.sender.ntpSeconds, received.sender.ntpFraction);
      this.#lastReportMs = nowMs;
      this.#lastReportSsrc = received.ssrc;
    }
    for (const block of received.blocks) if (block.ssrc === this.#sent.ssrc) this.#takeBlock(block, nowMs);
    if (received.byes.includes(this.#reception.ssrc)) this.remoteBye = true;
    return true;
  }

  #interval(baseMs: number): number {
    return (baseMs * (0.5 + this.#random())) / COMPENSATION;
  }

  #takeBlock(block: ReportBlock, nowMs: number): void {
    this.remoteFractionLost = block.fractionLost / 256;
    this.remoteJitterUnits = block.jitterUnits;
    this.#takeLoss(block);
    if (block.lastReport === 0) return;
    const ntp = toNtp(nowMs + this.#wallOffsetMs);
    const elapsed = (middleNtp(ntp.seconds, ntp.fraction) - block.lastReport - block.delay) | 0;
    // Rounding on both sides can make it slightly negative; more than 10 s is a report about something else.
    if (elapsed <= -655 || elapsed >= 655_360) return;
    this.roundTripMs = Math.max(0, (elapsed * 1000) / 65_536);
    this.#roundTripSumMs += this.roundTripMs;
    this.#roundTrips++;
  }

  /** A report says nothing of how many packets its cumulative loss is a share of: taken are those sent until it came. */
  #takeLoss(block: ReportBlock): void {
    const lost = Math.min(this.#sent.packets, Math.max(0, block.cumulativeLost));
    this.remoteLossRatio = this.#sent.packets === 0 ? 0 : lost / this.#sent.packets;
  }

  #report(nowMs: number, bye: boolean): void {
    this.#send(
      writeRtcp({
        ssrc: this.#sent.ssrc,
        cname: this.#cname,
        sender: this.#senderInfo(nowMs),
        block: this.#block(nowMs),
        bye,
      }),
    );
    this.#packetsReported = this.#sent.packets;
  }

  /** Only who sent since the last report but one is a sender; with reports this far apart the last one will do. */
  #senderInfo(nowMs: number): SenderInfo | undefined {
    if (this.#sent.packets === this.#packetsReported) return undefined;
    const ntp = toNtp(nowMs + this.#wallOffsetMs);
    return {
      ntpSeconds: ntp.seconds,
      ntpFraction: ntp.fraction,
      timestamp: this.#sent.timestamp,
      packets: this.#sent.packets,
      octets: this.#sent.octets,
    };
  }

  #block(nowMs: number): ReportBlock | undefined {
    const reception = this.#reception;
    if (!reception.started) return undefined;
    const known = this.#lastReportSsrc === reception.ssrc;
    return {
      ssrc: reception.ssrc,
      fractionLost: reception.takeFractionLost(),
      cumulativeLost: reception.cumulativeLost,
      highest: reception.highest,
      jitterUnits: Math.round(reception.jitterUnits),
      lastReport: known ? this.#lastReport : 0,
      delay: known ? Math.round(((nowMs - this.#lastReportMs) * 65_536) / 1000) : 0,
    };
  }
}
