import { describe, expect, it } from 'vitest';
import { type Recognizer, type RecognizerResult, Transcript } from '#voice/recognizer.ts';

/** How the suite makes an engine hear something. */
export interface RecognizerDriver<Input> {
  open(onResult: (result: RecognizerResult) => void): Recognizer<Input>;
  /** What the callee sends for this sentence, in pieces, in order; the engine must understand it exactly. */
  say(sentence: string): readonly Input[];
  /** Two sentences the engine understands. */
  readonly sentences: readonly [string, string];
  /** Time between two pieces, and the longest time until text is final after `finish`. */
  readonly pieceMs: number;
  readonly finalMs: number;
}

/** What every recogniser does, of speech or of typed text. */
export function recognizerConformance<Input>(name: string, driver: RecognizerDriver<Input>): void {
  describe(`${name} is a recogniser`, () => {
    /** An engine with everything it reported, under a time that only this moves. */
    function start(): {
      engine: Recognizer<Input>;
      results: RecognizerResult[];
      transcript: Transcript;
      hear: (sentence: string) => void;
      wait: (forMs: number) => void;
    } {
      const results: RecognizerResult[] = [];
      const transcript = new Transcript();
      const engine = driver.open((result) => {
        results.push(result);
        transcript.apply(result);
      });
      let atMs = 0;
      const wait = (forMs: number): void => {
        for (const untilMs = atMs + forMs; atMs < untilMs;) {
          atMs += 20;
          engine.tick(atMs);
        }
      };
      const hear = (sentence: string): void => {
        for (const piece of driver.say(sentence)) {
          engine.push(piece, atMs);
          wait(driver.pieceMs);
        }
      };
      return { engine, results, transcript, hear, wait };
    }
    const [first, second] = driver.sentences;

    it('gives partial text while it hears and final text after the end', () => {
      const { engine, results, transcript, hear, wait } = start();
      hear(first);
      expect(results.some((result) => !result.final && result.text !== '')).toBe(true);
      engine.finish(results.at(-1)!.atMs);
      wait(driver.finalMs);
      expect(transcript.final).toBe(true);
      expect(transcript.text).toBe(first);
    });

    it('numbers segments upwards, never goes back in time, and repeats nothing', () => {
      const { engine, results, hear, wait } = start();
      hear(first);
      wait(driver.finalMs * 3);
      hear(second);
      engine.finish(results.at(-1)!.atMs);
      wait(driver.finalMs);
      for (const [index, result] of results.entries()) {
        const before = results[index - 1];
        if (before === undefined) continue;
        expect(result.segment).toBeGreaterThanOrEqual(before.segment);
        expect(result.atMs).toBeGreaterThanOrEqual(before.atMs);
        expect([result.segment, result.text, result.final]).not.toEqual([before.segment, before.text, before.final]);
      }
    });

    it('begins a new segment after a commit and leaves the old text out', () => {
      const { engine, results, transcript, hear, wait } = start();
      hear(first);
      engine.finish(results.at(-1)!.atMs);
      wait(driver.finalMs);
      const last = results.at(-1)!.segment;
      engine.commit();
      transcript.clear();
      const { length } = results;
      hear(second);
      engine.finish(results.at(-1)!.atMs);
      wait(driver.finalMs);
      expect(transcript.text).toBe(second);
      expect(results.slice(length).every((result) => result.segment > last)).toBe(true);
    });

    it('says nothing when it hears nothing and nothing once it is closed', () => {
      const { engine, results, hear, wait } = start();
      engine.finish(0);
      wait(5000);
      expect(results).toEqual([]);
      engine.close();
      engine.close();
      hear(first);
      wait(5000);
      expect(results).toEqual([]);
    });
  });
}
