import { Alert, Card, Steps } from 'antd';
import { useTranslation } from 'react-i18next';
import { PageHeader } from '../../../app/page-header.tsx';
import { ColumnsStep } from './columns-step.tsx';
import { ReviewStep } from './review-step.tsx';
import { RulesStep } from './rules-step.tsx';
import { ScriptStep } from './script-step.tsx';
import { UploadStep } from './upload-step.tsx';
import { STEPS, useWizard } from './use-wizard.ts';

/** From a file to a running campaign. */
export function WizardPage() {
  const { t } = useTranslation();
  const wizard = useWizard();
  const { step, chosen } = wizard;
  const problemCount = Object.keys(wizard.problems).length;
  return (
    <>
      <PageHeader title={t('wizard.title')} />
      <Card>
        <Steps
          size="small"
          current={STEPS.indexOf(step)}
          items={STEPS.map((key) => ({ title: t(`wizard.steps.${key}`) }))}
        />
        {problemCount > 0 && (
          <Alert
            type="error"
            showIcon
            title={t('wizard.problems', { count: problemCount })}
            className="wizard-problems"
          />
        )}
        {step === 'upload' && <UploadStep wizard={wizard} />}
        {step === 'columns' && chosen !== undefined && <ColumnsStep wizard={wizard} chosen={chosen} />}
        {step === 'script' && <ScriptStep wizard={wizard} />}
        {step === 'rules' && <RulesStep wizard={wizard} />}
        {step === 'review' && <ReviewStep wizard={wizard} />}
      </Card>
    </>
  );
}
