import { describe, expect, it } from 'vitest';
import { loudByte, ScriptedVoice, SEMANTIC } from '../../test/support/scripted-voice.ts';

describe('turns of a callee who speaks and types', () => {
  it('gives one turn, 300 ms after the voice ends, to a callee who does both at once', () => {
    const call = new ScriptedVoice();
    call.run(200).voice(300).type('可以的').voice(300).type('，明天还。').voice(100).run(1500);
    const turns = call.of('turn');
    expect(turns).toHaveLength(1);
    expect(turns[0]).toMatchObject({ text: '可以的，明天还。', startMs: 200, endMs: 900, endOfTurnMs: 300, epoch: 1 });
    expect(call.of('speech-start')).toHaveLength(1);
  });

  it('understands a callee who only types, at a sentence end as at a pause', () => {
    const call = new ScriptedVoice();
    call.run(100).type('你').run(100).type('好').run(100).type('。').run(400);
    expect(call.of('turn')).toMatchObject([{ text: '你好。', startMs: 100, endMs: 300 }]);
    call.type('我不').run(300).type('需要').run(1000);
    expect(call.of('turn')[1]).toMatchObject({ text: '我不需要', epoch: 3 });
    expect(call.of('turn')[1]!.endOfTurnMs).toBe(900);
  });

  it('waits for the text of spoken words that comes late', () => {
    const call = new ScriptedVoice();
    call.voice(600).run(700).type('我没钱。').run(600);
    expect(call.of('turn')).toMatchObject([{ text: '我没钱。', startMs: 0 }]);
  });

  it('hands on a wordless turn when a voice was heard and no text comes', () => {
    const call = new ScriptedVoice();
    call.voice(800).run(2000);
    expect(call.of('turn')).toMatchObject([{ text: '', startMs: 0, endMs: 800, endOfTurnMs: 1500 }]);
  });

  it('ignores a cough', () => {
    const call = new ScriptedVoice();
    call.voice(160).run(3000);
    expect(call.of('turn')).toHaveLength(0);
    expect(call.session.phase).toBe('idle');
  });

  it('holds an unfinished sentence up to 2.5 s and takes in what follows', () => {
    const call = new ScriptedVoice();
    call.voice(600).type('我想那个\n').run(2000);
    expect(call.of('turn')).toHaveLength(0);
    call.voice(600).type('分期还款。').run(600);
    expect(call.of('turn')).toMatchObject([{ text: '我想那个分期还款。', startMs: 0 }]);
    call.voice(600).type('因为\n').run(2800);
    expect(call.of('turn')[1]!.endOfTurnMs).toBe(2500);
  });

  it('stops waiting 5 s after the last sign when an engine never finishes', () => {
    let push: ((text: string, atMs: number) => void) | undefined;
    const call = new ScriptedVoice({
      openRecognizer: (onResult) => {
        push = (text, atMs) => onResult({ segment: 0, text, final: false, atMs });
        const nothing = (): void => undefined;
        return { push: nothing, tick: nothing, finish: nothing, commit: nothing, close: nothing };
      },
    });
    call.voice(500);
    push!('你好', 500);
    call.run(4900);
    expect(call.of('turn')).toHaveLength(0);
    call.run(200);
    expect(call.of('turn')).toMatchObject([{ text: '你好', endOfTurnMs: 5000 }]);
  });

  it('honours erasing and forgets a turn that was erased', () => {
    const call = new ScriptedVoice();
    call.type('不好\b\b可以。').run(600);
    expect(call.of('turn')).toMatchObject([{ text: '可以。' }]);
    call.type('错\b').run(3000);
    expect(call.of('turn')).toHaveLength(1);
  });

  it('makes what was begun for an earlier turn stale when the callee goes on', () => {
    const call = new ScriptedVoice();
    call.type('好的。').run(400);
    call.type('还有一件事。').run(400);
    const [first, second] = call.of('turn');
    expect(second!.epoch).toBeGreaterThan(first!.epoch + 1);
  });
});

