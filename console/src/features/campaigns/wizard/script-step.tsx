import { Alert, Button, Input, Radio, Spin, Tag } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ScriptSummary } from '#domain/api.ts';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { NothingHere } from '../../../app/nothing-here.tsx';
import { Field } from './field.tsx';
import { coverageOf } from './mapping.ts';
import { problemAt } from './problem-at.ts';
import type { Wizard } from './use-wizard.ts';

/** Names the campaign and chooses its script, showing which variables the list fills. */
export function ScriptStep({ wizard }: { readonly wizard: Wizard }) {
  const { t } = useTranslation();
  const [tried, setTried] = useState(false);
  const { scripts } = wizard;
  const published = (scripts.data ?? []).filter((script) => script.publishedVersion !== null);
  const chosen = published.find(({ id }) => id === wizard.scriptId);
  const columns = wizard.chosen?.preview.columns ?? [];
  const missing = (chosen?.variables ?? []).filter(
    (variable) => coverageOf(variable, columns, wizard.uses) === 'missing',
  );
  const nameProblem =
    problemAt(wizard.problems, 'name') ?? (tried && wizard.name.trim() === '' ? t('wizard.nameRequired') : undefined);
  return (
    <div className="wizard-step">
      <Field label={t('campaign.name')} htmlFor="campaign-name" problem={nameProblem} required>
        <Input
          id="campaign-name"
          value={wizard.name}
          maxLength={200}
          placeholder={t('wizard.namePlaceholder')}
          onChange={(event) => wizard.setName(event.target.value)}
        />
      </Field>
      <FailureAlert error={scripts.error} onRetry={() => void scripts.refetch()} />
      {scripts.isPending && <Spin />}
      {scripts.isSuccess && published.length === 0 && (
        <NothingHere title={t('wizard.noScripts')} hint={t('wizard.noScriptsHint')} />
      )}
      <Field
        label={t('wizard.chooseScript')}
        problem={
          problemAt(wizard.problems, 'scriptId') ??
          (tried && chosen === undefined && published.length > 0 ? t('wizard.chooseScript') : undefined)
        }
      >
        <Radio.Group
          className="script-choices"
          value={wizard.scriptId}
          onChange={(event) => wizard.setScriptId(event.target.value as string)}
        >
          {published.map((script) => (
            <Radio key={script.id} value={script.id}>
              <strong>{script.name}</strong>
              <small>
                {t(`wizard.language.${script.language}`)} ·{' '}
                {t('campaign.version', { version: script.publishedVersion })}
              </small>
            </Radio>
          ))}
        </Radio.Group>
      </Field>
      {chosen !== undefined && <Variables script={chosen} wizard={wizard} />}
      {missing.length > 0 && (
        <Alert
          type="warning"
          showIcon
          title={t('wizard.missingVariables', { names: missing.map(({ label }) => label).join(', ') })}
        />
      )}
      <div className="wizard-buttons">
        <Button onClick={() => wizard.setStep('columns')}>{t('common.back')}</Button>
        <Button
          type="primary"
          onClick={() => {
            setTried(true);
            if (wizard.name.trim() !== '' && chosen !== undefined) wizard.setStep('rules');
          }}
        >
          {t('common.next')}
        </Button>
      </div>
    </div>
  );
}

const COVERAGE = {
  column: { colour: 'green', text: 'hasColumn' },
  fallback: { colour: 'default', text: 'fallbackUsed' },
  missing: { colour: 'volcano', text: 'noColumn' },
} as const;

function Variables({ script, wizard }: { readonly script: ScriptSummary; readonly wizard: Wizard }) {
  const { t } = useTranslation();
  const columns = wizard.chosen?.preview.columns ?? [];
  return (
    <section aria-label={t('wizard.variables')}>
      <h3>{t('wizard.variables')}</h3>
      <ul className="variables">
        {script.variables.map((variable) => {
          const coverage = COVERAGE[coverageOf(variable, columns, wizard.uses)];
          return (
            <li key={variable.name}>
              <span>{variable.label}</span>
              <code>{variable.name}</code>
              <span className="hint">{variable.required ? t('wizard.required') : t('wizard.optional')}</span>
              <Tag color={coverage.colour}>{t(`wizard.${coverage.text}`)}</Tag>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
