import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileScript } from './compile.ts';
import {
  dialogResult,
  next,
  resumeDialog,
  startDialog,
  type DialogEffect,
  type DialogEvent,
  type DialogState,
} from './interpreter.ts';
import { readSample } from './publish.ts';

const NOW = new Date('2026-01-05T02:00:00Z');
const card = compileScript(await readSample('credit-card-reminder'));
const offer = compileScript(await readSample('instalment-offer'));
const lesson = compileScript(await readSample('trial-lesson'));
const variables = { name: '王先生', amount: '3280.50', dueDate: '2026-01-15', org: '示例银行' };

/** A call driven by hand: keeps the state and the effects of the last step. */
class Talk {
  state: DialogState;
  effects: readonly DialogEffect[] = [];
  atMs = 0;

  constructor(script = card, agents = false) {
    this.state = startDialog(script, { variables, now: NOW, timeZone: 'Asia/Shanghai', agents });
    this.feed({ type: 'answered', atMs: 0 });
  }

  feed(event: DialogEvent): this {
    const step = next(this.state, event);
    this.state = step.state;
    this.effects = step.effects;
    return this;
  }

  spoken(interrupted = false): this {
    this.atMs += 3000;
    return this.feed({ type: 'spoken', interrupted, playedText: '', atMs: this.atMs });
  }

  hear(...texts: string[]): this {
    for (const text of texts) {
      if (this.state.data.phase === 'speaking') this.spoken();
      this.atMs += 2000;
      this.feed({ type: 'heard', text, atMs: this.atMs });
    }
    return this;
  }

  silence(): this {
    if (this.state.data.phase === 'speaking') this.spoken();
    this.atMs += 5000;
    return this.feed({ type: 'no-reply', atMs: this.atMs });
  }

  get said(): string {
    return this.effects
      .flatMap((effect) => (effect.type === 'say' ? effect.speech.map((part) => part.text) : []))
      .join('');
  }

  get types(): string[] {
    return this.effects.map((effect) => effect.type);
  }

  result() {
    return dialogResult(this.state, { talkMs: this.atMs, hangupBy: 'platform' });
  }
}

describe('a call', () => {
  test('begins with the disclosure, in the utterance that nobody can interrupt before it is over', () => {
    const say = new Talk().effects.find((effect) => effect.type === 'say');
    expect(say?.speech.map((part) => part.text)).toEqual([
      '您好，我是',
      '示例银行',
      '的智能语音助手，由人工智能为您服务，本次通话会录音。',
      '请问是',
      '王先生',
      '吗？',
    ]);
    expect(say?.barge.graceMs).toBeGreaterThan(5000);
  });

  test('listens after it has spoken, with the wait of the script', () => {
    expect(new Talk().spoken().effects).toEqual([{ type: 'listen', noReplyMs: 5000 }]);
  });

  test('values are read out by their kind and kept apart from the fixed text', () => {
    const talk = new Talk().hear('是我');
    expect(talk.said).toContain('本期账单3280.5元，最后还款日是1月15日');
    expect(talk.said).toContain('尾号您名下的');
  });

  test('a question is answered and the node asked again in its next version', () => {
    const talk = new Talk().hear('是我', '一共欠多少钱');
    expect(talk.said).toBe(
      '您本期账单一共是3280.5元，最低还款额是账单上所列的金额。那本期账单3280.5元，1月15日之前您方便还上吗？',
    );
    expect(talk.effects.some((effect) => effect.type === 'decision' && effect.reason.includes('how-much'))).toBe(true);
  });

  test('slots fill from the utterance that led to them, and are told to the caller', () => {
    const talk = new Talk().hear('是我', '我后天就还');
    expect(talk.effects).toContainEqual({ type: 'slot', name: 'promiseDate', value: '2026-01-07' });
    expect(talk.said).toContain('1月7日');
    expect(talk.types).toContain('hang-up');
    expect(talk.result()).toMatchObject({ grade: 'A', slots: { promiseDate: '2026-01-07' } });
  });

  test('an optional slot is asked for again once and then left', () => {
    const talk = new Talk().hear('是我', '可以的', '看我心情啦');
    expect(talk.said).toContain('您说个大概的日期');
    talk.hear('看我心情啦');
    expect(talk.state.data.path.at(-1)).toBe('promise-undated-end');
  });
});

