import { AppError } from '#platform/error.ts';
import { UdpPort } from './udp-port.ts';

/** An even port for RTP and the next one for its RTCP (RFC 3550 §11). */
export interface PortPair {
  readonly rtp: UdpPort;
  readonly rtcp: UdpPort;
}

/** The pairs of one port range. A pair that is given back is used again as late as possible. */
export class PortPairs {
  readonly #address: string;
  readonly #free: number[] = [];

  constructor(address: string, ports: { readonly first: number; readonly last: number }) {
    this.#address = address;
    for (let port = ports.first + (ports.first & 1); port + 1 <= ports.last; port += 2) this.#free.push(port);
  }

  get free(): number {
    return this.#free.length;
  }

  /** Binds a pair, passing over ports that others hold; throws `resource-exhausted` when none is left. */
  async open(): Promise<PortPair> {
    for (let tries = this.#free.length; tries > 0; tries--) {
      const port = this.#free.shift();
      if (port === undefined) break;
      const pair = await this.#bind(port);
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

  async #bind(port: number): Promise<PortPair | undefined> {
    let rtp: UdpPort | undefined;
    try {
      rtp = await UdpPort.open(this.#address, port);
      if (rtp === undefined) return undefined;
      const rtcp = await UdpPort.open(this.#address, port + 1);
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
