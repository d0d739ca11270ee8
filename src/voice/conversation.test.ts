import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '#platform/clock.ts';
import { silentLog } from '#platform/log.ts';
import { SEMANTIC } from '../../test/support/scripted-voice.ts';
import { decodeG711, encodeG711, FRAME_SAMPLES } from './g711.ts';
import { type CalleeTurn, DEFAULT_VOICE_SETTINGS, type UtteranceEnd, VoiceSession } from './session.ts';
import { EspeakSynthesizer } from './tts/espeak.ts';
import { loadWebRtcVad } from './vad/webrtc.ts';

/** Real voices on both sides, the real detector, a line with a little noise, and a clock that only the frames move. */
class Conversation {
  readonly clock = new ManualClock();
  readonly turns: (CalleeTurn & { atMs: number })[] = [];
  readonly ends: UtteranceEnd[] = [];
  readonly actions: string[] = [];
  readonly sent: number[] = [];
  readonly session: VoiceSession;
  readonly #tx = new Uint8Array(FRAME_SAMPLES);
  #seed = 7;

  constructor(activity: ReturnType<Awaited<ReturnType<typeof loadWebRtcVad>>>) {
    this.session = new VoiceSession({
      clock: this.clock,
      codec: 'PCMA',
      settings: DEFAULT_VOICE_SETTINGS,
      activity,
      handlers: {
        onTurn: (turn) => this.turns.push({ ...turn, atMs: this.clock.monotonicMs() }),
        onSpeechStart: () => undefined,
        onBargeIn: (action) => this.actions.push(action),
        onUtteranceStart: () => undefined,
        onUtteranceEnd: (end) => this.ends.push(end),
      },
    });
  }

  /** The line for a while: what the callee says, then silence, over noise at about −60 dBFS. */
  run(forMs: number, speech: Int16Array = new Int16Array(0), typed: readonly string[] = []): this {
    const frames = Math.ceil(forMs / 20);
    for (let frame = 0; frame < frames; frame += 1) {
      this.clock.advance(20);
      const pcm = Int16Array.from({ length: FRAME_SAMPLES }, (_, index) => {
        this.#seed = (Math.imul(this.#seed, 1_103_515_245) + 12_345) & 0x7fffffff;
        return (speech[frame * FRAME_SAMPLES + index] ?? 0) + (this.#seed % 60) - 30;
      });
      const piece = typed[frame];
      if (piece !== undefined && piece !== '') this.session.onText(piece);
      this.session.onFrame(pcm, this.#tx, this.clock.monotonicMs());
      this.sent.push(...this.#tx);
    }
    return this;
  }
}

/** Characters as a person types them: one each `everyMs`. */
function typing(text: string, everyMs: number, fromMs = 0): string[] {
  const frames: string[] = Array.from({ length: fromMs / 20 }, () => '');
  for (const character of text) frames.push(character, ...Array.from({ length: everyMs / 20 - 1 }, () => ''));
  return frames;
}

describe('a conversation with real voices', () => {
  let open: Awaited<ReturnType<typeof loadWebRtcVad>>;
  const engine = new EspeakSynthesizer({ log: silentLog });
  beforeAll(async () => {
    open = await loadWebRtcVad();
  });
  afterAll(() => engine.close());

  const callee = async (text: string): Promise<Int16Array> => {
    const pcm = await engine.synthesize(text, { voice: 'zh-male', language: 'zh' });
    return decodeG711('PCMA', encodeG711('PCMA', pcm));
  };
  const ours = async (text: string): Promise<{ text: string; audio: Uint8Array }> => ({
    text,
    audio: encodeG711('PCMA', await engine.synthesize(text, { voice: 'zh-female', language: 'zh' })),
  });

  it('takes turns: greeting, answer in voice and text, reply', async () => {
    const line = new Conversation(open());
    const greeting = await ours('您好，我是银行的智能客服，请问您是张女士吗？');
    line.session.speak({ id: 1, parts: [greeting], barge: SEMANTIC });
    line.run(greeting.audio.length / 8 + 500);
    expect(line.ends).toMatchObject([{ id: 1, interrupted: false, playedText: greeting.text }]);
    expect(line.sent.slice(0, greeting.audio.length)).toEqual([...greeting.audio]);

    const answer = await callee('是的，我就是，请问有什么事');
    const fromMs = line.clock.monotonicMs();
    line.run(answer.length / 8 + 1500, answer, typing('是的，我就是，请问有什么事', 140));
    expect(line.turns).toHaveLength(1);
    const turn = line.turns[0]!;
    expect(turn.text).toBe('是的，我就是，请问有什么事');
    expect(Math.abs(turn.startMs - fromMs)).toBeLessThan(120);
    expect(Math.abs(turn.endMs - (fromMs + answer.length / 8))).toBeLessThan(200);
    line.session.close();
  });

  it('understands a callee who only types while the line hums', async () => {
    const line = new Conversation(open());
    line.run(3000, undefined, typing('我已经还过了。', 200, 500));
    expect(line.turns).toMatchObject([{ text: '我已经还过了。' }]);
    line.session.close();
  });

  it('stops for an objection and goes on after an acknowledgement', async () => {
    const pitch = await ours(
      '我们现在有一个分期优惠活动，手续费全部打五折，您可以把账单分成十二期来还，每期只要一百元左右',
    );
    const objection = new Conversation(open());
    objection.session.speak({ id: 1, parts: [pitch], barge: SEMANTIC });
    objection.run(2000);
    const no = await callee('不用了我不需要分期谢谢');
    objection.run(no.length / 8 + 1500, no, typing('不用了，我不需要分期，谢谢。', 100));
    expect(objection.actions.at(-1)).toBe('interrupt');
    expect(objection.ends).toMatchObject([{ id: 1, interrupted: true }]);
    const { playedText } = objection.ends[0]!;
    expect(pitch.text.startsWith(playedText)).toBe(true);
    expect(playedText.length / pitch.text.length).toBeCloseTo(2300 / (pitch.audio.length / 8), 1);
    expect(objection.turns).toMatchObject([{ text: '不用了，我不需要分期，谢谢。' }]);
    objection.session.close();

    const agreeing = new Conversation(open());
    agreeing.session.speak({ id: 1, parts: [pitch], barge: SEMANTIC });
    agreeing.run(2000);
    const yes = await callee('嗯嗯');
    agreeing.run(pitch.audio.length / 8 + 2000, yes, typing('嗯嗯。', 60, 100));
    expect(agreeing.ends).toMatchObject([{ id: 1, interrupted: false, playedText: pitch.text }]);
    expect(agreeing.turns).toEqual([]);
    agreeing.session.close();
  });
});
