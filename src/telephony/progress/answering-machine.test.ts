import { describe, expect, it } from 'vitest';
import { babble, frames, join, silence, tone } from '../../../test/support/progress-audio.ts';
import { AnsweringMachineDetector } from './answering-machine.ts';

function listen(pcm: Int16Array, voiced: (atMs: number) => boolean): AnsweringMachineDetector {
  const detector = new AnsweringMachineDetector();
  for (const frame of frames(pcm)) detector.push(frame.pcm, voiced(frame.atMs), frame.atMs);
  return detector;
}

describe('who answered', () => {
  it('is a person when a short word is followed by silence', () => {
    expect(listen(join(babble(1, 500), silence(1200)), (at) => at < 500).verdict).toBe('human');
  });
  it('is a voicemail box when a beep follows its greeting', () => {
    const detector = listen(join(babble(2, 4000), silence(300), tone([1000], 500), silence(300)), (at) => at < 4000);
    expect([detector.verdict, detector.evidence]).toEqual(['voicemail', 'beep']);
  });
  it('is not a voicemail box when a tone comes before any word', () => {
    expect(listen(join(tone([1000], 500), silence(300)), () => false).verdict).toBe('unknown');
  });
  it('is a fax at 2100 Hz', () => {
    expect(listen(tone([2100], 1000), () => true).verdict).toBe('fax');
  });
  it.each([
    ['您好，您拨打的用户暂时无法接听，请在嘀声后留言。', 'voicemail'],
    ['Please leave a message after the tone.', 'voicemail'],
    ['您好，我是机主的智能助理，请问您有什么事？', 'call-assistant'],
    ['喂，你好', 'unknown'],
    ['我现在不方便，等一下我给你留言', 'unknown'],
  ])('hears %s', (text, verdict) => {
    const detector = new AnsweringMachineDetector();
    detector.hear(text, 1000);
    expect(detector.verdict).toBe(verdict);
  });
  it('is told by its rhythm only where no words come: an assistant speaks at length, too', () => {
    expect(listen(babble(3, 7500), () => true).verdict).toBe('voicemail');
    const detector = new AnsweringMachineDetector();
    for (const { pcm, atMs } of frames(babble(3, 7500))) {
      if (atMs === 1000) detector.expectWords();
      detector.push(pcm, true, atMs);
    }
    expect(detector.verdict).toBe('unknown');
    detector.hear('您好，我是机主的智能通话助理，机主现在不方便接电话，请问您有什么事？', 7500);
    expect(detector.verdict).toBe('call-assistant');
  });
  it('stays a machine once it is one', () => {
    const detector = listen(tone([2100], 1000), () => true);
    detector.hear('请在嘀声后留言', 2000);
    expect(detector.verdict).toBe('fax');
  });
});
