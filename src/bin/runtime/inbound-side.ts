import type { Admission } from '#platform/admission.ts';
import { Strangers } from '#calls/strangers.ts';
import { openInbound } from './inbound.ts';
import type { InboundOptions } from './inbound.ts';
import { inboundScreen, ownNumbers } from './inbound-screen.ts';
import type { ScreenCounts } from './inbound-screen.ts';
import { PeerAddresses } from './peer-addresses.ts';

/** Everything about calls that come in. The owner closes it before the call centre. */
export interface InboundSide {
  /** Calls that came in and go on. */
  readonly live: number;
  readonly counts: ScreenCounts & { readonly strangers: number };
  close(): Promise<void>;
}

/** Opens the door for those who may call us and tells the user agent whom to turn away. */
export async function openInboundSide(
  o: Omit<InboundOptions, 'peers' | 'own'> & { readonly admission: () => Admission },
): Promise<InboundSide> {
  const { clock, log, trunks, settings, sip } = o;
  const routes = trunks.flatMap(({ name }) => o.route(name) ?? []);
  const addresses = new PeerAddresses({ clock, log, trunks: routes, allow: settings.allow });
  await addresses.start();
  const peers = () => addresses.list;
  const own = ownNumbers(trunks, settings.numbers);
  const strangers = new Strangers({ clock, log });
  const { admission } = o;
  const { screen, counts } = inboundScreen({
    peers,
    strangers,
    policy: settings.strangers,
    own,
    admission,
    random: Math.random,
  });
  const inbound = openInbound({ ...o, peers, own });
  sip.screen = screen;
  return {
    get live() {
      return inbound.live;
    },
    get counts() {
      return { ...counts, strangers: strangers.requests };
    },
    async close() {
      addresses.close();
      await inbound.close();
    },
  };
}