describe('barge-in', () => {
  it('ducks, pauses and resumes at the very sample when the callee only acknowledges', () => {
    const call = new ScriptedVoice();
    call
      .say(1, '您的账单还有一千二百元未还', 4000)
      .run(1000)
      .voice(400)
      .type('嗯。')
      .run(3000 + 1500);
    expect(call.actions).toEqual(['duck', 'pause', 'resume']);
    expect(call.of('turn')).toHaveLength(0);
    expect(call.of('utterance-end')).toMatchObject([
      { id: 1, interrupted: false, playedText: '您的账单还有一千二百元未还' },
    ]);
    const audio = Array.from({ length: 32000 }, (_, index) => loudByte(index));
    const [, pause, resume] = call.of('barge-in');
    const pausedAt = (pause!.atMs - 20) * 8;
    const resumedAt = (resume!.atMs - 20) * 8;
    // Only the 16 ms fade differs: every sample from the paused one on follows, and nothing is said twice.
    expect(call.sent.slice(resumedAt + 128, resumedAt + 32000 - pausedAt)).toEqual(audio.slice(pausedAt + 128));
    expect(call.of('utterance-end')[0]!.endMs).toBe(4020 + resume!.atMs - pause!.atMs);
  });

  it('interrupts on words and cuts the history to what was played', () => {
    const call = new ScriptedVoice();
    call.say(1, '一二三四五六七八九十', 4000).say(2, '后面的', 1000).run(2000);
    call.voice(300).type('我不').voice(100).type('需要。').voice(300).run(1500);
    expect(call.actions.at(-1)).toBe('interrupt');
    const [first, second] = call.of('utterance-end');
    expect(first).toMatchObject({ id: 1, interrupted: true, playedText: '一二三四五' });
    expect(second).toMatchObject({ id: 2, interrupted: true, playedText: '' });
    expect(call.of('utterance-start')).toHaveLength(1);
    expect(call.of('turn')).toMatchObject([{ text: '我不需要。' }]);
    const endIndex = call.records.findIndex((record) => record.type === 'utterance-end');
    expect(call.records.findIndex((record) => record.type === 'turn')).toBeGreaterThan(endIndex);
  });

  it('is silent within 40 ms of the decision', () => {
    const call = new ScriptedVoice();
    call.say(1, '一二三四五六七八九十', 4000).run(1000).type('等一下').run(500);
    expect(call.actions).toEqual(['interrupt']);
    expect(call.sent.slice(8320).every((byte) => byte === 0xd5)).toBe(true);
    expect(call.sent.slice(7840, 8000).every((byte) => byte !== 0xd5)).toBe(true);
  });

  it('interrupts on 700 ms of voice without words', () => {
    const call = new ScriptedVoice();
    call.say(1, '一二三四五六七八九十', 4000).run(1000).voice(900).run(100);
    expect(call.actions).toEqual(['duck', 'pause', 'interrupt']);
    const [, pause, interrupt] = call.of('barge-in');
    expect(pause!.atMs).toBe(1000 + 260);
    expect(interrupt!.atMs).toBe(1000 + 700);
  });

  it('resumes after 800 ms of silence when no word came', () => {
    const call = new ScriptedVoice();
    call.say(1, '一二三四五六七八九十', 4000).run(1000).voice(400).run(2000);
    expect(call.actions).toEqual(['duck', 'pause', 'resume']);
    expect(call.of('barge-in')[2]!.atMs).toBe(1400 + 800);
  });

  it('plays on under a short noise', () => {
    const call = new ScriptedVoice();
    call.say(1, '一二三四', 2000).run(400).voice(140).run(2500);
    expect(call.actions).toEqual(['duck', 'resume']);
    expect(call.of('utterance-end')).toMatchObject([{ endMs: 2020, interrupted: false }]);
    expect(call.of('turn')).toHaveLength(0);
  });

  it('never stops what must be heard, and hands on afterwards what was said meanwhile', () => {
    const call = new ScriptedVoice();
    const never = { ...SEMANTIC, mode: 'never' } as const;
    call.say(1, '本次通话由人工智能拨打', 3000, never).run(500).voice(900).type('别再打了。').run(3000);
    expect(call.actions).toEqual([]);
    expect(call.of('utterance-end')).toMatchObject([{ interrupted: false }]);
    expect(call.of('turn')).toMatchObject([{ text: '别再打了。' }]);
  });

  it('stops for any voice when the script says always', () => {
    const call = new ScriptedVoice();
    call
      .say(1, '一二三四', 3000, { ...SEMANTIC, mode: 'always' })
      .run(500)
      .voice(300)
      .run(100);
    expect(call.actions).toEqual(['duck', 'interrupt']);
  });

  it('stops only for the keywords when the script says so', () => {
    const call = new ScriptedVoice();
    const keywords = { ...SEMANTIC, mode: 'keywords', keywords: ['人工'] } as const;
    call.say(1, '一二三四', 6000, keywords).run(500).voice(1000).type('我想问一下').run(1500);
    expect(call.actions).toEqual(['duck', 'resume']);
    call.type('转人工').run(100);
    expect(call.actions.at(-1)).toBe('interrupt');
  });

  it('lets the first words pass undisturbed during the grace time', () => {
    const call = new ScriptedVoice();
    call
      .say(1, '一二三四', 3000, { ...SEMANTIC, graceMs: 800 })
      .run(100)
      .voice(300)
      .run(1000);
    expect(call.actions).toEqual([]);
    call.voice(400);
    expect(call.actions).toEqual(['duck', 'pause']);
  });

  it('takes words the script ignores for acknowledgements', () => {
    const call = new ScriptedVoice();
    call
      .say(1, '一二三四', 5000, { ...SEMANTIC, ignoreWords: ['知道了'] })
      .run(500)
      .type('知道了')
      .run(1500);
    expect(call.actions).toEqual([]);
    expect(call.session.speaking).toBe(true);
  });

  it('takes an acknowledgement at the end of a question for its answer', () => {
    const call = new ScriptedVoice();
    call.say(1, '您方便吗', 2000).run(1600).type('好的。').run(1500);
    expect(call.of('turn')).toMatchObject([{ text: '好的。' }]);
    expect(call.of('utterance-end')).toMatchObject([{ interrupted: false }]);
  });

  it('starts the next utterance at full level when the last one ended ducked', () => {
    const call = new ScriptedVoice();
    call.say(1, '一二', 1000).run(860).voice(140).run(1500);
    expect(call.actions).toEqual(['duck', 'resume']);
    const from = call.sent.length;
    call.say(2, '三四', 1000).run(400);
    expect(call.sent.slice(from + 160, from + 320)).toEqual(Array.from({ length: 160 }, (_, at) => loudByte(at + 160)));
  });

  it('gives way when it starts to speak while the callee is speaking', () => {
    const call = new ScriptedVoice();
    call.voice(1000).say(1, '一二三四', 3000).voice(200).run(2000);
    expect(call.actions).toContain('interrupt');
    expect(call.of('turn')).toHaveLength(1);
  });
});

