import { Alert, Button, Progress, Select, Table } from 'antd';
import { useTranslation } from 'react-i18next';
import { FailureAlert } from '../../../app/failure-alert.tsx';
import { ImportResult } from './import-result.tsx';
import { mappingProblems } from './mapping.ts';
import type { ColumnUse } from './mapping.ts';
import type { ChosenFile, Wizard } from './use-wizard.ts';

/** Says what each column is for, over the file's first rows, and imports it. */
export function ColumnsStep({ wizard, chosen }: { readonly wizard: Wizard; readonly chosen: ChosenFile }) {
  const { t } = useTranslation();
  const { load } = wizard;
  const { preview, file } = chosen;
  const problems = mappingProblems(wizard.uses, wizard.variables);
  const choices: { readonly value: ColumnUse; readonly label: string }[] = [
    { value: 'phone', label: t('wizard.usePhone') },
    { value: 'name', label: t('wizard.useName') },
    { value: 'attribute', label: t('wizard.useAttribute') },
    { value: 'ignore', label: t('wizard.useIgnore') },
    ...wizard.variables.map(({ name, label }) => ({
      value: `variable:${name}` as const,
      label: t('wizard.useVariable', { label }),
    })),
  ];
  if (load.data !== undefined) return <ImportResult wizard={wizard} result={load.data} />;
  return (
    <div className="wizard-step">
      <div className="wizard-file">
        <span>
          {t('wizard.file')}: <strong>{file.name}</strong> · {t('wizard.encoding')}: {preview.encoding.toUpperCase()}
        </span>
        <Button size="small" disabled={load.isPending} onClick={() => wizard.setStep('upload')}>
          {t('wizard.otherFile')}
        </Button>
      </div>
      <p>{t('wizard.columnsHint')}</p>
      <Table
        size="small"
        bordered
        rowKey="key"
        pagination={false}
        scroll={{ x: preview.columns.length * 190 }}
        columns={preview.columns.map((column, index) => ({
          key: column,
          width: 190,
          title: (
            <div className="column-head">
              <span>{column}</span>
              <Select<ColumnUse>
                size="small"
                aria-label={t('wizard.columnUse', { column })}
                value={wizard.uses[index] ?? 'attribute'}
                options={choices}
                disabled={load.isPending}
                popupMatchSelectWidth={false}
                onChange={(use) => wizard.setUse(index, use)}
              />
            </div>
          ),
          dataIndex: ['cells', index],
          ellipsis: true,
          ...(wizard.uses[index] === 'ignore' ? { className: 'column-ignored' } : {}),
        }))}
        dataSource={preview.rows.slice(0, 8).map((cells, key) => ({ key, cells }))}
      />
      {problems.map((problem) => (
        <Alert
          key={problem.code + problem.label}
          type="warning"
          showIcon
          title={t(`wizard.${problem.code}`, { label: problem.label })}
        />
      ))}
      <FailureAlert error={load.error} />
      {load.isPending && (
        <div role="status">
          {t('wizard.importing')}
          <Progress percent={Math.floor(wizard.sentRatio * 100)} status="active" />
        </div>
      )}
      <div className="wizard-buttons">
        <Button disabled={load.isPending} onClick={() => wizard.setStep('upload')}>
          {t('common.back')}
        </Button>
        <Button
          type="primary"
          loading={load.isPending}
          disabled={problems.length > 0}
          onClick={() => load.mutate(chosen)}
        >
          {t('wizard.import')}
        </Button>
      </div>
    </div>
  );
}
