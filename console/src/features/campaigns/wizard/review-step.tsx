import { Button, Descriptions } from 'antd';
import { useTranslation } from 'react-i18next';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { useFormat } from '../../../i18n/use-format.ts';
import { SettingsSummary } from '../settings-summary.tsx';
import { settingsOf } from './settings-draft.ts';
import type { Wizard } from './use-wizard.ts';

/** Everything once more before the first number is dialled. */
export function ReviewStep({ wizard }: { readonly wizard: Wizard }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { create, draft } = wizard;
  const script = wizard.scripts.data?.find(({ id }) => id === wizard.scriptId);
  const result = draft === undefined ? undefined : settingsOf(draft);
  const loaded = wizard.load.data;
  return (
    <div className="wizard-step">
      <p>{t('wizard.review')}</p>
      <Descriptions
        size="small"
        bordered
        column={1}
        items={[
          { key: 'name', label: t('campaign.name'), children: wizard.name },
          {
            key: 'leads',
            label: t('campaign.leads'),
            children: t('wizard.reviewLeads', {
              leads: format.count((loaded?.imported ?? 0) + (loaded?.merged ?? 0)),
              file: loaded?.fileName ?? '',
            }),
          },
          {
            key: 'script',
            label: t('campaign.script'),
            children: `${script?.name ?? ''} · ${t('campaign.version', { version: script?.publishedVersion })}`,
          },
        ]}
      />
      {result?.ok === true && <SettingsSummary settings={result.settings} />}
      <FailureAlert error={create.error} />
      <div className="wizard-buttons">
        <Button disabled={create.isPending} onClick={() => wizard.setStep('rules')}>
          {t('common.back')}
        </Button>
        <Button
          loading={create.isPending && !create.variables.start}
          disabled={create.isPending}
          onClick={() => wizard.submit(false)}
        >
          {t('wizard.save')}
        </Button>
        <Button
          type="primary"
          loading={create.isPending && create.variables.start}
          disabled={create.isPending}
          onClick={() => wizard.submit(true)}
        >
          {t('wizard.launch')}
        </Button>
      </div>
    </div>
  );
}
