import { Button, Card, InputNumber, Select, Spin, Tag } from 'antd';
import { useTranslation } from 'react-i18next';
import type { TrunkSummary } from '#domain/api.ts';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { NothingHere } from '../../../app/nothing-here.tsx';
import { Field } from './field.tsx';
import { problemAt } from './problem-at.ts';
import { RedialEditor } from './redial-editor.tsx';
import type { SettingsDraft } from './settings-draft.ts';
import type { Wizard } from './use-wizard.ts';
import { WindowsEditor } from './windows-editor.tsx';

/** The number fields: their key in the draft, their path in the API, their text. */
const NUMBERS = [
  { key: 'maxConcurrentCalls', path: 'maxConcurrentCalls', text: 'maxConcurrentCalls', min: 1, step: 1 },
  { key: 'maxCallsPerSecond', path: 'maxCallsPerSecond', text: 'maxCallsPerSecond', min: 0.01, step: 1 },
  { key: 'ringTimeoutSeconds', path: 'ringTimeoutMs', text: 'ringTimeout', min: 5, step: 5 },
  { key: 'maxAttempts', path: 'maxAttempts', text: 'maxAttempts', min: 1, step: 1 },
  { key: 'dailyCap', path: 'dailyCap', text: 'dailyCap', min: 1, step: 1 },
] as const;

const CALL_BACKS = ['redial', 'record'] as const;

/** When to call, how much at once, when again, and over which line. */
export function RulesStep({ wizard }: { readonly wizard: Wizard }) {
  const { t } = useTranslation();
  const { defaults, draft, problems } = wizard;
  if (defaults.data === undefined || draft === undefined) {
    return defaults.error === null ? (
      <Spin className="page-spin" />
    ) : (
      <FailureAlert error={defaults.error} onRetry={() => void defaults.refetch()} />
    );
  }
  const { trunks } = defaults.data;
  return (
    <div className="wizard-step wizard-rules">
      <Card size="small" title={t('wizard.windows')} extra={<span className="hint">{t('wizard.windowsHint')}</span>}>
        <WindowsEditor
          windows={draft.windows}
          problems={problems}
          onChange={(windows) => wizard.editDraft({ windows })}
        />
      </Card>
      <div className="wizard-rules-side">
        <Card size="small" title={t('wizard.line')}>
          {trunks.length === 0 ? (
            <NothingHere title={t('wizard.noTrunks')} hint={t('wizard.noTrunksHint')} />
          ) : (
            <LineFields draft={draft} trunks={trunks} wizard={wizard} />
          )}
        </Card>
        <Card size="small" title={t('wizard.limits')}>
          <div className="number-fields">
            {NUMBERS.map(({ key, path, text, min, step }) => (
              <Field
                key={key}
                label={t(`wizard.${text}`)}
                htmlFor={`field-${key}`}
                problem={problemAt(problems, `settings.${path}`)}
              >
                <InputNumber
                  id={`field-${key}`}
                  min={min}
                  step={step}
                  value={draft[key]}
                  onChange={(value) => wizard.editDraft({ [key]: value })}
                />
              </Field>
            ))}
            <Field
              label={t('wizard.callBacks')}
              htmlFor="field-callBacks"
              problem={problemAt(problems, 'settings.callBacks')}
            >
              <Select
                id="field-callBacks"
                value={draft.callBacks}
                options={CALL_BACKS.map((value) => ({ value, label: t(`wizard.callBackRule.${value}`) }))}
                onChange={(callBacks) => wizard.editDraft({ callBacks })}
              />
            </Field>
          </div>
        </Card>
      </div>
      <Card size="small" title={t('wizard.redial')} className="wizard-redial">
        <RedialEditor rules={draft.redial} problems={problems} onChange={(redial) => wizard.editDraft({ redial })} />
      </Card>
      <div className="wizard-buttons">
        <Button onClick={() => wizard.setStep('script')}>{t('common.back')}</Button>
        <Button
          type="primary"
          onClick={() => {
            if (wizard.checkRules() !== undefined) wizard.setStep('review');
          }}
        >
          {t('common.next')}
        </Button>
      </div>
    </div>
  );
}

function LineFields(p: {
  readonly draft: SettingsDraft;
  readonly trunks: readonly TrunkSummary[];
  readonly wizard: Wizard;
}) {
  const { t, i18n } = useTranslation();
  const { draft, trunks, wizard } = p;
  const trunk = trunks.find(({ name }) => name === draft.trunk);
  return (
    <div className="number-fields">
      <Field
        label={t('wizard.trunk')}
        htmlFor="field-trunk"
        problem={problemAt(wizard.problems, 'settings.trunk')}
        {...(trunk === undefined
          ? {}
          : { hint: t('wizard.trunkFacts', { channels: trunk.channels, rate: trunk.callsPerSecond }) })}
      >
        <Select
          id="field-trunk"
          value={draft.trunk}
          options={trunks.map(({ name }) => ({ value: name, label: name }))}
          onChange={(name) =>
            wizard.editDraft({
              trunk: name,
              callerNumber: trunks.find((candidate) => candidate.name === name)?.callerNumbers[0] ?? '',
            })
          }
        />
        {trunk?.hold === undefined ? null : (
          <div>
            <Tag color="warning">{t(`wizard.trunkHold.${trunk.hold.reason}`)}</Tag>
            {trunk.hold.text[i18n.language === 'zh' ? 'zh' : 'en']}
          </div>
        )}
      </Field>
      <Field
        label={t('wizard.callerNumber')}
        htmlFor="field-caller"
        problem={problemAt(wizard.problems, 'settings.callerNumber')}
      >
        <Select
          id="field-caller"
          value={draft.callerNumber}
          options={(trunk?.callerNumbers ?? []).map((number) => ({ value: number, label: number }))}
          onChange={(callerNumber) => wizard.editDraft({ callerNumber })}
        />
      </Field>
    </div>
  );
}
