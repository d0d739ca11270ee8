import { describe, expect, it } from 'vitest';
import { next, startCallee, type CalleeEffect, type CalleeState } from './callee-machine.ts';
import { personaOf, type HumanTraits } from './persona.ts';

const calm: HumanTraits = {
  ...personaOf('13800000000', 1).human,
  greets: false,
  reactionMs: 400,
  patienceMs: 8_000,
  acknowledges: false,
  bargesInAtLine: undefined,
  silentAtLine: undefined,
  hangsUpEarly: false,
};

/** A call in which the test plays the platform; own speech takes 1 s unless told otherwise. */
class Talk {
  state: CalleeState;
  atMs = 0;
  readonly did: string[] = [];
  ownSpeechMs = 1_000;
  #speechEndsMs: number | undefined;

  constructor(lines: readonly string[], traits: Partial<HumanTraits> = {}) {
    this.state = startCallee(lines, { ...calm, ...traits });
    this.#apply(next(this.state, { type: 'answered', atMs: 0 }));
  }

  /** The platform says something for some time, then pauses long enough to be heard as finished. */
  platformSays(text: string, forMs = 3_000): void {
    this.begins(text);
    this.wait(forMs);
    this.stops();
  }

  begins(text: string): void {
    this.#apply(next(this.state, { type: 'other-started', atMs: this.atMs }));
    this.#apply(next(this.state, { type: 'other-text', text, atMs: this.atMs }));
  }

  stops(): void {
    this.#apply(next(this.state, { type: 'other-stopped', atMs: this.atMs }));
  }

  wait(ms: number): void {
    for (const untilMs = this.atMs + ms; this.atMs < untilMs;) {
      this.atMs += 100;
      if (this.#speechEndsMs !== undefined && this.atMs >= this.#speechEndsMs) {
        this.#speechEndsMs = undefined;
        this.#apply(next(this.state, { type: 'own-speech-ended', atMs: this.atMs }));
      }
      this.#apply(next(this.state, { type: 'tick', atMs: this.atMs }));
    }
  }

  #apply(step: { state: CalleeState; effects: readonly CalleeEffect[] }): void {
    this.state = step.state;
    for (const effect of step.effects) {
      if (effect.type === 'hang-up') this.did.push(`hang-up ${effect.reason}`);
      else {
        this.did.push(`${effect.kind} ${effect.text}`);
        this.#speechEndsMs = this.atMs + this.ownSpeechMs;
      }
    }
  }
}

describe('a callee', () => {
  it('answers line by line and hangs up when nothing is left and nobody else does', () => {
    const talk = new Talk(['是我。', '好的。']);
    talk.platformSays('请问是王先生吗？');
    talk.wait(1_600);
    talk.platformSays('您本期应还一千元。');
    talk.wait(1_600);
    talk.platformSays('再见。');
    talk.wait(4_000);
    expect(talk.did).toEqual(['line 是我。', 'line 好的。', 'hang-up finished']);
  });

  it('waits when the other side goes on after a pause', () => {
    const talk = new Talk(['是我。']);
    talk.platformSays('您好，');
    talk.wait(200);
    talk.begins('请问是王先生吗？');
    talk.wait(3_000);
    expect(talk.did).toEqual([]);
    talk.stops();
    talk.wait(500);
    expect(talk.did).toEqual(['line 是我。']);
  });

  it('says its line again when the other side heard nothing, not when it did not understand', () => {
    const talk = new Talk(['是我。', '好的。']);
    talk.platformSays('请问是王先生吗？');
    talk.wait(1_600);
    talk.platformSays('您好，请问您还在吗？');
    talk.wait(1_600);
    talk.platformSays('不好意思，没听清，请再说一遍。');
    talk.wait(1_600);
    expect(talk.did).toEqual(['line 是我。', 'repeat 是我。', 'line 好的。']);
  });

  it('stays silent once and speaks when asked again', () => {
    const talk = new Talk(['是我。'], { silentAtLine: 0 });
    talk.platformSays('请问是王先生吗？');
    talk.wait(5_000);
    expect(talk.did).toEqual([]);
    talk.platformSays('您好，请问您还在吗？');
    talk.wait(600);
    expect(talk.did).toEqual(['line 是我。']);
  });

  it('leaves an empty line unsaid and goes on after it', () => {
    const talk = new Talk(['是我。', '', '听到了。']);
    talk.platformSays('请问是王先生吗？');
    talk.wait(1_600);
    talk.platformSays('您本期应还一千元。');
    talk.wait(6_000);
    expect(talk.did).toEqual(['line 是我。']);
    talk.platformSays('您好，请问您还在吗？');
    talk.wait(600);
    expect(talk.did).toEqual(['line 是我。', 'line 听到了。']);
  });

  it('says 嗯 into a long utterance without taking its turn', () => {
    const talk = new Talk(['好的。'], { acknowledges: true });
    talk.ownSpeechMs = 400;
    talk.begins('您本期信用卡账单应还金额一千二百元，最后还款日是本月二十五号，请您按时还款。');
    talk.wait(5_000);
    expect(talk.did).toEqual(['acknowledgement 嗯。']);
    talk.stops();
    talk.wait(600);
    expect(talk.did).toEqual(['acknowledgement 嗯。', 'line 好的。']);
  });

  it('barges in, and repeats when it was ignored', () => {
    const talk = new Talk(['是我。', '知道了知道了。', '再见。'], { bargesInAtLine: 1 });
    talk.platformSays('请问是王先生吗？');
    talk.wait(1_600);
    talk.begins('您本期信用卡账单应还金额一千二百元。');
    talk.wait(4_000);
    talk.stops();
    expect(talk.did).toEqual(['line 是我。', 'line 知道了知道了。']);
    talk.wait(3_000);
    expect(talk.did.at(-1)).toBe('repeat 知道了知道了。');
  });

  it('goes on with its next line when its barge-in was heard', () => {
    const talk = new Talk(['是我。', '知道了。', '再见。'], { bargesInAtLine: 1 });
    talk.platformSays('请问是王先生吗？');
    talk.wait(1_600);
    talk.begins('您本期信用卡账单应还金额一千二百元。');
    talk.wait(2_000);
    talk.stops();
    talk.wait(1_500);
    talk.platformSays('好的，感谢您的接听。');
    talk.wait(600);
    expect(talk.did).toEqual(['line 是我。', 'line 知道了。', 'line 再见。']);
  });

  it('asks back and then leaves when nobody speaks', () => {
    const talk = new Talk(['是我。'], { greets: true });
    talk.wait(40_000);
    expect(talk.did).toEqual([
      'greeting 喂？',
      'asking-back 喂？你好？',
      'asking-back 喂？你好？',
      'hang-up nobody-spoke',
    ]);
  });

  it('hangs up in the goodbye when it is in a hurry, after all its lines', () => {
    const talk = new Talk(['是我。'], { hangsUpEarly: true });
    talk.platformSays('请问是王先生吗？');
    talk.wait(1_600);
    talk.begins('好的，感谢您的接听，祝您生活愉快。');
    talk.wait(1_000);
    expect(talk.did).toEqual(['line 是我。', 'hang-up early']);
  });

  it('never stays in a call for more than four minutes', () => {
    const talk = new Talk(['是我。']);
    talk.begins('喂'.repeat(500));
    talk.wait(250_000);
    expect(talk.did.at(-1)).toBe('hang-up too-long');
  });
});
