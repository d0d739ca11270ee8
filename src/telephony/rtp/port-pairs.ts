import { AppError } from '#platform/error.ts';
import type { UdpPort } from './udp-port.ts';

/** Opens a socket; undefined where the port is taken, rejects where the address cannot be bound at all. */
export type OpenPort = (address: string, port: number) => Promise<UdpPort | undefined>;

/** An even port for RTP and the next one for its RTCP (RFC 3550 §11). */
export interface PortPair {
  readonly rtp: UdpPort;
  readonly rtcp: UdpPort;
}

/** The pairs of one port range. A pair that is given back is used again as late as possible. */
export class PortPairs {
  readonly #address: string;
  readonly #open: OpenPort;
  readonly #free: number[] = [];

  constructor(address: string, ports: { readonly first: number; readonly last: number }, open: OpenPort) {
    this.#address = address;
    this.#open = open;
    for (let port = ports.first + (ports.first & 1); port + 1 <= ports.last; port += 2) this.#free.push(port);
  }

  get free(): number {
    return this.#free.length;
  }

  /**
   * Binds a pair, passing over ports that others hold; throws `resource-exhausted` when none is left. `rtp` opens the even
   * port where it is another kind of socket than the odd one.
   */
  async open(rtp: OpenPort = this.#open): Promise<PortPair> {
    for (let tries = this.#free.length; tries > 0; tries--) {
      const port = this.#free.shift();
      if (port === undefined) break;
      const pair = await this.#bind(port, rtp);
      if (pair !== undefined) return pair;
      this.#free.push(port);
    }
    throw new AppError(
      'resource-exhausted',
      {
        zh: '没有空闲的 RTP 端口；请扩大 rtp.firstPort 到 rtp.lastPort 的范围。',
        en: 'No RTP port is free; widen the range from rtp.firstPort to rtp.lastPort.',
      },
      { retryable: true },
    );
  }

  /** Closes a pair and frees its ports. */
  async close(pair: PortPair): Promise<void> {
    await Promise.all([pair.rtp.close(), pair.rtcp.close()]);
    this.#free.push(pair.rtp.port);
  }

  async #bind(port: number, openRtp: OpenPort): Promise<PortPair | undefined> {
    let rtp: UdpPort | undefined;
    try {
      rtp = await openRtp(this.#address, port);
      if (rtp === undefined) return undefined;
      const rtcp = await this.#open(this.#address, port + 1);
      if (rtcp !== undefined) return { rtp, rtcp };
      await rtp.close();
      return undefined;
    } catch (error) {
      await rtp?.close();
      this.#free.push(port);
      throw new AppError(
        'port-in-use',
        { zh: '无法绑定 RTP 地址；请检查 rtp.host。', en: 'The RTP address cannot be bound; check rtp.host.' },
        { cause: error },
      );
    }
  }
}
