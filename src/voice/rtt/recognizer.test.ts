import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { recognizerConformance } from '../../../test/conformance/recognizer.ts';
import { type RecognizerResult, Transcript } from '../recognizer.ts';
import { TextRecognizer } from './recognizer.ts';

const PAUSES = { textPauseMs: 900, textPauseAfterSpeechMs: 500 };

recognizerConformance<string>('real-time text', {
  open: (onResult) => new TextRecognizer(PAUSES, onResult),
  say: (sentence) => Array.from(sentence),
  sentences: ['我明天下午还款', 'call me at ten'],
  pieceMs: 100,
  finalMs: 900,
});

function typed(): { engine: TextRecognizer; transcript: Transcript; results: RecognizerResult[] } {
  const transcript = new Transcript();
  const results: RecognizerResult[] = [];
  const engine = new TextRecognizer(PAUSES, (result) => {
    results.push(result);
    transcript.apply(result);
  });
  return { engine, transcript, results };
}

describe('real-time text', () => {
  it('is final at a sentence end and at every kind of line end', () => {
    for (const end of ['。', '！', '？', '?', '\r\n', '\n', '\u2028']) {
      const { engine, transcript } = typed();
      engine.push('可以', 0);
      expect(transcript.final).toBe(false);
      engine.push(end, 20);
      expect(transcript.final).toBe(true);
      expect(transcript.text).toBe(`可以${/\s/.test(end) ? '' : end}`);
    }
  });

  it('is final after a pause, a shorter one once the voice has stopped', () => {
    const { engine, transcript } = typed();
    engine.push('可以', 100);
    engine.tick(980);
    expect(transcript.final).toBe(false);
    engine.tick(1000);
    expect(transcript.final).toBe(true);
    engine.commit();
    transcript.clear();
    engine.push('可以', 2000);
    engine.finish(2300);
    expect(transcript.final).toBe(false);
    engine.tick(2500);
    expect(transcript.final).toBe(true);
  });

  it('erases into a sentence that was final, but not beyond what was committed', () => {
    const { engine, transcript } = typed();
    engine.push('不要。', 0);
    expect(transcript.final).toBe(true);
    engine.push('\b', 0);
    expect(transcript.text).toBe('不要');
    expect(transcript.final).toBe(false);
    engine.push('\b好的', 0);
    expect(transcript.text).toBe('不好的');
    expect(transcript.final).toBe(false);
    engine.commit();
    transcript.clear();
    engine.push('\b\b\b是', 100);
    expect(transcript.text).toBe('是');
  });

  it('ignores keep-alives, bells, loss markers and control functions', () => {
    const { engine, transcript, results } = typed();
    engine.push('\uFEFF', 0);
    expect(results).toEqual([]);
    engine.push('好\uFFFD\u0007\u001B[1m的\u001B[0m', 0);
    expect(transcript.text).toBe('好的');
  });

  it('keeps characters outside the basic plane whole', () => {
    const { engine, transcript } = typed();
    engine.push('𠮷好👍\b', 0);
    expect(transcript.text).toBe('𠮷好');
  });

  it('bounds what one turn may hold', () => {
    const { engine, transcript } = typed();
    engine.push('长'.repeat(5000), 0);
    expect(transcript.text).toHaveLength(2000);
    expect(engine.dropped).toBe(3000);
  });

  it('ends with what a person would see, however it was cut into pieces', () => {
    const typedAs = (pieces: readonly (readonly string[])[]): string => {
      const { engine, transcript } = typed();
      for (const [index, piece] of pieces.entries()) engine.push(piece.join(''), index * 50);
      return transcript.text;
    };
    const key = fc.constantFrom('我', '要', '还', '。', '\b', '\n', '?');
    fc.assert(
      fc.property(fc.array(fc.array(key, { maxLength: 5 }), { maxLength: 12 }), (pieces) => {
        const screen: string[] = [];
        for (const each of pieces.flat())
          if (each === '\b') screen.pop();
          else if (each !== '\n') screen.push(each);
        expect(typedAs(pieces)).toBe(screen.join(''));
        expect(typedAs([pieces.flat()])).toBe(screen.join(''));
      }),
    );
  });
});
