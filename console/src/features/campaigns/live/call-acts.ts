import type { ListenRequest, TransferBody } from '#domain/api.ts';
import type { ListenerRole } from '#domain/transfer.ts';

/** What a supervisor does to a call under way. */
export type CallAct =
  | { readonly act: 'transfer'; readonly body: TransferBody }
  | { readonly act: 'end-transfer' }
  | { readonly act: 'listen'; readonly body: ListenRequest }
  | { readonly act: 'role'; readonly listener: string; readonly role: ListenerRole }
  | { readonly act: 'end-listener'; readonly listener: string }
  | { readonly act: 'hang-up' };

/** The request that does it. */
export function requestOf(
  callId: string,
  act: CallAct,
): { readonly path: string; readonly method: string; readonly body?: unknown } {
  const call = `/api/calls/${encodeURIComponent(callId)}`;
  switch (act.act) {
    case 'transfer':
      return { path: `${call}/transfer`, method: 'POST', body: act.body };
    case 'end-transfer':
      return { path: `${call}/transfer`, method: 'DELETE' };
    case 'listen':
      return { path: `${call}/monitor`, method: 'POST', body: act.body };
    case 'role':
      return { path: `${call}/monitor/${act.listener}`, method: 'PATCH', body: { role: act.role } };
    case 'end-listener':
      return { path: `${call}/monitor/${act.listener}`, method: 'DELETE' };
    case 'hang-up':
      return { path: `${call}/hang-up`, method: 'POST' };
  }
}

/** Whether the callee hears that something happens, so that it is asked about first. */
export function calleeNotices(act: CallAct): boolean {
  switch (act.act) {
    case 'transfer':
    case 'end-transfer':
    case 'hang-up':
      return true;
    case 'listen':
      return act.body.role === 'barge';
    case 'role':
      return act.role === 'barge';
    case 'end-listener':
      return false;
  }
}
