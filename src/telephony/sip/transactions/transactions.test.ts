import { describe, expect, it } from 'vitest';
import { nextInviteClient, startInviteClient } from './invite-client.ts';
import { INVITE_SERVER_START, nextInviteServer } from './invite-server.ts';
import type { InviteServerEvent } from './invite-server.ts';
import { nextNonInviteClient, startNonInviteClient } from './non-invite-client.ts';
import { NON_INVITE_SERVER_START, nextNonInviteServer } from './non-invite-server.ts';
import type { TransactionEffect, TransactionStep } from './timers.ts';

function words(effects: readonly TransactionEffect[]): string {
  return effects
    .map((effect) =>
      effect.type === 'start'
        ? `${effect.timer}=${effect.delayMs}`
        : effect.type === 'stop'
          ? `-${effect.timer}`
          : effect.type,
    )
    .join(' ');
}

/** Runs events through a machine; each line is `state: effects`. */
function run<State extends { readonly name: string }, Event>(
  start: TransactionStep<State>,
  next: (state: State, event: Event, reliable: boolean) => TransactionStep<State>,
  events: readonly Event[],
  reliable = false,
): readonly string[] {
  const lines: string[] = [];
  let { state } = start;
  lines.push(`${state.name}: ${words(start.effects)}`);
  for (const event of events) {
    const step = next(state, event, reliable);
    ({ state } = step);
    lines.push(`${state.name}: ${words(step.effects)}`.trim());
  }
  return lines;
}

const response = (status: number) => ({ type: 'response', status }) as const;
const respond = (status: number) => ({ type: 'respond', status }) as const;
const timer = (name: string) => ({ type: 'timer', timer: name }) as const;

describe('INVITE client transaction', () => {
  it('doubles A, stops at a provisional, accepts and lingers for M', () => {
    expect(
      run(startInviteClient(false), nextInviteClient, [
        timer('A'),
        timer('A'),
        response(180),
        timer('A'),
        response(200),
        response(200),
        response(486),
        timer('M'),
      ]),
    ).toEqual([
      'calling: B=32000 A=500 send',
      'calling: A=1000 send',
      'calling: A=2000 send',
      'proceeding: -A -B pass',
      'proceeding:',
      'accepted: -A -B M=32000 pass',
      'accepted: pass',
      'accepted:',
      'terminated: terminated',
    ]);
  });

  it('acknowledges a refusal and each repetition of it, and passes it once', () => {
    expect(
      run(startInviteClient(false), nextInviteClient, [
        response(486),
        response(486),
        response(180),
        timer('D'),
        response(486),
      ]).slice(1),
    ).toEqual([
      'completed: -A -B send-ack D=32000 pass',
      'completed: send-ack',
      'completed:',
      'terminated: terminated',
      'terminated:',
    ]);
  });

  it('times out by B only while calling, and knows no A and D over a reliable transport', () => {
    expect(run(startInviteClient(false), nextInviteClient, [timer('B')])[1]).toBe('terminated: timeout terminated');
    expect(run(startInviteClient(false), nextInviteClient, [response(100), timer('B')])[2]).toBe('proceeding:');
    expect(run(startInviteClient(true), nextInviteClient, [response(404)], true)).toEqual([
      'calling: B=32000 send',
      'terminated: -A -B send-ack pass terminated',
    ]);
  });
});

describe('non-INVITE client transaction', () => {
  it('doubles E up to T2, stays at T2 once there was a provisional, and lingers for K', () => {
    const e = timer('E');
    expect(
      run(startNonInviteClient(false), nextNonInviteClient, [
        e,
        e,
        e,
        e,
        response(100),
        e,
        response(200),
        response(200),
        timer('K'),
      ]),
    ).toEqual([
      'trying: F=32000 E=500 send',
      'trying: E=1000 send',
      'trying: E=2000 send',
      'trying: E=4000 send',
      'trying: E=4000 send',
      'proceeding: pass',
      'proceeding: E=4000 send',
      'completed: -E -F K=5000 pass',
      'completed:',
      'terminated: terminated',
    ]);
  });

  it('times out by F in either waiting state', () => {
    expect(run(startNonInviteClient(false), nextNonInviteClient, [response(100), timer('F')])[2]).toBe(
      'terminated: timeout terminated',
    );
  });
});

describe('INVITE server transaction', () => {
  const serve = (events: readonly InviteServerEvent[], reliable = false) =>
    run({ state: INVITE_SERVER_START, effects: [] }, nextInviteServer, events, reliable).slice(1);

  it('repeats a refusal by G up to T2 until its ACK, then absorbs ACKs for I', () => {
    const g = timer('G');
    expect(
      serve([
        respond(180),
        { type: 'invite' },
        respond(486),
        g,
        g,
        g,
        g,
        { type: 'invite' },
        { type: 'ack' },
        { type: 'ack' },
        timer('I'),
      ]),
    ).toEqual([
      'proceeding: send',
      'proceeding: send',
      'completed: H=32000 G=500 send',
      'completed: G=1000 send',
      'completed: G=2000 send',
      'completed: G=4000 send',
      'completed: G=4000 send',
      'completed: send',
      'confirmed: -G -H I=5000',
      'confirmed:',
      'terminated: terminated',
    ]);
  });

  it('gives a refusal up by H, and keeps an answer for L, passing its ACK', () => {
    expect(serve([respond(603), timer('H')])[1]).toBe('terminated: timeout terminated');
    expect(serve([respond(200), { type: 'invite' }, respond(200), respond(486), { type: 'ack' }, timer('L')])).toEqual([
      'accepted: L=32000 send',
      'accepted:',
      'accepted: send',
      'accepted:',
      'accepted: pass',
      'terminated: terminated',
    ]);
  });
});

describe('non-INVITE server transaction', () => {
  it('repeats its answer for J and never sends a 408 (RFC 4320)', () => {
    expect(
      run({ state: NON_INVITE_SERVER_START, effects: [] }, nextNonInviteServer, [
        { type: 'request' },
        respond(408),
        respond(200),
        { type: 'request' },
        respond(500),
        timer('J'),
      ]).slice(1),
    ).toEqual([
      'trying:',
      'trying:',
      'completed: J=32000 send',
      'completed: send',
      'completed:',
      'terminated: terminated',
    ]);
  });
});