describe('what is handled everywhere', () => {
  test('silence is asked about twice and then ends the call', () => {
    const talk = new Talk().silence();
    expect(talk.said).toContain('还在听吗');
    talk.silence();
    expect(talk.said).toContain('听得到');
    expect(talk.spoken().effects).toEqual([{ type: 'listen', noReplyMs: 4000 }]);
    expect(talk.silence().types).toContain('hang-up');
  });

  test('a reply ends a run of silences', () => {
    const talk = new Talk().silence().silence().hear('是我').silence();
    expect(talk.types).not.toContain('hang-up');
  });

  test('silence after an interruption says the interrupted words again', () => {
    const talk = new Talk();
    const first = talk.said;
    talk.spoken(true).silence();
    expect(talk.said).toBe(first);
  });

  test('what nobody understands is asked about, then a person has to follow up', () => {
    const talk = new Talk().hear('蓝色', '蓝色', '蓝色');
    expect(talk.state.data.node).toBe('unclear-end');
    expect(talk.result().grade).toBe('C');
  });

  test('repeat says the last words again', () => {
    const talk = new Talk().hear('是我');
    const before = talk.said;
    talk.hear('没听清，再说一遍');
    expect(talk.said).toBe(`好的，我再说一遍。${before}`);
    talk.hear('再说一遍');
    expect(talk.said).toBe(`好的，我再说一遍。${before}`);
  });

  test('a hello in the middle of the call means that nothing was heard', () => {
    const talk = new Talk().hear('是我');
    const before = talk.said;
    expect(talk.hear('喂？喂？').said).toBe(`好的，我再说一遍。${before}`);
  });

  test('busy asks for a time and makes it a call-back', () => {
    const talk = new Talk().hear('我在开会');
    expect(talk.said).toContain('什么时间方便');
    talk.hear('明天下午三点');
    expect(talk.effects).toContainEqual({ type: 'call-back', at: new Date('2026-01-06T07:00:00Z') });
    expect(talk.result()).toMatchObject({ grade: 'C', callBackAt: new Date('2026-01-06T07:00:00Z') });
  });

  test('refusing once is answered, refusing again is taken as a no', () => {
    const talk = new Talk().hear('是我', '不想听');
    expect(talk.state.data.node).toBe('persuade');
    expect(talk.hear('不想听').state.data.node).toBe('refuse-end');
    expect(talk.result().grade).toBe('E');
  });

  test('opt-out suppresses, confirms and hangs up, also when misheard and when goodbyes were under way', () => {
    for (const words of [
      '以后别再打了',
      '不要再打了',
      '以后不要再给我打电话',
      'please stop calling me',
      '不要债打了',
    ]) {
      const talk = new Talk().hear(words);
      expect(talk.types).toEqual(expect.arrayContaining(['suppress', 'say', 'hang-up']));
      expect(talk.result()).toMatchObject({ grade: 'E', optedOut: true, endReason: 'opt-out' });
    }
    const late = new Talk().hear('是我', '已经还了', '以后别再打了');
    expect(late.types).toEqual(expect.arrayContaining(['suppress', 'say']));
    expect(late.result()).toMatchObject({ grade: 'E', optedOut: true });
  });

  test('a wish for a person is transferred where there are agents, else becomes a call-back', () => {
    const alone = new Talk().hear('是我', '转人工');
    expect(alone.types).not.toContain('transfer');
    expect(alone.said).toContain('由人工客服给您回电');
    expect(alone.effects).toContainEqual({ type: 'tag', tag: '要求人工' });
    const staffed = new Talk(card, true).hear('是我', '转人工');
    expect(staffed.effects.at(-1)).toEqual({ type: 'transfer', to: 'agent' });
    expect(staffed.feed({ type: 'transfer-failed', atMs: 20_000 }).said).toContain('由人工客服给您回电');
  });

  const outside = { target: '{hotline}', kind: 'attended', ringSeconds: 20 } as const;
  const handing = compileScript({
    ...card.source,
    variables: [
      ...card.source.variables,
      { name: 'hotline', label: '热线', kind: 'text', required: false, fallback: '+864001234567' },
    ],
    settings: { ...card.source.settings, transfer: { ...outside, after: 'end-thanks' } },
    nodes: [
      ...card.source.nodes,
      {
        id: 'end-thanks',
        type: 'end',
        stage: 'end',
        speech: [{ text: '感谢。' }],
        branches: [],
        maxVisits: 1,
        scoreDelta: 0,
      },
    ],
  });

  test('a wish for a person goes to the number that the settings name, and what follows is the script’s word', () => {
    const talk = new Talk(handing).hear('是我', '转人工');
    const target = { target: '+864001234567', kind: 'attended', ringSeconds: 20 };
    expect(talk.effects.at(-1)).toEqual({ type: 'transfer', to: 'agent', outside: target });
    const answered = talk.feed({ type: 'transfer-answered', atMs: 20_000 }).state;
    expect(
      dialogResult(next(answered, { type: 'hung-up', by: 'callee', atMs: 21_000 }).state, {
        talkMs: 1,
        hangupBy: 'callee',
      }),
    ).toMatchObject({ endReason: 'transferred' });
    expect(talk.feed({ type: 'transfer-ended', atMs: 900_000 }).said).toContain('感谢');
    expect(talk.result()).toMatchObject({ endReason: 'end:end-thanks' });
    // The talk with somebody else does not count against the script's own limits.
    expect(talk.state.data.heldMs).toBeGreaterThan(880_000);
  });

  test('a failed transfer says why it goes on, an operator’s asks the last question again', () => {
    const talk = new Talk(handing)
      .hear('是我', '转人工')
      .feed({ type: 'transfer-failed', reason: 'busy', atMs: 20_000 });
    expect(talk.effects).toContainEqual(expect.objectContaining({ reason: 'transfer failed: busy' }));
    expect(talk.said).toContain('由人工客服给您回电');
    const operator = new Talk().hear('是我').feed({ type: 'transfer-started', atMs: 9000 });
    expect(operator.hear('嗯').types).toEqual([]);
    const question = operator.state.data.lastSpeech.map(({ text }) => text).join('');
    expect(operator.feed({ type: 'transfer-failed', reason: 'no-answer', atMs: 30_000 }).said).toBe(
      `不好意思，刚才没有接通，我们继续。${question}`,
    );
    expect(operator.feed({ type: 'transfer-ended', atMs: 30_000 }).effects).toEqual([]);
    // Taken back out of a talk.
    const back = operator
      .feed({ type: 'transfer-started', atMs: 40_000 })
      .feed({ type: 'transfer-answered', atMs: 45_000 })
      .feed({ type: 'transfer-failed', reason: 'cancelled', atMs: 60_000 });
    expect(back.said).toBe(`让您久等了，我们继续。${question}`);
    expect(back.state.data.endReason).toBe('');
  });

  test('an opt-out during a transfer is acted on at once and confirmed when the script has the floor again', () => {
    const confirmed = new Talk().hear('是我', '不要再给我打电话了').said;
    const say = (text: string, isKey = false): DialogEvent => ({ type: 'overheard', text, isKey, atMs: 20_000 });
    for (const end of [
      { type: 'transfer-ended', atMs: 90_000 },
      { type: 'transfer-failed', reason: 'busy', atMs: 90_000 },
    ] as const) {
      const talk = new Talk(handing).hear('是我', '转人工').feed(say('可以，明天还款'));
      expect(talk.effects).toEqual([]);
      talk.feed({ type: 'transfer-answered', atMs: 21_000 }).feed(say('不要再给我打电话了'));
      expect(talk.types).toContain('suppress');
      expect(talk.types).not.toContain('say');
      expect(talk.feed(say('不要再给我打电话了')).effects).toEqual([]);
      expect(talk.state.data.phase).toBe('transferring');
      talk.feed(end);
      expect(talk.said).toBe(confirmed);
      expect(talk.effects).toContainEqual({ type: 'hang-up', reason: 'opt-out' });
      expect(talk.result()).toMatchObject({ grade: 'E', optedOut: true, endReason: 'opt-out' });
    }
  });

  test('a key that the opt-out names ends contact whenever the script listens, and is no key elsewhere', () => {
    const globals = card.source.globals.map((handler) =>
      handler.kind === 'opt-out' ? { ...handler, match: { exact: ['9'] } } : handler,
    );
    const keyed = compileScript({ ...handing.source, globals });
    const press = (digit: string): DialogEvent => ({ type: 'dtmf', digit, atMs: 9000 });
    expect(new Talk(keyed).hear('是我').feed(press('9')).types).toContain('suppress');
    expect(new Talk(keyed).hear('是我').feed(press('8')).types).not.toContain('suppress');
    expect(new Talk(handing).hear('是我').feed(press('9')).types).not.toContain('suppress');
    const goodbye = new Talk(keyed).hear('是我').feed({ type: 'time-limit', atMs: 9000 });
    expect(goodbye.state.data.phase).toBe('closing');
    expect(goodbye.feed(press('9')).types).toContain('suppress');
    const held = new Talk(keyed).hear('是我', '转人工');
    expect(held.feed({ type: 'overheard', text: '8', isKey: true, atMs: 20_000 }).effects).toEqual([]);
    expect(held.feed({ type: 'overheard', text: '9', isKey: true, atMs: 20_000 }).types).toContain('suppress');
  });

  test('a list names extensions and numbers as targets, but no server that the script does not name', () => {
    const handed = (target: string, hotline: string) => {
      const variables = [
        ...card.source.variables,
        { name: 'hotline', label: '热线', kind: 'text', required: false, fallback: hotline } as const,
      ];
      const settings = { ...card.source.settings, transfer: { target, kind: 'blind' } as const };
      const talk = new Talk(compileScript({ ...handing.source, variables, settings })).hear('是我', '转人工');
      return talk.effects.find((effect) => effect.type === 'transfer')?.outside?.target;
    };
    expect(handed('sip:{hotline}@pbx.example', '8001')).toBe('sip:8001@pbx.example');
    expect(handed('{hotline}', '8001')).toBe('8001');
    expect(handed('{hotline}', 'sip:8001@elsewhere.example')).toBeUndefined();
    expect(handed('sip:8001@{hotline}', 'elsewhere.example')).toBeUndefined();
    expect(handed('sip:8001@pbx.example{hotline}', '.elsewhere.example')).toBeUndefined();
  });

  test('a target without a value is nobody: the call-back stays', () => {
    const script = compileScript({ ...handing.source, variables: card.source.variables });
    const talk = new Talk(script).hear('是我', '转人工');
    expect(talk.types).not.toContain('transfer');
    expect(talk.said).toContain('由人工客服给您回电');
  });

  test.each([
    ['voicemail', '语音信箱'],
    ['call-assistant', '来电助理'],
  ] as const)('%s ends the call as not reached', (kind, tag) => {
    const talk = new Talk().feed({ type: 'detected', kind, atMs: 900 });
    expect(talk.types).toContain('hang-up');
    expect(talk.result()).toMatchObject({ grade: 'F', tags: [tag], endReason: kind });
  });

  test('assent that is denied is a no', () => {
    expect(new Talk(lesson).hear('是我', '不太需要').state.data.node).toBe('retain');
    expect(new Talk(lesson).hear('是我', '我不是不感兴趣').state.data.node).not.toBe('retain');
  });

  test('contradiction is clarified', () => {
    expect(new Talk().hear('是我', '可以是可以，但是不太好').said).toContain('您的意思是可以，还是不可以呢');
  });

  test('rounds and time are limited', () => {
    const talk = new Talk();
    for (let round = 0; round < 30; round++) talk.hear('一共欠多少钱');
    expect(talk.state.data.endReason).toBe('max-rounds');
    const timed = new Talk().feed({ type: 'time-limit', atMs: 300_000 });
    expect(timed.types).toEqual(expect.arrayContaining(['say', 'hang-up']));
  });

  test('an acknowledgement while the platform speaks answers nothing unless the question just ended', () => {
    const talk = new Talk().feed({ type: 'heard', text: '嗯', atMs: 1000 });
    expect(talk.types).toEqual(['decision']);
    expect(talk.feed({ type: 'spoken', interrupted: false, playedText: '', atMs: 9000 }).types).toEqual(['listen']);
    const prompt = new Talk().feed({ type: 'heard', text: '是的', atMs: 8500 });
    prompt.feed({ type: 'spoken', interrupted: false, playedText: '', atMs: 9000 });
    expect(prompt.state.data.node).toBe('notify');
  });

  test('keys count where a choice names them', () => {
    const talk = new Talk(lesson).hear('是的').feed({ type: 'dtmf', digit: '7', atMs: 9000 });
    expect(talk.types).toEqual(['decision']);
    const periods = new Talk(offer)
      .hear('是我', '帮我办一个')
      .spoken()
      .feed({ type: 'dtmf', digit: '3', atMs: 20_000 });
    expect(periods.effects).toContainEqual({ type: 'slot', name: 'periods', value: '12期' });
    expect(periods.state.data.node).toBe('apply-end');
  });

  test('an interruption drops what was queued and the reply is taken at the same node', () => {
    const talk = new Talk().spoken(true).hear('是我');
    expect(talk.state.data.node).toBe('notify');
    expect(talk.spoken(true).effects).toEqual([{ type: 'listen', noReplyMs: 5000 }]);
    expect(talk.spoken().effects).toEqual([]);
  });

  test('a callee who hangs up is graded by what was said until then', () => {
    const talk = new Talk().hear('是我').feed({ type: 'hung-up', by: 'callee', atMs: 9000 });
    expect(dialogResult(talk.state, { talkMs: 9000, hangupBy: 'callee' })).toMatchObject({
      grade: 'D',
      endReason: 'hung-up-by-callee',
      nodes: ['greeting', 'notify'],
    });
    expect(talk.hear('喂').effects).toEqual([]);
  });
});

