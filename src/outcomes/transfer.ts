import type { TimelineEvent } from '#domain/call.ts';
import { TRANSFER_FAILURES } from '#domain/transfer.ts';
import type { TransferRecord } from '#domain/transfer.ts';

/** What became of a call's last transfer, as its timeline tells; undefined where there was none. */
export function transferIn(timeline: readonly TimelineEvent[]): TransferRecord | undefined {
  const last = timeline.findLast(
    (event) => event.type === 'transfer' && (event.action === 'ended' || event.action === 'failed'),
  );
  if (last?.type !== 'transfer') return undefined;
  const { kind, target, action, reason, talkMs = 0 } = last;
  if (action === 'ended') return { kind, target, result: 'connected', talkMs };
  const result = TRANSFER_FAILURES.find((failure) => failure === reason) ?? 'unreachable';
  return { kind, target, result, talkMs: 0 };
}
