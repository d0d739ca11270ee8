// Makes the network of this process bad, where the kernel has no netem: node --import ./test/support/bad-network.ts ...
// What leaves a UDP socket of Node is lost, comes late or overtakes, as BAD_NETWORK says.
import { Socket } from 'node:dgram';

/** What becomes of datagrams; `reorderRatio` of them are not delayed and so overtake. */
export interface BadNetwork {
  readonly lossRatio: number;
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly reorderRatio: number;
}

const bad = process.env['BAD_NETWORK'];
if (bad !== undefined) worsen(JSON.parse(bad) as BadNetwork);

function worsen({ lossRatio, delayMs, jitterMs, reorderRatio }: BadNetwork): void {
  const random = generator();
  const send: unknown = Reflect.get(Socket.prototype, 'send');
  Socket.prototype.send = function badSend(this: Socket, message: Uint8Array, ...rest: unknown[]): void {
    const done = rest.at(-1);
    const length = message.length;
    if (typeof done === 'function') queueMicrotask(() => (done as (error: null, bytes: number) => void)(null, length));
    const where = typeof done === 'function' ? rest.slice(0, -1) : rest;
    if (random() < lossRatio) return;
    const copy = Buffer.from(message);
    const late = random() < reorderRatio ? 0 : delayMs + (random() * 2 - 1) * jitterMs;
    setTimeout(() => {
      try {
        Reflect.apply(send as () => void, this, [copy, ...where, () => undefined]);
      } catch {
        // It has been closed meanwhile.
      }
    }, late);
  } as typeof Socket.prototype.send;
}

/** The same numbers in every run. */
function generator(): () => number {
  let state = 1;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x100000000;
  };
}
