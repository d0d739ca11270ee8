import { Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CampaignState } from '#domain/campaign.ts';
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

/** How a dial ended. */
export function OutcomeText({ outcome }: { readonly outcome: OutcomeCode }) {
  const { t } = useTranslation();
  return <span className={outcome === 'answered' ? 'outcome answered' : 'outcome'}>{t(`outcome.${outcome}`)}</span>;
}
