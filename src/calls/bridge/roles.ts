import type { ListenerRole } from '#domain/transfer.ts';

/**
 * Who somebody on a call is: the callee, whoever talks with them (the script's voice or the person they were put
 * through to), or somebody who listens in.
 */
export type PartyRole = 'callee' | 'agent' | ListenerRole;

/**
 * Whether one party hears another. Everybody hears callee, agent and whoever barges in; a whisper reaches the agent
 * alone; a monitor is heard by nobody.
 */
export function hears(listener: PartyRole, speaker: PartyRole): boolean {
  switch (speaker) {
    case 'callee':
    case 'agent':
    case 'barge':
      return true;
    case 'whisper':
      return listener === 'agent';
    case 'monitor':
      return false;
  }
}
