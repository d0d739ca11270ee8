import type { TransferFailure, TransferKind } from '#domain/transfer.ts';
import type { NegotiatedMedia } from '#telephony/sdp/media.ts';
import type { PartyRole } from './roles.ts';

/** Who a second leg of a call stands for; the callee's own leg belongs to the call. */
export type LegRole = Exclude<PartyRole, 'callee'>;

/** The callee's own leg, where a message may be about that. */
export const CALLEE_LEG = 'callee';

/** A transfer that a script or an operator wants. */
export interface TransferWish {
  readonly kind: TransferKind;
  /** A number, with `+` as the trunk formats it and without as it is, or a SIP URI. */
  readonly target: string;
  readonly ringTimeoutMs: number;
  /** After an attended transfer was answered, both ends are asked to talk without us (REFER with Replaces). */
  readonly release: boolean;
}

/** Main thread → the call's worker. Every `open` is answered by `opened` or `failed`. */
export type BridgeCommand =
  /** Takes ports for a second leg. */
  | { readonly do: 'open'; readonly leg: string }
  /** The second leg was answered: it takes part from now on. */
  | { readonly do: 'join'; readonly leg: string; readonly role: LegRole; readonly media: NegotiatedMedia }
  /** The second leg's far end changed its session. */
  | { readonly do: 'media'; readonly leg: string; readonly media: NegotiatedMedia }
  | { readonly do: 'role'; readonly leg: string; readonly role: LegRole }
  /** A key of the second leg's far end that came by INFO. */
  | { readonly do: 'digit'; readonly leg: string; readonly digit: string }
  /** Keys that signalling did not bring across go as tones; `leg` may be `CALLEE_LEG`. */
  | { readonly do: 'tones'; readonly leg: string; readonly digits: string }
  /** Frees the ports. */
  | { readonly do: 'leave'; readonly leg: string }
  /** The script waits and the callee hears music. */
  | { readonly do: 'hold' }
  /** The callee was put through; `join` says this too where the platform stays in the media. */
  | { readonly do: 'connected' }
  /** The callee's line took a blind transfer over and says no more. */
  | { readonly do: 'handed-over' }
  /**
   * The script goes on: with why nobody was reached, `cancelled` where an operator took the callee back, or undefined where
   * the target has ended their talk.
   */
  | { readonly do: 'resume'; readonly failure: TransferFailure | undefined };

/** The call's worker → main thread. */
export type BridgeEvent =
  | { readonly is: 'opened'; readonly leg: string; readonly audioPort: number; readonly textPort: number }
  | { readonly is: 'failed'; readonly leg: string; readonly message: string }
  /** The far end of a second leg sends nothing any more. */
  | { readonly is: 'silent'; readonly leg: string }
  /** A key for a far end without telephone-events; `leg` may be `CALLEE_LEG`. */
  | { readonly is: 'key'; readonly leg: string; readonly digit: string }
  /** The script has said what it says before a transfer. */
  | { readonly is: 'wanted'; readonly wish: TransferWish };
