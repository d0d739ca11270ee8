import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { isIP, isIPv6 } from 'node:net';
import type { Clock } from '#platform/clock.ts';
import type { Peer, RefusalCheck } from './transport.ts';

/** How long the word of a host that nobody listens may take, as long as a slow answer across the world. */
const WAIT_MS = 300;
/** What servers take for a keep-alive (RFC 5626 §3.5.1) or ignore. */
const KEEP_ALIVE = Buffer.from('\r\n\r\n');
const MAX_DECEIVING = 1_000;
const MAX_CHECKS = 64;

/**
 * Asks hosts whether a UDP port is closed. The socket that sends requests is not connected, so that it never learns what
 * ICMP says of them; a connected one beside it does (RFC 1122 §4.1.3.3). Only a refusal says something: silence is also
 * what a server makes of a keep-alive.
 */
export class RefusedPorts implements RefusalCheck {
  readonly #clock: Clock;
  readonly #local: string;
  readonly #running = new Map<string, Promise<boolean>>();
  readonly #open = new Set<() => void>();
  /** Peers that answered although their host refused, as behind a firewall that lets one port through. */
  readonly #deceiving = new Set<string>();
  #closed = false;

  /** `local` is the address that requests leave from. */
  constructor(clock: Clock, local: string) {
    this.#clock = clock;
    this.#local = local;
  }

  check(to: Peer): Promise<boolean> {
    const key = keyOf(to);
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const six = isIPv6(this.#local);
    const useless =
      this.#closed || this.#deceiving.has(key) || this.#running.size >= MAX_CHECKS || isIP(to.host) !== (six ? 6 : 4);
    if (useless || to.port < 1 || to.port > 65_535) return Promise.resolve(false);
    const asked = this.#ask(to, six).finally(() => this.#running.delete(key));
    this.#running.set(key, asked);
    return asked;
  }

  deceived(by: Peer): void {
    if (this.#deceiving.size >= MAX_DECEIVING) this.#deceiving.clear();
    this.#deceiving.add(keyOf(by));
  }

  /** Ends every question; each is answered with no refusal. */
  close(): void {
    this.#closed = true;
    for (const end of this.#open) end();
  }

  #ask(to: Peer, six: boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const socket: Socket = createSocket(six ? 'udp6' : 'udp4');
      let over = false;
      const finish = (refused: boolean): void => {
        if (over) return;
        over = true;
        timer.cancel();
        this.#open.delete(end);
        socket.close();
        resolve(refused);
      };
      const end = (): void => finish(false);
      const timer = this.#clock.setTimer(WAIT_MS, end, { unref: true });
      this.#open.add(end);
      socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code === 'ECONNREFUSED'));
      socket.bind({ address: this.#local, port: 0 }, () => {
        if (over) return;
        socket.connect(to.port, to.host, () => {
          if (!over) socket.send(KEEP_ALIVE);
        });
      });
    });
  }
}

function keyOf({ host, port }: Peer): string {
  return `${host} ${port}`;
}
