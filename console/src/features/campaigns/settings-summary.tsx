import { Card, Descriptions } from 'antd';
import { useTranslation } from 'react-i18next';
import type { CampaignSettings, Weekday } from '#domain/campaign.ts';
import { useFormat } from '../../i18n/use-format.ts';
import { delayUnit } from './delay-unit.ts';
import { clockOfMinute } from './wizard/clock.ts';

const WEEKDAYS: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

/** A campaign's windows, limits and rules, read-only. */
export function SettingsSummary({ settings }: { readonly settings: CampaignSettings }) {
  const { t } = useTranslation();
  const format = useFormat();
  const delayText = (seconds: number): string => {
    const { unit, value } = delayUnit(seconds);
    return t(`wizard.delay.${unit}`, { value: format.count(value) });
  };
  const windowsOf = (weekday: Weekday): string =>
    settings.windows
      .filter((window) => window.weekday === weekday)
      .map((window) => `${clockOfMinute(window.startMinute)}–${clockOfMinute(window.endMinute)}`)
      .join(', ');
  const line = [
    { key: 'trunk', label: t('wizard.trunk'), children: settings.trunk },
    { key: 'caller', label: t('wizard.callerNumber'), children: settings.callerNumber },
    { key: 'concurrent', label: t('wizard.maxConcurrentCalls'), children: format.count(settings.maxConcurrentCalls) },
    { key: 'rate', label: t('wizard.maxCallsPerSecond'), children: format.count(settings.maxCallsPerSecond) },
    { key: 'ring', label: t('wizard.ringTimeout'), children: format.count(settings.ringTimeoutMs / 1000) },
    { key: 'attempts', label: t('wizard.maxAttempts'), children: format.count(settings.maxAttempts) },
    { key: 'cap', label: t('wizard.dailyCap'), children: format.count(settings.dailyCap) },
    { key: 'back', label: t('wizard.callBacks'), children: t(`wizard.callBackRule.${settings.callBacks}`) },
  ];
  return (
    <div className="summary">
      <Card size="small" title={t('wizard.limits')}>
        <Descriptions size="small" column={1} items={line} />
      </Card>
      <Card size="small" title={t('wizard.windows')}>
        <Descriptions
          size="small"
          column={1}
          items={WEEKDAYS.map((weekday) => ({
            key: weekday,
            label: t(`weekday.d${weekday}`),
            children: windowsOf(weekday) || t('wizard.closed'),
          }))}
        />
      </Card>
      <Card size="small" title={t('wizard.redial')}>
        {settings.redial.length === 0 ? (
          <p className="hint">{t('wizard.redialNone')}</p>
        ) : (
          <ul className="plain-list">
            {settings.redial.map((rule) => (
              <li key={rule.outcome}>
                {t('wizard.redialSummary', {
                  outcome: t(`outcome.${rule.outcome}`),
                  delays: rule.delaysSeconds.map(delayText).join(' / '),
                  max: rule.maxRetries,
                })}
              </li>
            ))}
          </ul>
        )}
      </Card>
    </div>
  );
}
