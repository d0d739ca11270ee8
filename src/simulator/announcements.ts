import type { LocalText } from '#domain/text.ts';
import type { LineBehaviour } from './persona.ts';

/** What the network says before it gives up a call, by the outcome that it stands for; Chinese first, as on the line. */
export const ANNOUNCEMENTS = {
  'invalid-number': {
    zh: '您好，您拨打的号码是空号，请核对后再拨。',
    en: 'Sorry, the number you dialed does not exist. Please check it and dial again.',
  },
  'powered-off': {
    zh: '您好，您拨打的电话已关机，请稍后再拨。',
    en: 'Sorry, the subscriber you dialed is powered off.',
  },
  suspended: {
    zh: '对不起，您所拨打的号码已停机，详情请咨询当地运营商。',
    en: 'Sorry, the number you dialed is out of service.',
  },
  arrears: {
    zh: '对不起，您呼叫的用户因欠费已暂停服务。',
    en: 'Sorry, the service of the number you dialed is suspended for an unpaid bill.',
  },
  'out-of-coverage': {
    zh: '您所呼叫的用户不在服务区，请稍后再拨。',
    en: 'The subscriber you dialed is not in the service area. Please redial later.',
  },
  unreachable: {
    zh: '对不起，您拨打的电话暂时无法接通，请稍后再拨。',
    en: 'Sorry, the subscriber you dialed can not be connected for the moment. Please redial later.',
  },
  busy: {
    zh: '您好，您拨打的电话正在通话中，请稍后再拨。',
    en: 'Sorry, the subscriber you dialed is busy now. Please redial later.',
  },
  'number-changed': {
    zh: '您好，机主已更换号码，请查询新号码之后再拨。',
    en: 'The number you dialed has been changed. Please look up the new number.',
  },
  'incoming-barred': {
    zh: '对不起，对方已设置呼入限制，您的呼叫无法接续。',
    en: 'Sorry, incoming calls to the number you dialed are barred.',
  },
  'no-answer': {
    zh: '对不起，您拨打的电话暂时无人接听，请稍后再拨。',
    en: 'Sorry, the number you dialed is not answered. Please redial later.',
  },
} as const satisfies Partial<Record<LineBehaviour, LocalText>>;
export type AnnouncedBehaviour = keyof typeof ANNOUNCEMENTS;

/** Whether the network has a recording for a behaviour. */
export function isAnnounced(behaviour: LineBehaviour): behaviour is AnnouncedBehaviour {
  return behaviour in ANNOUNCEMENTS;
}

/** What a mailbox says before its beep. */
export const VOICEMAIL_GREETINGS = [
  '您好，您拨打的用户暂时无法接听您的电话，请在嘀声后留言，留言完毕请挂机。',
  '您好，这里是语音信箱，请在听到提示音后开始留言。',
] as const;

/** An answering assistant's opening and its later lines; it never gives the script what it asks for. */
export const ASSISTANT_LINES = {
  openings: [
    '您好，我是机主的智能通话助理，机主现在不方便接电话，请问您有什么事？',
    '你好，这里是语音助手，机主暂时无法接听，您可以告诉我来电事由，我会转告他。',
  ],
  replies: ['好的，我已经记录下来了，会转告机主，请问还有其他事情吗？'],
  farewell: '好的，我会尽快转告机主，感谢您的来电，再见。',
} as const;
