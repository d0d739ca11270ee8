import { DeleteOutlined } from '@ant-design/icons';
import { Button, Input, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import type { OutcomeCode } from '#domain/outcome.ts';
import { problemAt } from './problem-at.ts';
import type { RedialDraft } from './settings-draft.ts';

/** Outcomes after which another try can make sense; the server holds the same list. */
const RETRYABLE: readonly OutcomeCode[] = [
  'busy',
  'no-answer',
  'rejected',
  'powered-off',
  'out-of-coverage',
  'unreachable',
  'forwarded',
  'voicemail',
  'call-assistant',
  'congestion',
  'cancelled',
  'lost',
];

/** One row per outcome: how long to wait, how often at most. */
export function RedialEditor(p: {
  readonly rules: readonly RedialDraft[];
  readonly problems: Readonly<Record<string, string>>;
  readonly onChange: (rules: readonly RedialDraft[]) => void;
}) {
  const { t } = useTranslation();
  const { rules, problems, onChange } = p;
  const edit = (index: number, part: Partial<RedialDraft>): void =>
    onChange(rules.map((rule, at) => (at === index ? { ...rule, ...part } : rule)));
  const free = RETRYABLE.filter((outcome) => !rules.some((rule) => rule.outcome === outcome));
  return (
    <>
      <p className="hint">{t('wizard.redialHint')}</p>
      <table className="redial">
        <thead>
          <tr>
            <th>{t('common.outcome')}</th>
            <th>{t('wizard.redialDelays')}</th>
            <th>{t('wizard.redialMax')}</th>
            <th aria-label={t('common.actions')} />
          </tr>
        </thead>
        <tbody>
          {rules.map((rule, index) => {
            const at = `settings.redial[${index}]`;
            const outcome = t(`outcome.${rule.outcome}`);
            const delayProblem = problemAt(problems, `${at}.delaysSeconds`);
            const otherProblem = problemAt(problems, `${at}.maxRetries`) ?? problemAt(problems, `${at}.outcome`);
            const problem = delayProblem ?? otherProblem;
            return (
              <tr key={rule.outcome}>
                <td>{outcome}</td>
                <td>
                  <Input
                    size="small"
                    value={rule.delays}
                    aria-label={`${outcome} ${t('wizard.redialDelays')}`}
                    status={delayProblem === undefined ? '' : 'error'}
                    onChange={(event) => edit(index, { delays: event.target.value })}
                  />
                  {problem !== undefined && (
                    <span className="field-problem" role="alert">
                      {problem}
                    </span>
                  )}
                </td>
                <td>
                  <InputNumber
                    size="small"
                    min={0}
                    max={50}
                    value={rule.maxRetries}
                    aria-label={`${outcome} ${t('wizard.redialMax')}`}
                    onChange={(maxRetries) => edit(index, { maxRetries })}
                  />
                </td>
                <td>
                  <Button
                    size="small"
                    type="text"
                    icon={<DeleteOutlined />}
                    aria-label={t('wizard.redialRemove', { outcome })}
                    onClick={() => onChange(rules.filter((other) => other.outcome !== rule.outcome))}
                  />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {free.length > 0 && (
        <Select<OutcomeCode | null>
          size="small"
          value={null}
          placeholder={t('wizard.redialAdd')}
          aria-label={t('wizard.redialAdd')}
          options={free.map((value) => ({ value, label: t(`outcome.${value}`) }))}
          className="redial-add"
          onChange={(outcome) => {
            if (outcome !== null) onChange([...rules, { outcome, delays: '30', maxRetries: 1 }]);
          }}
        />
      )}
    </>
  );
}
