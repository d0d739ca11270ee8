import { useTranslation } from 'react-i18next';
import { LOCAL_OPERATOR_ACTOR, userOfActor } from '#domain/actor.ts';
import type { TimelineEvent } from '#domain/call.ts';
import type { OutcomeCode } from '#domain/outcome.ts';
import type { TransferFailure } from '#domain/transfer.ts';
import { useFormat } from '../../i18n/use-format.ts';
import { zhCodes } from '../../i18n/zh-codes.ts';
import { reasonText } from './reason-text.ts';

type ToneLabel = keyof typeof zhCodes.tone;

/** Says in a line what an event of the timeline was. */
export function useEventText(): (event: TimelineEvent) => string {
  const { t } = useTranslation();
  const { language } = useFormat();
  const failureText = (reason = ''): string =>
    reason in zhCodes.transferFailure ? t(`transferFailure.${reason as TransferFailure}`) : reason;
  /** Who it was by name, as the API says it, or what is known of one who has none. */
  const actorText = (actor: string): string => {
    if (actor === LOCAL_OPERATOR_ACTOR) return t('event.localOperator');
    return userOfActor(actor) === undefined ? actor : t('event.formerUser');
  };
  return (event) => {
    switch (event.type) {
      case 'progress':
        return t(event.earlyMedia ? 'event.earlyMedia' : 'event.progress', { status: event.status });
      case 'announcement': {
        const label = event.label in zhCodes.outcome ? t(`outcome.${event.label as OutcomeCode}`) : event.label;
        return t('event.announcement', { label });
      }
      case 'tone': {
        const label = event.label in zhCodes.tone ? t(`tone.${event.label as ToneLabel}`) : event.label;
        return t('event.tone', { label });
      }
      case 'trunk':
        return t('event.trunk', {
          trunk: event.trunk,
          outcome: t(`outcome.${event.outcome}`),
          why: event.status === undefined ? event.detail : `SIP ${event.status}`,
          next: event.next,
        });
      case 'attestation':
        return t('event.attestation', { level: event.level });
      case 'answered':
        return t('event.answered');
      case 'dtmf':
        return t('event.dtmf', { digit: event.digit });
      case 'barge-in':
        return t(`event.barge.${event.action}`);
      case 'decision':
        return t('event.decision', { node: event.node, reason: reasonText(event.reason, language) });
      case 'tag':
        return t('event.tag', { tag: event.tag });
      case 'slot':
        return t('event.slot', { name: event.name, value: event.value });
      case 'transfer':
        return t(`event.transfer.${event.action}`, {
          kind: t(`transferKind.${event.kind}`),
          target: event.target,
          reason: failureText(event.reason),
          seconds: Math.round((event.talkMs ?? 0) / 1000),
        });
      case 'listen':
        return t(`event.listen.${event.action}`, {
          target: event.target,
          role: t(`listener.${event.role}`),
          by: actorText(event.by),
          reason: failureText(event.reason),
        });
      case 'hang-up':
        return t('event.hangUp', { by: actorText(event.by) });
      case 'ended':
        return t('event.ended', { by: t(`hangup.${event.by}`), detail: reasonText(event.detail, language) });
    }
  };
}
