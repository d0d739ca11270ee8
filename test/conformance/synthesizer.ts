import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AppError } from '#platform/error.ts';
import type { Synthesizer } from '#voice/tts/synthesizer.ts';

/** What every synthesis engine does; `voices` are two of its names that must sound different. */
export function synthesizerConformance(name: string, open: () => Synthesizer, voices: readonly [string, string]): void {
  describe(`${name} is a synthesizer`, () => {
    let engine: Synthesizer;
    beforeAll(() => {
      engine = open();
    });
    afterAll(() => engine.close());
    const [voice, other] = voices;

    it('speaks Mandarin and English at a plausible pace and the common level', async () => {
      for (const [text, language, leastS, mostS] of [
        ['您好，请问您是张女士吗？我们想提醒您按时还款。', 'zh', 2.5, 8],
        ['Hello, this is a reminder about your payment tomorrow.', 'en', 1.5, 6],
      ] as const) {
        const pcm = await engine.synthesize(text, { voice, language });
        expect(pcm.length / 8000).toBeGreaterThan(leastS);
        expect(pcm.length / 8000).toBeLessThan(mostS);
        const rms = Math.sqrt(pcm.reduce((sum, sample) => sum + sample ** 2, 0) / pcm.length);
        expect(20 * Math.log10(rms / 32768)).toBeGreaterThan(-26);
        expect(20 * Math.log10(rms / 32768)).toBeLessThan(-17);
      }
    });

    it('trims silence at both ends', async () => {
      const pcm = await engine.synthesize('好的', { voice, language: 'zh' });
      const audible = (part: Int16Array): boolean => part.some((sample) => Math.abs(sample) > 200);
      expect(audible(pcm.subarray(0, 400))).toBe(true);
      expect(audible(pcm.subarray(-800))).toBe(true);
    });

    it('leaves no energy in the last 150 Hz below the Nyquist frequency', async () => {
      const pcm = await engine.synthesize('四十四是四十四', { voice, language: 'zh' });
      expect(bandShare(pcm, 3850, 4000)).toBeLessThan(0.001);
      expect(bandShare(pcm, 60, 3600)).toBeGreaterThan(0.9);
    });

    it('has voices that differ', async () => {
      const [one, two] = await Promise.all(
        [voice, other].map((each) => engine.synthesize('请问您方便吗', { voice: each, language: 'zh' })),
      );
      const length = Math.min(one!.length, two!.length);
      const difference = one!
        .subarray(0, length)
        .reduce((sum, sample, index) => sum + Math.abs(sample - two![index]!), 0);
      expect(difference / length).toBeGreaterThan(500);
    });

    it('answers texts that come together, each with its own speech', async () => {
      const texts = ['一', '一二三四五', '一二三四五六七八九十'];
      const spoken = await Promise.all(texts.map((text) => engine.synthesize(text, { voice, language: 'zh' })));
      const lengths = spoken.map((pcm) => pcm.length);
      expect(lengths).toEqual([...lengths].sort((a, b) => a - b));
      expect(lengths[2]! / lengths[0]!).toBeGreaterThan(3);
    });

    it('gives nothing for text without words', async () => {
      for (const text of ['', '  ', '……！？'])
        expect(await engine.synthesize(text, { voice, language: 'zh' })).toHaveLength(0);
    });

    it('refuses a voice it does not have and gives up when told', async () => {
      await expect(engine.synthesize('好', { voice: 'zh-nobody', language: 'zh' })).rejects.toMatchObject({
        code: 'invalid-input',
      });
      const aborting = new AbortController();
      const work = engine.synthesize('这句话很长'.repeat(40), { voice, language: 'zh', signal: aborting.signal });
      aborting.abort();
      await expect(work).rejects.toMatchObject({ code: 'aborted' });
      await expect(
        engine.synthesize('好', { voice, language: 'zh', signal: AbortSignal.abort() }),
      ).rejects.toMatchObject({ code: 'aborted' });
    });

    it('fails what is under way when it is closed', async () => {
      const closing = open();
      const work = closing.synthesize('这句话很长'.repeat(40), { voice, language: 'zh' });
      closing.close();
      closing.close();
      await expect(work).rejects.toBeInstanceOf(AppError);
      await expect(closing.synthesize('好', { voice, language: 'zh' })).rejects.toMatchObject({ code: 'aborted' });
    });
  });
}

/** Share of the energy between two frequencies, by a plain Fourier sum over windows of 32 ms. */
function bandShare(pcm: Int16Array, fromHz: number, toHz: number): number {
  const size = 256;
  let band = 0;
  let all = 0;
  for (let start = 0; start + size <= pcm.length; start += size) {
    for (let bin = 1; bin < size / 2; bin += 1) {
      let re = 0;
      let im = 0;
      for (let index = 0; index < size; index += 1) {
        const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / size);
        const sample = pcm[start + index]! * window;
        re += sample * Math.cos((2 * Math.PI * bin * index) / size);
        im += sample * Math.sin((2 * Math.PI * bin * index) / size);
      }
      const energy = re * re + im * im;
      const hz = (bin * 8000) / size;
      all += energy;
      if (hz >= fromHz && hz <= toHz) band += energy;
    }
  }
  return band / all;
}
