import type { TimelineEvent } from '#domain/call.ts';
import { TRANSFER_FAILURES } from '#domain/transfer.ts';
import type { TransferRecord } from '#domain/transfer.ts';

const ENDS: ReadonlySet<string> = new Set(['ended', 'failed', 'handed-over']);

/** What became of a call's last transfer, as its timeline tells; undefined where there was none. */
export function transferIn(timeline: readonly TimelineEvent[]): TransferRecord | undefined {
  const last = timeline.findLast((event) => event.type === 'transfer' && ENDS.has(event.action));
  if (last?.type !== 'transfer') return undefined;
  const { kind, target, action, reason, talkMs = 0 } = last;
  if (action === 'ended') return { kind, target, result: 'connected', talkMs };
  if (action === 'handed-over') return { kind, target, result: action, talkMs: 0 };
  const result = TRANSFER_FAILURES.find((failure) => failure === reason) ?? 'unreachable';
  return { kind, target, result, talkMs: 0 };
}
