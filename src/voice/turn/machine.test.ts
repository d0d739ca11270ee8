import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BargePolicy } from '#domain/script.ts';
import { next, TURN_START, type TurnEffect, type TurnEvent, type TurnState } from './machine.ts';
import { DEFAULT_VOICE_SETTINGS } from './settings.ts';

const policies: BargePolicy[] = (['never', 'always', 'keywords', 'semantic'] as const).flatMap((mode) => [
  { mode, graceMs: 0, ignoreWords: [] },
  { mode, graceMs: 500, ignoreWords: ['知道了'], keywords: ['人工'] },
]);

/** Steps that respect what a session can send: stretches of voice alternate, our speech starts and ends. */
const script = fc.array(
  fc.record({
    waitMs: fc.constantFrom(0, 20, 100, 300, 900, 3000),
    act: fc.oneof(
      fc.constant({ kind: 'voice' as const }),
      fc.record({
        kind: fc.constant('text' as const),
        text: fc.constantFrom('', '嗯', '不', '好的', '我没钱', '等一下', '因为', '人工', 'ok'),
        final: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('speak' as const), policy: fc.constantFrom(...policies) }),
      fc.constant({ kind: 'spoken' as const }),
    ),
  }),
  { maxLength: 40 },
);

type Script = typeof script extends fc.Arbitrary<infer Steps> ? Steps : never;

/** Plays a script against the machine as a session would; gives every state and effect with its time. */
function play(steps: Script): {
  states: TurnState[];
  effects: { effect: TurnEffect; atMs: number; state: TurnState }[];
} {
  let state = TURN_START;
  let atMs = 0;
  let voiceFromMs: number | undefined;
  let agent = false;
  const states: TurnState[] = [state];
  const effects: { effect: TurnEffect; atMs: number; state: TurnState }[] = [];
  const send = (event: TurnEvent): void => {
    const step = next(state, event, DEFAULT_VOICE_SETTINGS);
    state = step.state;
    states.push(state);
    for (const effect of step.effects) effects.push({ effect, atMs: event.atMs, state });
    if (step.effects.some((effect) => effect.type === 'interrupt')) {
      agent = false;
      send({ type: 'playout-end', atMs: event.atMs + 20 });
    }
  };
  const voicedMs = (): number => (voiceFromMs === undefined ? 0 : atMs - voiceFromMs);
  const wait = (forMs: number): void => {
    const untilMs = atMs + forMs;
    for (; atMs < untilMs; atMs += 20) if (atMs >= state.wakeAtMs) send({ type: 'tick', atMs, voicedMs: voicedMs() });
  };
  for (const { waitMs, act } of steps) {
    wait(waitMs);
    if (act.kind === 'voice') {
      if (voiceFromMs === undefined) {
        voiceFromMs = atMs;
        wait(100);
        send({ type: 'speech-start', atMs, startMs: voiceFromMs });
      } else {
        const voiced = voicedMs();
        const endMs = atMs;
        voiceFromMs = undefined;
        wait(200);
        send({ type: 'speech-stop', atMs, endMs, voicedMs: voiced });
      }
    } else if (act.kind === 'text')
      send({ type: 'text', atMs, text: act.text, final: act.final, voicedMs: voicedMs() });
    else if (act.kind === 'speak') {
      agent = true;
      send({ type: 'playout-start', atMs, policy: act.policy, voicedMs: voicedMs() });
    } else if (agent) {
      agent = false;
      send({ type: 'playout-end', atMs });
    }
  }
  if (voiceFromMs !== undefined) {
    const voiced = voicedMs();
    voiceFromMs = undefined;
    send({ type: 'speech-stop', atMs: atMs + 200, endMs: atMs, voicedMs: voiced });
    atMs += 200;
  }
  if (agent) send({ type: 'playout-end', atMs });
  wait(12_000);
  return { states, effects };
}

describe('the turn machine, whatever happens', () => {
  it('comes to rest: nothing heard stays undecided once all is silent', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const { states } = play(steps);
        const last = states.at(-1)!;
        expect(last.heard).toBeUndefined();
        expect(['idle', 'thinking']).toContain(last.phase);
      }),
      { numRuns: 500 },
    );
  });

  it('knows that we speak exactly in the phases in which we do', () => {
    fc.assert(
      fc.property(script, (steps) => {
        for (const state of play(steps).states)
          expect(state.agent !== undefined).toBe(
            ['agent-speaking', 'ducked', 'paused', 'interrupted'].includes(state.phase),
          );
      }),
    );
  });

  it('hands on turns with rising epochs, never while we speak, never before the end-of-turn wait', () => {
    fc.assert(
      fc.property(script, (steps) => {
        let epoch = 0;
        for (const { effect, atMs, state } of play(steps).effects) {
          if (effect.type !== 'commit') continue;
          expect(effect.epoch).toBeGreaterThan(epoch);
          epoch = effect.epoch;
          expect(state.agent).toBeUndefined();
          expect(atMs - effect.endMs).toBeGreaterThanOrEqual(DEFAULT_VOICE_SETTINGS.endOfTurnMs);
          expect(effect.endMs).toBeGreaterThanOrEqual(effect.startMs);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('ducks before it pauses and undoes only what it did', () => {
    fc.assert(
      fc.property(script, (steps) => {
        const allowed = { duck: ['full'], pause: ['ducked'], resume: ['ducked', 'paused'] } as const;
        let level: 'full' | 'ducked' | 'paused' = 'full';
        for (const { effect } of play(steps).effects) {
          if (effect.type === 'interrupt') level = 'full';
          if (effect.type !== 'duck' && effect.type !== 'pause' && effect.type !== 'resume') continue;
          expect(allowed[effect.type]).toContain(level);
          level = ({ duck: 'ducked', pause: 'paused', resume: 'full' } as const)[effect.type];
        }
      }),
    );
  });
});
