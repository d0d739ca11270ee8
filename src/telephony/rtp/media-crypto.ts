import type { SrtpKey, SrtpMedia } from '../sdp/media.ts';
import { SrtcpReceiver, SrtcpSender } from './srtcp.ts';
import { SrtpReceiver, SrtpSender } from './srtp.ts';

interface Outward {
  readonly key: SrtpKey;
  readonly rtp: SrtpSender;
  readonly rtcp: SrtcpSender;
}

interface Inward {
  readonly key: SrtpKey;
  readonly rtp: SrtpReceiver;
  readonly rtcp: SrtcpReceiver;
}

/** The encryption of one section's RTP and RTCP; lets everything through unchanged while no keys are agreed. */
export class MediaCrypto {
  #outward: Outward | undefined;
  #inward: Inward | undefined;
  /** Refused and replayed packets under earlier keys. */
  #droppedBefore = 0;

  /** True where received packets are authentic. */
  get active(): boolean {
    return this.#inward !== undefined;
  }

  /** Packets that were not authentic or came twice. */
  get dropped(): number {
    const { rtp, rtcp } = this.#inward ?? {};
    return (
      this.#droppedBefore +
      (rtp === undefined ? 0 : rtp.refused + rtp.replayed) +
      (rtcp === undefined ? 0 : rtcp.refused + rtcp.replayed)
    );
  }

  /** Takes the keys of a negotiation; a key that stays keeps its packet counts and replay windows (RFC 4568 §7.1.4). */
  use(srtp: SrtpMedia | undefined): void {
    const { send, receive } = srtp ?? {};
    if (send === undefined) this.#outward = undefined;
    else if (this.#outward === undefined || !sameKey(this.#outward.key, send))
      this.#outward = { key: send, rtp: new SrtpSender(send), rtcp: new SrtcpSender(send) };
    if (receive !== undefined && this.#inward !== undefined && sameKey(this.#inward.key, receive)) return;
    this.#droppedBefore = this.dropped;
    this.#inward =
      receive === undefined
        ? undefined
        : { key: receive, rtp: new SrtpReceiver(receive), rtcp: new SrtcpReceiver(receive) };
  }

  /** What goes over the wire for an RTP packet; reused for the next one. */
  protectRtp(packet: Uint8Array): Uint8Array {
    return this.#outward === undefined ? packet : this.#outward.rtp.protect(packet);
  }

  protectRtcp(packet: Uint8Array): Uint8Array {
    return this.#outward === undefined ? packet : this.#outward.rtcp.protect(packet);
  }

  /** The RTP packet in a datagram, decrypted in place; undefined where it is to be dropped. */
  unprotectRtp(bytes: Uint8Array): Uint8Array | undefined {
    return this.#inward === undefined ? bytes : this.#inward.rtp.unprotect(bytes);
  }

  unprotectRtcp(bytes: Uint8Array): Uint8Array | undefined {
    return this.#inward === undefined ? bytes : this.#inward.rtcp.unprotect(bytes);
  }
}

function sameKey(a: SrtpKey, b: SrtpKey): boolean {
  return (
    a.suite === b.suite && a.mkiBytes === b.mkiBytes && a.keySalt.every((octet, index) => octet === b.keySalt[index])
  );
}
