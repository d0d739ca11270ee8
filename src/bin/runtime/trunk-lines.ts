import type { TrunkStateView, TrunkSummary } from '#domain/api.ts';
import type { LocalText } from '#domain/text.ts';
import type { TrunkConfig } from '#platform/config/config.ts';
import type { Trunk, TrunkHold, TrunkState } from '#calls/trunk.ts';
import { CallerNumbers } from '#dialer/caller-numbers.ts';
import type { DialTrunk } from '#dialer/lines.ts';
import type { Trunks } from './trunks.ts';

/** What the dialer knows of the trunks. */
export function dialTrunks(configs: readonly TrunkConfig[], trunks: Pick<Trunks, 'find'>): readonly DialTrunk[] {
  return configs.map((config): DialTrunk => {
    const { name, group, priority, weight, takes, channels, callsPerSecond, callerNumbers, caller } = config;
    const callers = new CallerNumbers({ rule: caller.rule, numbers: callerNumbers, areas: caller.areas ?? {} });
    const trunk = trunks.find(name);
    return {
      name,
      group,
      priority,
      weight,
      takes: takes === undefined ? undefined : RegExp(takes, 'u'),
      callsPerSecond,
      channels,
      freeChannels: () => Math.min(channels, trunk?.channels ?? channels),
      hold: () => (trunk?.hold === undefined ? undefined : HOLDS[trunk.hold](name)),
      callerNumber: (phone, wanted) => callers.choose(phone, wanted),
    };
  });
}

/** What a campaign may name as its trunk, as the API shows it at this moment: the trunks, then their groups. */
export function trunkSummaries(configs: readonly TrunkConfig[], trunks: Pick<Trunks, 'find'>): readonly TrunkSummary[] {
  const single = configs.map((config): TrunkSummary => {
    const { name, callerNumbers, channels, callsPerSecond } = config;
    return { name, callerNumbers, channels, callsPerSecond, ...stateOf(trunks.find(name)) };
  });
  const groups = Map.groupBy(
    configs.filter(({ group }) => group !== undefined),
    ({ group }) => group!,
  );
  const grouped = [...groups].map(([name, members]): TrunkSummary => {
    const held = members.every((member) => trunks.find(member.name)?.hold !== undefined);
    const hold = held ? trunks.find(members[0]?.name ?? '')?.hold : undefined;
    return {
      name,
      members: members.map((member) => member.name),
      callerNumbers: [...new Set(members.flatMap(({ callerNumbers }) => callerNumbers))],
      channels: members.reduce((sum, { channels }) => sum + channels, 0),
      callsPerSecond: members.reduce((sum, { callsPerSecond }) => sum + callsPerSecond, 0),
      ...(hold === undefined ? {} : { hold: { reason: hold, text: HOLDS[hold](name) } }),
    };
  });
  return [...single, ...grouped];
}

/** What a call outside of campaigns may go over. */
export interface SingleLines {
  /** In the order in which they are tried, with the most calls at once that each takes now. */
  readonly trunks: readonly (Pick<DialTrunk, 'name' | 'callerNumber'> & { readonly channels: number })[];
  /** Where others of a group may stand in. */
  readonly group: string | undefined;
}

/**
 * The trunk that a call outside of campaigns names, or those of the group that it names which take the number: those that
 * take no calls at this moment come last, because a person asked for the call.
 */
export function linesFor(dials: readonly DialTrunk[], named: string, phone: string): SingleLines {
  const members = dials.filter(({ group }) => group === named).toSorted((a, b) => a.priority - b.priority);
  const fits = members.filter(({ takes }) => takes?.test(phone) !== false);
  const held = (one: DialTrunk): number => (one.hold() === undefined ? 0 : 1);
  const own = dials.filter(({ name }) => name === named);
  const chosen = members.length === 0 ? own : fits.toSorted((a, b) => held(a) - held(b));
  return {
    // Of a trunk whose servers are all dead the call itself says so.
    trunks: chosen.map((one) => ({
      name: one.name,
      callerNumber: (to, wanted) => one.callerNumber(to, wanted),
      channels: held(one) === 1 ? one.channels : one.freeChannels(),
    })),
    group: members.length > 1 ? named : undefined,
  };
}

function stateOf(trunk: Trunk | undefined): Pick<TrunkSummary, 'state' | 'hold'> {
  if (trunk === undefined) return {};
  const { name } = trunk.route;
  const { hold } = trunk;
  return {
    state: viewOf(trunk.state),
    ...(hold === undefined ? {} : { hold: { reason: hold, text: HOLDS[hold](name) } }),
  };
}

function viewOf({ registration, peers }: TrunkState): TrunkStateView {
  return {
    registration: registration.name,
    registrationError:
      registration.name === 'failed'
        ? registration.status === undefined
          ? registration.detail
          : `SIP ${registration.status}`
        : null,
    callsInFlight: peers.reduce((sum, { callsInFlight }) => sum + callsInFlight, 0),
    servers: peers.map(({ key, reachable, callsInFlight, lastError, lastErrorAt }) => ({
      server: key,
      reachable,
      callsInFlight,
      lastError: lastError ?? null,
      lastErrorAt: lastErrorAt?.toISOString() ?? null,
    })),
  };
}

const HOLDS: Readonly<Record<TrunkHold, (name: string) => LocalText>> = {
  unreachable: (name) => ({
    zh: `线路“${name}”的服务器都不应答，恢复后自动继续；用 waihu trunk test 查原因。`,
    en: `No server of trunk "${name}" answers; dialling goes on when one does. waihu trunk test finds out why.`,
  }),
  'not-registered': (name) => ({
    zh: `线路“${name}”没有注册成功，注册后自动继续；用 waihu trunk test 查原因。`,
    en: `Trunk "${name}" is not registered; dialling goes on when it is. waihu trunk test finds out why.`,
  }),
};