const eventArbitrary: fc.Arbitrary<DialogEvent> = fc.oneof(
  fc.constantFrom<DialogEvent>(
    { type: 'answered', atMs: 0 },
    { type: 'no-reply', atMs: 0 },
    { type: 'spoken', interrupted: false, playedText: '', atMs: 0 },
    { type: 'spoken', interrupted: true, playedText: '您', atMs: 0 },
    { type: 'dtmf', digit: '#', atMs: 0 },
    { type: 'dtmf', digit: '1', atMs: 0 },
    { type: 'detected', kind: 'voicemail', atMs: 0 },
    { type: 'beep', atMs: 0 },
    { type: 'no-beep', atMs: 0 },
    { type: 'transfer-failed', atMs: 0 },
    { type: 'transfer-failed', reason: 'busy', atMs: 0 },
    { type: 'transfer-started', atMs: 0 },
    { type: 'transfer-answered', atMs: 0 },
    { type: 'transfer-ended', atMs: 0 },
    { type: 'overheard', text: '不要再打了', isKey: false, atMs: 0 },
    { type: 'time-limit', atMs: 0 },
  ),
  fc
    .oneof(
      fc.constantFrom(...card.source.examples.flatMap((example) => example.turns.map((turn) => turn.callee))),
      fc.constantFrom('是我', '可以', '不用了', '在忙', '转人工', '多少钱', '没听清', '明天', '嗯', ''),
      fc.string({ unit: 'grapheme', maxLength: 12 }),
    )
    .map((text): DialogEvent => ({ type: 'heard', text, atMs: 0 })),
);

