import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';
import type { CalleeHangUp, SaidKind } from './callee-machine.ts';
import type { Intention, LineBehaviour, LinePlan } from './persona.ts';

/** How a simulated call came to its end, as the carrier saw it. */
export type CallEnding =
  | { readonly by: 'caller'; readonly reason: 'cancelled' | 'hung-up' }
  | { readonly by: 'network'; readonly reason: 'released'; readonly status: number }
  | { readonly by: 'callee'; readonly reason: CalleeHangUp | 'machine-done' }
  /** The caller vanished (no ACK, no RTP), the carrier could not carry the call, or it closed. */
  | { readonly by: 'failure'; readonly reason: 'caller-gone' | 'unsupported-media' | 'overloaded' | 'carrier-closed' };

/** A call that has just arrived, written before anything is answered: the witness of what was dialled. */
export interface InviteLine {
  readonly type: 'invite';
  readonly at: string;
  readonly callId: string;
  /** As dialled. */
  readonly phone: string;
  readonly number: string;
  readonly seed: number;
  /** 1 for the first call to this number, over restarts. */
  readonly attempt: number;
  readonly linePlan: LinePlan;
  readonly behaviour: LineBehaviour;
  readonly intention?: Intention;
  readonly conversation?: string;
}

/** What really happened in a call. */
export interface CallFacts {
  readonly behaviour: LineBehaviour;
  readonly answered: boolean;
  /** The network's announcement or tone was played far enough, or the final code was sent. */
  readonly causeTold: boolean;
  readonly ending: CallEnding;
  /** Grade of the conversation that the person meant to have. */
  readonly conversationGrade: GradeCode | undefined;
  readonly linesSaid: number;
  readonly linesMeant: number;
}

export interface EndedLine extends CallFacts {
  readonly type: 'ended';
  readonly at: string;
  readonly callId: string;
  readonly phone: string;
  readonly number: string;
  readonly attempt: number;
  readonly said: readonly { readonly kind: SaidKind | 'machine'; readonly text: string }[];
  readonly heard: readonly string[];
  readonly expectedOutcome: OutcomeCode;
  /** Undefined where what happened does not fix a grade. */
  readonly expectedGrade?: GradeCode;
}

/** A person called back who had missed a call, and what came of it. */
export interface CallBackLine {
  readonly type: 'call-back';
  readonly at: string;
  readonly callId: string;
  readonly phone: string;
  readonly number: string;
  readonly answered: boolean;
  /** The final response where it was not answered. */
  readonly status?: number;
  readonly said: readonly { readonly kind: SaidKind | 'machine'; readonly text: string }[];
  readonly heard: readonly string[];
}

export type CallLogLine = InviteLine | EndedLine | CallBackLine;
