import type { Clock } from '#platform/clock.ts';
import type { Headers } from '../messages/headers.ts';
import type { SessionRequest, SessionRequestHandlers } from './session.ts';

/** What became of a request inside a call; `status` undefined where none was sent or no response came. */
export interface InfoResult {
  readonly ok: boolean;
  readonly status: number | undefined;
  readonly detail: string;
}

/** How long a pressed key lasts, in the milliseconds that dtmf-relay states. */
const KEY_MS = 160;
const KEY = /^[0-9A-D*#]$/;

/** A peer that says nothing for this long is taken not to hear digits so: three repetitions are out by then. */
const ANSWER_MS = 2_000;

/** Whether the peer named a method in its Allow (RFC 3261 §20.5). */
export function allows(peer: Headers, method: string): boolean {
  return peer
    .all('Allow')
    .flatMap((value) => value.split(','))
    .some((one) => one.trim().toUpperCase() === method);
}

/**
 * Sends one digit by INFO, the way of many gateways before RFC 6086: as application/dtmf-relay, and as application/dtmf
 * where that meets 415. Silence of two seconds is a failure: repetitions go on until timer F, and nobody may wait for that.
 */
export function sendDigitByInfo(
  host: { request(method: string, parts: SessionRequest, handlers: SessionRequestHandlers): void },
  peer: Headers,
  digit: string,
  clock: Clock,
): Promise<InfoResult> {
  const key = digit.toUpperCase();
  if (!KEY.test(key)) return Promise.resolve({ ok: false, status: undefined, detail: 'not a key of a telephone' });
  if (!allows(peer, 'INFO'))
    return Promise.resolve({ ok: false, status: undefined, detail: 'the peer does not take INFO' });
  return new Promise((resolve) => {
    const timer = clock.setTimer(ANSWER_MS, () => finish({ ok: false, status: undefined, detail: 'no response' }));
    const finish = (result: InfoResult): void => {
      timer.cancel();
      resolve(result);
    };
    const send = (type: string, body: string, otherwise?: () => void): void => {
      let answered = false;
      host.request(
        'INFO',
        { headers: [['Content-Type', type]], body },
        {
          onResponse: ({ status, reasonPhrase }) => {
            if (status < 200 || answered) return;
            answered = true;
            if (status === 415 && otherwise !== undefined) otherwise();
            else finish({ ok: status < 300, status, detail: reasonPhrase });
          },
          onFailed: (detail) => finish({ ok: false, status: undefined, detail }),
        },
      );
    };
    send('application/dtmf-relay', `Signal=${key}\r\nDuration=${KEY_MS}\r\n`, () => send('application/dtmf', key));
  });
}
