import { NETWORK_OUTCOMES } from '#domain/outcome.ts';
import type { NetworkOutcome } from '#domain/outcome.ts';
import { OUTCOME_LABELS } from '#outcomes/labels.ts';
import { AppError } from '#platform/error.ts';

/** What an announcement can stand for: what a network says about a number before the answer. */
const TEACHABLE: readonly NetworkOutcome[] = NETWORK_OUTCOMES.filter(
  (code) => !['answered', 'cancelled', 'lost', 'fax'].includes(code),
);

/** Other words for them, beside the codes and their labels in both languages. */
const ALIASES: Readonly<Record<string, NetworkOutcome>> = {
  'empty-number': 'invalid-number',
  'number-not-exist': 'invalid-number',
  'not-in-service': 'invalid-number',
  空号: 'invalid-number',
  号码不存在: 'invalid-number',
  号码有误: 'invalid-number',
  'switched-off': 'powered-off',
  'power-off': 'powered-off',
  off: 'powered-off',
  关机: 'powered-off',
  stopped: 'suspended',
  停机: 'suspended',
  暂停服务: 'suspended',
  'unpaid-bill': 'arrears',
  欠费: 'arrears',
  'not-reachable': 'unreachable',
  暂时无法接通: 'unreachable',
  'no-coverage': 'out-of-coverage',
  'on-the-phone': 'busy',
  通话中: 'busy',
  正在通话中: 'busy',
  'not-answered': 'no-answer',
  'no-reply': 'no-answer',
  改号: 'number-changed',
  barred: 'incoming-barred',
  forwarding: 'forwarded',
  'call-forwarded': 'forwarded',
  mailbox: 'voicemail',
  assistant: 'call-assistant',
  'network-busy': 'congestion',
  'line-busy': 'congestion',
  blocked: 'operator-blocked',
};

/**
 * The outcome code that a person means by a word.
 * @throws AppError `invalid-input` with the words that there are
 */
export function announcementLabel(word: string): NetworkOutcome {
  const wanted = word
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_]+/g, '-');
  const code = TEACHABLE.find(
    (each) =>
      each === wanted ||
      OUTCOME_LABELS[each].zh === wanted ||
      OUTCOME_LABELS[each].en.toLowerCase().replaceAll(' ', '-') === wanted,
  );
  const alias = Object.hasOwn(ALIASES, wanted) ? ALIASES[wanted] : undefined;
  if (code === undefined && alias === undefined) {
    const words = TEACHABLE.map((each) => `${each}（${OUTCOME_LABELS[each].zh}）`).join('、');
    throw new AppError('invalid-input', {
      zh: `不认识“${word}”。可以用：${words}；空号也可写作 empty-number。`,
      en: `"${word}" is not known. Use one of: ${TEACHABLE.join(', ')}; empty-number is invalid-number.`,
    });
  }
  return code ?? alias!;
}
