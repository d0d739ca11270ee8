import type { zhDesk } from './zh-desk.ts';

/** What supervisors read when they transfer calls, listen in and end them, in English. */
export const enDesk: typeof zhDesk = {
  transfer: 'Transfer',
  listen: 'Listen',
  transferOf: 'Transfer: {{who}}',
  listenOf: 'Listen: {{who}}',
  over: 'The call is over',
  openRecord: 'Open its record; the timeline tells what became of transfers and listeners',
  targetHint:
    'A number (with + in international form, without as the trunk takes it) or a SIP address such as sip:8001@pbx.example.',
  targetRequired: 'Enter a number or SIP address',
  targetInvalid: 'This is neither a number nor a SIP address that can be called',
  transferTarget: 'Transfer to',
  kind: 'How',
  kinds: { attended: 'Call first', blind: 'Blind' },
  kindHints: {
    attended: 'The platform calls the other side and connects it once it answers; if it does not, the script goes on.',
    blind: 'The line of the callee is asked to call the other side. It cannot be taken back.',
  },
  release: 'Once answered, let both talk directly; the platform leaves the call and records no more',
  transferConfirm: 'Transfer the call to {{target}}?',
  attendedConfirm: 'The script stops, and the callee hears music until the other side answers.',
  blindConfirm:
    'The script stops, and the callee hears music. Once their line accepts, the call is over here and cannot be taken back.',
  attendedCalling: 'Calling {{target}}; the callee hears music.',
  blindCalling:
    'The line of the callee has been asked to transfer to {{target}}; waiting for the result. A blind transfer cannot be taken back.',
  connected: '{{target}} answered and talks with the callee.',
  takeBack: 'Take the call back',
  takeBackCalling: 'Stop calling {{target}}; the callee returns to the script.',
  takeBackConnected: 'Hang up {{target}}; the callee returns to the script.',
  lastFailed: 'The last transfer to {{target}} failed: {{reason}}',
  lastOver: 'The talk with {{target}} ended after {{seconds}} s; the callee returned to the script.',
  byPhone:
    'The browser plays no call audio: the platform calls the phone that you enter, and you hear the call there once you answer.',
  listenTarget: 'Phone to listen with',
  role: 'Take part as',
  roles: { monitor: 'Monitor', whisper: 'Whisper', barge: 'Barge in' },
  roleHints: {
    monitor: 'Nobody hears you.',
    whisper:
      'Only the person the call was transferred to hears you, the callee does not; while the script talks, nobody hears you.',
    barge: 'Everybody hears you.',
  },
  roleOf: 'Role of {{target}}',
  bargeConfirm: 'Let the callee hear this phone?',
  bargeConfirmHint: 'After barging in, the callee hears what is said on this phone.',
  callPhone: 'Call this phone',
  listeners: 'Who listens in',
  listenerState: { calling: 'Calling', listening: 'Listening' },
  hangUp: 'Hang up',
  hangUpOf: 'Hang up: {{target}}',
  endCall: 'Hang up',
  endCallOf: 'Hang up the call: {{who}}',
  endCallConfirm: 'Hang up the call with {{who}}?',
  endCallHint:
    'The callee and everybody else on the line are hung up at once, which cannot be undone; a call that nobody has answered counts as cancelled, and the campaign’s redial rules decide what follows.',
  ended: 'The call is hung up',
  listenFailed: '{{target}} was not reached: {{reason}}',
};