describe('for any order of events', () => {
  test('no step fails, the data is plain JSON, and a resumed dialog does the same', () => {
    fc.assert(
      fc.property(fc.array(eventArbitrary, { maxLength: 60 }), fc.boolean(), fc.boolean(), (events, agents, school) => {
        const script = school ? lesson : card;
        let state = startDialog(script, { variables, now: NOW, timeZone: 'Asia/Shanghai', agents });
        let atMs = 0;
        for (const event of [{ type: 'answered', atMs: 0 } as DialogEvent, ...events]) {
          atMs += 700;
          const step = next(state, { ...event, atMs });
          const stored = JSON.parse(JSON.stringify(state.data)) as typeof state.data;
          expect(stored).toEqual(state.data);
          expect(next(resumeDialog(script, stored), { ...event, atMs })).toEqual(step);
          const parts = step.effects.flatMap((effect) => (effect.type === 'say' ? effect.speech : []));
          expect(parts.filter((part) => part.text === '' || /[{}]/u.test(part.text))).toEqual([]);
          state = step.state;
        }
        const { grade } = dialogResult(state, { talkMs: atMs, hangupBy: 'callee' });
        expect('ABCDEF').toContain(grade);
      }),
      { numRuns: 300 },
    );
  });

  test('every call ends, whatever the callee keeps saying', () => {
    fc.assert(
      fc.property(fc.array(eventArbitrary, { minLength: 1, maxLength: 5 }), (loop) => {
        const talk = new Talk();
        for (let round = 0; round < 400 && talk.state.data.phase !== 'closing'; round++) {
          if (talk.state.data.phase === 'transferring') break;
          if (talk.state.data.phase === 'speaking') talk.spoken();
          const event = loop[round % loop.length]!;
          talk.atMs += 1000;
          if (event.type === 'heard' && event.text.trim() !== '') talk.feed({ ...event, atMs: talk.atMs });
          else talk.silence();
        }
        expect(talk.state.data.phase).toBe('closing');
      }),
      { numRuns: 150 },
    );
  });
});
