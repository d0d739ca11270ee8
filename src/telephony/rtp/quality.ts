/** ITU-T G.107: the rating of a narrow-band connection where every parameter has its default (Ro − Is, A = 0). */
const DEFAULT_RATING = 93.2;
/** ITU-T G.113 appendix I: G.711 with packet loss concealment, 10 ms frames: no impairment of its own … */
const EQUIPMENT_IMPAIRMENT = 0;
/** … and this robustness against loss; without concealment it would be 4.3. */
const LOSS_ROBUSTNESS = 25.1;
/** Delay up to here disturbs no conversation much (Cole and Rosenbluth 2001, fitted to G.107 §7.4). */
const NOTICED_DELAY_MS = 177.3;

/** What a listener met. */
export interface ListenedTo {
  /** Share of packets that were not there when due, 0–1. */
  readonly lossRatio: number;
  /** `LossSummary.burstRatio`; 1 where unknown. */
  readonly burstRatio: number;
  /** One way, mouth to ear. */
  readonly delayMs: number;
}

/**
 * Mean opinion score, 1 to 4.41, that listeners of G.711 with concealment would give: the E-model (ITU-T G.107) with
 * all but loss, its burstiness and delay at their defaults, and the delay curve of R. G. Cole and J. H. Rosenbluth,
 * "Voice over IP Performance Monitoring", ACM SIGCOMM CCR 31(2), 2001. An estimate of the network, not of what was said.
 */
export function estimateMos(heard: ListenedTo): number {
  const lossPercent = 100 * Math.min(1, Math.max(0, heard.lossRatio));
  const burstRatio = Math.max(1, heard.burstRatio);
  const equipment =
    EQUIPMENT_IMPAIRMENT + ((95 - EQUIPMENT_IMPAIRMENT) * lossPercent) / (lossPercent / burstRatio + LOSS_ROBUSTNESS);
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
