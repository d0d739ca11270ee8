import type { PhraseRequest } from '#calls/worker-protocol.ts';

const SAMPLES_PER_CHARACTER = 1_200;

/** 150 ms of a 400 Hz tone a character: what is said does not matter here, only that there is something to play. */
export function tonePhrase({ text, codec }: Pick<PhraseRequest, 'text' | 'codec'>): Promise<Uint8Array> {
  const [plus, minus] = codec === 'PCMU' ? [0x9f, 0x1f] : [0xb5, 0x35];
  return Promise.resolve(
    Uint8Array.from({ length: text.length * SAMPLES_PER_CHARACTER }, (_, index) => (index % 20 < 10 ? plus : minus)),
  );
}
