import { describe, expect, it } from 'vitest';
import { ScriptedVoice } from '../../test/support/scripted-voice.ts';
import type { RecognizerResult } from './recognizer.ts';

/** A recogniser of speech whose results come when the script says, as those of a remote engine do. */
class ScriptedRecognizer {
  readonly calls: string[] = [];
  #onResult: (result: RecognizerResult) => void = () => undefined;

  readonly open = (onResult: (result: RecognizerResult) => void) => {
    this.#onResult = onResult;
    return {
      push: () => undefined,
      tick: () => undefined,
      finish: () => void this.calls.push('finish'),
      commit: () => void this.calls.push('commit'),
      close: () => void this.calls.push('close'),
    };
  };

  result(call: ScriptedVoice, segment: number, text: string, final: boolean): void {
    this.#onResult({ segment, text, final, atMs: call.clock.monotonicMs() });
  }
}

function start(): { call: ScriptedVoice; engine: ScriptedRecognizer } {
  const engine = new ScriptedRecognizer();
  return { call: new ScriptedVoice({ openRecognizer: engine.open }), engine };
}

describe('a recogniser that answers late', () => {
  it('is asked for its final text when the voice stops, and waited for beyond the end-of-turn wait', () => {
    const { call, engine } = start();
    call.voice(500);
    engine.result(call, 0, '我要', false);
    call.voice(500).run(220);
    expect(engine.calls).toEqual(['finish']);
    call.run(480);
    expect(call.of('turn')).toEqual([]);
    engine.result(call, 0, '我要分期', true);
    call.run(400);
    expect(call.of('turn')).toMatchObject([{ text: '我要分期', startMs: 0 }]);
    expect(engine.calls).toEqual(['finish', 'commit']);
  });

  it('commits with the final text when that comes just before the wait is over', () => {
    const { call, engine } = start();
    call.voice(600).run(240);
    engine.result(call, 0, '好的', true);
    call.run(20 * 30);
    const [turn] = call.of('turn');
    expect(turn!.atMs - 840).toBeLessThanOrEqual(320);
  });

  it('cannot add to a turn that is over: its late correction is not a second turn', () => {
    const { call, engine } = start();
    call.voice(400);
    engine.result(call, 0, '好的', false);
    call.type('好的。').voice(200).run(800);
    expect(call.of('turn')).toMatchObject([{ text: '好的。' }]);
    engine.result(call, 0, '好的', true);
    call.run(3000);
    expect(call.of('turn')).toHaveLength(1);
    call.voice(600);
    engine.result(call, 1, '还有吗', true);
    call.run(800);
    expect(call.of('turn')[1]).toMatchObject({ text: '还有吗' });
  });

  it('takes the pause back when speech goes on before the turn is committed', () => {
    const { call, engine } = start();
    call.voice(600);
    engine.result(call, 0, '我明天', true);
    call.run(280).voice(600);
    engine.result(call, 1, '就还', true);
    call.run(1000);
    expect(call.of('turn')).toMatchObject([{ text: '我明天就还', startMs: 0 }]);
  });

  it('decides a paused utterance when its words come', () => {
    const { call, engine } = start();
    call.say(1, '一二三四五六七八', 5000).run(1000).voice(420).run(300);
    expect(call.actions).toEqual(['duck', 'pause']);
    engine.result(call, 0, '我没空', true);
    call.run(1000);
    expect(call.actions).toEqual(['duck', 'pause', 'interrupt']);
    expect(call.of('turn')).toMatchObject([{ text: '我没空' }]);
  });

  it('finds nobody there when its text comes after the session was closed', () => {
    const { call, engine } = start();
    call.voice(600);
    call.session.close();
    engine.result(call, 0, '你好', true);
    expect(engine.calls.at(-1)).toBe('close');
    expect(call.of('partial')).toEqual([]);
  });

  it('survives a dialog that speaks, stops and closes within its own handlers', () => {
    const { call, engine } = start();
    call.onTurn = (text) => {
      call.say(1, '好', 400);
      call.session.stop();
      call.say(2, '再见', 400);
      if (text === '挂了') call.session.close();
    };
    call.voice(600);
    engine.result(call, 0, '你好', true);
    call.run(2000);
    expect(call.of('utterance-end')).toMatchObject([
      { id: 1, interrupted: true, playedText: '' },
      { id: 2, interrupted: false, playedText: '再见' },
    ]);
    call.voice(600);
    engine.result(call, 1, '挂了', true);
    call.run(2000);
    expect(call.of('utterance-end').slice(2)).toMatchObject([{ interrupted: true }, { interrupted: true }]);
    expect(call.activityClosed).toBe(true);
  });
});
