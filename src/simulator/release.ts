import type { LineBehaviour, SwitchKind } from './persona.ts';
import { isAnnounced, type AnnouncedBehaviour } from './announcements.ts';

/** How the network ends a call that nobody takes: what it plays first, then the final response. */
export interface Release {
  readonly sounds: readonly ReleaseSound[];
  readonly status: number;
  readonly reasonPhrase: string;
  /** Value of the Reason header (RFC 3326); undefined where the switch sends none. */
  readonly reason: string | undefined;
  /** The callee's line rings before the network gives up. */
  readonly ringsFirst: boolean;
}

export type ReleaseSound =
  | { readonly kind: 'announcement'; readonly of: AnnouncedBehaviour }
  | { readonly kind: 'busy-tone' | 'congestion-tone' | 'special-information-tone' };

/** Behaviours that end without an answer. */
export type UnansweredBehaviour = Exclude<LineBehaviour, 'human' | 'voicemail' | 'call-assistant' | 'fax'>;

interface ExactRelease {
  readonly status: number;
  readonly reasonPhrase: string;
  readonly cause: number | undefined;
  readonly ringsFirst?: true;
}

/** What a switch that reports well sends; 480 without a cause is what Chinese switches send beside the announcement. */
const EXACT: Readonly<Record<UnansweredBehaviour, ExactRelease>> = {
  busy: { status: 486, reasonPhrase: 'Busy Here', cause: 17 },
  'no-answer': { status: 480, reasonPhrase: 'Temporarily Unavailable', cause: 19, ringsFirst: true },
  rejected: { status: 603, reasonPhrase: 'Decline', cause: 21, ringsFirst: true },
  'powered-off': { status: 480, reasonPhrase: 'Temporarily Unavailable', cause: undefined },
  'out-of-coverage': { status: 480, reasonPhrase: 'Temporarily Unavailable', cause: 20 },
  unreachable: { status: 480, reasonPhrase: 'Temporarily Unavailable', cause: undefined },
  'invalid-number': { status: 404, reasonPhrase: 'Not Found', cause: 1 },
  'number-changed': { status: 410, reasonPhrase: 'Gone', cause: 22 },
  suspended: { status: 480, reasonPhrase: 'Temporarily Unavailable', cause: undefined },
  arrears: { status: 480, reasonPhrase: 'Temporarily Unavailable', cause: undefined },
  'incoming-barred': { status: 480, reasonPhrase: 'Temporarily Unavailable', cause: 55 },
  congestion: { status: 503, reasonPhrase: 'Service Unavailable', cause: 42 },
  'operator-blocked': { status: 403, reasonPhrase: 'Forbidden', cause: undefined },
  'caller-id-blocked': { status: 403, reasonPhrase: 'Forbidden', cause: 57 },
  'spam-labelled': { status: 608, reasonPhrase: 'Rejected', cause: undefined },
};

const CAUSE_TEXT: Readonly<Record<number, string>> = {
  1: 'Unallocated number',
  17: 'User busy',
  19: 'No answer from user',
  20: 'Subscriber absent',
  21: 'Call rejected',
  22: 'Number changed',
  55: 'Incoming calls barred',
  42: 'Switching equipment congestion',
  57: 'Bearer capability not authorized',
};

const VAGUE: Readonly<Record<Exclude<SwitchKind, 'exact'>, { status: number; reasonPhrase: string }>> = {
  'vague-480': { status: 480, reasonPhrase: 'Temporarily Unavailable' },
  'vague-486': { status: 486, reasonPhrase: 'Busy Here' },
};

/**
 * The network's way of ending one unanswered call. A vague switch gives everything that it announces the same code;
 * what has no announcement (a rejection, congestion, a block) keeps its code, else nobody could tell.
 */
export function releaseOf(behaviour: UnansweredBehaviour, switchKind: SwitchKind): Release {
  const exact = EXACT[behaviour];
  const ringsFirst = exact.ringsFirst === true;
  if (switchKind !== 'exact' && isAnnounced(behaviour)) {
    return {
      ...VAGUE[switchKind],
      sounds: [{ kind: 'announcement', of: behaviour }],
      reason: undefined,
      ringsFirst,
    };
  }
  return {
    sounds: exactSounds(behaviour),
    status: exact.status,
    reasonPhrase: exact.reasonPhrase,
    reason:
      exact.cause === undefined
        ? undefined
        : `Q.850;cause=${exact.cause};text="${CAUSE_TEXT[exact.cause] ?? exact.reasonPhrase}"`,
    ringsFirst,
  };
}

function exactSounds(behaviour: UnansweredBehaviour): readonly ReleaseSound[] {
  switch (behaviour) {
    case 'busy':
      return [{ kind: 'busy-tone' }];
    case 'invalid-number':
      return [{ kind: 'special-information-tone' }, { kind: 'announcement', of: behaviour }];
    case 'congestion':
      return [{ kind: 'congestion-tone' }];
    case 'no-answer':
    case 'rejected':
    case 'operator-blocked':
    case 'caller-id-blocked':
    case 'spam-labelled':
      return [];
    case 'powered-off':
    case 'out-of-coverage':
    case 'unreachable':
    case 'number-changed':
    case 'suspended':
    case 'arrears':
    case 'incoming-barred':
      return [{ kind: 'announcement', of: behaviour }];
  }
}
