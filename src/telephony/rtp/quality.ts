import type { AudioCodec } from '../sdp/media.ts';

/** ITU-T G.107: the rating of a narrow-band connection where every parameter has its default (Ro − Is, A = 0). */
const DEFAULT_RATING = 93.2;
/** What a codec does to speech of itself (Ie of G.107) and how well it bears loss (Bpl). */
interface Equipment {
  readonly impairment: number;
  readonly robustness: number;
}

/**
 * ITU-T G.113 appendix I: G.711 with packet loss concealment, 10 ms frames; without concealment its robustness would be
 * 4.3.
 */
const G711: Equipment = { impairment: 0, robustness: 25.1 };
/**
 * The platform hears and speaks 0–4 kHz whatever the wire carries, so all scores are on the narrow-band scale. G.722
 * there is its lower band, hidden alike. G.113 has no value for Opus: it counts as GSM EFR does, the codec of the list
 * that is most like it at our bit rate.
 */
const EQUIPMENT: Readonly<Record<AudioCodec, Equipment>> = {
  PCMA: G711,
  PCMU: G711,
  G722: G711,
  opus: { impairment: 5, robustness: 10 },
};
/** Delay up to here disturbs no conversation much (Cole and Rosenbluth 2001, fitted to G.107 §7.4). */
const NOTICED_DELAY_MS = 177.3;

/** What a listener met. */
export interface ListenedTo {
  /** Of the wire; G.711 unless said. */
  readonly codec?: AudioCodec | undefined;
  /** Share of packets that were not there when due, 0–1. */
  readonly lossRatio: number;
  /** `LossSummary.burstRatio`; 1 where unknown. */
  readonly burstRatio: number;
  /** One way, mouth to ear. */
  readonly delayMs: number;
}

/**
 * Mean opinion score, 1 to 4.41, that listeners would give: the E-model (ITU-T G.107) with
 * all but loss, its burstiness and delay at their defaults, and the delay curve of R. G. Cole and J. H. Rosenbluth,
 * "Voice over IP Performance Monitoring", ACM SIGCOMM CCR 31(2), 2001. An estimate of the network, not of what was said.
 */
export function estimateMos(heard: ListenedTo): number {
  const lossPercent = 100 * Math.min(1, Math.max(0, heard.lossRatio));
  const burstRatio = Math.max(1, heard.burstRatio);
  const { impairment, robustness } = EQUIPMENT[heard.codec ?? 'PCMA'];
  const equipment = impairment + ((95 - impairment) * lossPercent) / (lossPercent / burstRatio + robustness);
  const delayMs = Math.max(0, heard.delayMs);
  const delay = 0.024 * delayMs + (delayMs > NOTICED_DELAY_MS ? 0.11 * (delayMs - NOTICED_DELAY_MS) : 0);
  return mosOfRating(DEFAULT_RATING - delay - equipment);
}

/** ITU-T G.107 annex B. */
export function mosOfRating(rating: number): number {
  if (rating <= 0) return 1;
  if (rating >= 100) return 4.5;
  return Math.max(1, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6);
}
