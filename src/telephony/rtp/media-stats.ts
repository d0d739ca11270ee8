import type { MediaStats } from '#domain/call.ts';
import type { AudioStream } from './audio-stream.ts';
import { estimateMos } from './quality.ts';

/** A packet is 20 ms of speech before it can leave. */
const PACKET_MS = 20;
/** What a far end of which we know nothing is taken to buffer. */
const REMOTE_BUFFER_MS = 40;

/** The figures of a leg's audio; all zero or unknown before it has started. */
export function mediaStats(codec: MediaStats['codec'], audio: AudioStream | undefined): MediaStats {
  const reception = audio?.receiver.reception;
  const losses = audio?.receiver.losses.summary();
  const rtcp = audio?.rtcp;
  const roundTripMs = rtcp?.meanRoundTripMs;
  const remoteLossRatio = rtcp?.remoteLossRatio;
  // Without reports the network's delay is unknown and left out: near enough within one country.
  const networkMs = (roundTripMs ?? 0) / 2;
  const heard = audio !== undefined && losses !== undefined && losses.expected > 0;
  return {
    codec,
    packetsSent: audio?.sender.allPackets ?? 0,
    packetsReceived: reception?.totalReceived ?? 0,
    packetsLost: reception?.lost ?? 0,
    packetsLate: audio?.receiver.late ?? 0,
    jitterMs: reception?.jitterMs ?? 0,
    lossBurstRatio: heard ? losses.burstRatio : undefined,
    longestLossPackets: heard ? losses.longestRun : undefined,
    roundTripMs,
    remoteLossRatio,
    remoteJitterMs:
      rtcp?.remoteJitterUnits === undefined ? undefined : (rtcp.remoteJitterUnits * 1000) / audio!.sender.clockHz,
    mos: heard
      ? estimateMos({ ...losses, codec, delayMs: networkMs + PACKET_MS + audio.receiver.bufferMs })
      : undefined,
    remoteMos:
      remoteLossRatio === undefined
        ? undefined
        : estimateMos({
            lossRatio: remoteLossRatio,
            burstRatio: 1,
            codec,
            delayMs: networkMs + PACKET_MS + REMOTE_BUFFER_MS,
          }),
  };
}
