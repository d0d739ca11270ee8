import { ExportOutlined, ImportOutlined } from '@ant-design/icons';
import { Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CampaignState } from '#domain/campaign.ts';
import type { CallDirection } from '#domain/call.ts';
import type { GradeCode, OutcomeCode } from '#domain/outcome.ts';

const STATE_COLOURS: Readonly<Record<CampaignState, string>> = {
  draft: 'default',
  running: 'processing',
  paused: 'warning',
  finished: 'green',
  cancelled: 'default',
};

const GRADE_COLOURS: Readonly<Record<GradeCode, string>> = {
  A: 'green',
  B: 'cyan',
  C: 'gold',
  D: 'default',
  E: 'volcano',
  F: 'default',
};

/** A campaign's state. */
export function CampaignStateTag({ state }: { readonly state: CampaignState }) {
  const { t } = useTranslation();
  return <Tag color={STATE_COLOURS[state]}>{t(`campaignState.${state}`)}</Tag>;
}

/** An intent grade: its letter and what it means. */
export function GradeTag({ grade }: { readonly grade: GradeCode }) {
  const { t } = useTranslation();
  return (
    <Tag color={GRADE_COLOURS[grade]}>
      {grade} {t(`grade.${grade}`)}
    </Tag>
  );
}

/** Who called: they us, or we them. */
export function DirectionText({ direction }: { readonly direction: CallDirection }) {
  const { t } = useTranslation();
  return (
    <span className={`direction ${direction}`} data-direction={direction}>
      {direction === 'inbound' ? <ImportOutlined /> : <ExportOutlined />} {t(`direction.${direction}`)}
    </span>
  );
}

/** Says that a call came in; where calls that we placed are the rule, those say nothing. */
export function DirectionTag({ direction }: { readonly direction: CallDirection }) {
  const { t } = useTranslation();
  return direction === 'inbound' ? (
    <Tag color="purple" icon={<ImportOutlined />}>
      {t('direction.inbound')}
    </Tag>
  ) : null;
}

/** The other side's number, where it is shown. */
export function PhoneText({ phone }: { readonly phone: string }) {
  const { t } = useTranslation();
  return <span className="number">{phone === '' ? t('call.anonymous') : phone}</span>;
}

/** How a dial ended. */
export function OutcomeText({ outcome }: { readonly outcome: OutcomeCode }) {
  const { t } = useTranslation();
  return <span className={outcome === 'answered' ? 'outcome answered' : 'outcome'}>{t(`outcome.${outcome}`)}</span>;
}