describe('the session', () => {
  it('answers within the turn: speech starts with the next frame', () => {
    const call = new ScriptedVoice();
    call.onTurn = () => call.say(7, '好的', 500);
    call.voice(600).type('可以。').run(2000);
    const turn = call.of('turn')[0]!;
    expect(call.of('utterance-start')[0]!.atMs - turn.atMs).toBeLessThanOrEqual(20);
    expect(call.of('utterance-end')).toMatchObject([{ id: 7, playedText: '好的', interrupted: false }]);
  });

  it('reports what plays as interrupted when closed, frees the detector and says nothing more', () => {
    const call = new ScriptedVoice();
    call.say(1, '一二三四', 2000).say(2, '五', 100).run(1000);
    call.session.close();
    call.session.close();
    expect(call.of('utterance-end')).toMatchObject([
      { id: 1, playedText: '一二', interrupted: true },
      { id: 2, playedText: '', interrupted: true },
    ]);
    expect(call.activityClosed).toBe(true);
    const { length } = call.records;
    call.type('你好。').voice(500).run(2000);
    expect(call.records).toHaveLength(length);
  });

  it('keeps what is said after a stop', () => {
    const call = new ScriptedVoice();
    call.say(1, '一二三四', 2000).run(1000);
    call.session.stop();
    call.say(2, '再见', 500).run(1000);
    expect(call.of('utterance-end')).toMatchObject([
      { id: 1, interrupted: true },
      { id: 2, playedText: '再见', interrupted: false },
    ]);
  });
});
