import { CloseOutlined, PlusOutlined } from '@ant-design/icons';
import { Button, Input, Switch } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Weekday } from '#domain/campaign.ts';
import { problemAt } from './problem-at.ts';
import type { WindowDraft } from './settings-draft.ts';

const WEEKDAYS: readonly Weekday[] = [1, 2, 3, 4, 5, 6, 7];

/** The times of each weekday at which calls may be made. */
export function WindowsEditor(p: {
  readonly windows: readonly WindowDraft[];
  readonly problems: Readonly<Record<string, string>>;
  readonly onChange: (windows: readonly WindowDraft[]) => void;
}) {
  const { t } = useTranslation();
  const { windows, problems, onChange } = p;
  const edit = (index: number, part: Partial<WindowDraft>): void =>
    onChange(windows.map((window, at) => (at === index ? { ...window, ...part } : window)));
  const add = (weekday: Weekday): void => onChange([...windows, { weekday, start: '09:00', end: '20:00' }]);
  const listProblem = problems['settings.windows'];
  return (
    <>
      <ul className="windows">
        {WEEKDAYS.map((weekday) => {
          const day = t(`weekday.d${weekday}`);
          const own = windows
            .map((window, index) => ({ window, index }))
            .filter((item) => item.window.weekday === weekday);
          return (
            <li key={weekday}>
              <Switch
                size="small"
                checked={own.length > 0}
                aria-label={t('wizard.windowOn', { day })}
                onChange={(on) =>
                  on ? add(weekday) : onChange(windows.filter((window) => window.weekday !== weekday))
                }
              />
              <span className="windows-day">{day}</span>
              <div className="windows-times">
                {own.length === 0 && <span className="hint">{t('wizard.closed')}</span>}
                {own.map(({ window, index }) => {
                  const startProblem = problemAt(problems, `settings.windows[${index}].startMinute`);
                  const endProblem = problemAt(problems, `settings.windows[${index}].endMinute`);
                  return (
                    <div key={index}>
                      <Input
                        size="small"
                        value={window.start}
                        aria-label={t('wizard.windowStart', { day })}
                        status={startProblem === undefined ? '' : 'error'}
                        onChange={(event) => edit(index, { start: event.target.value })}
                      />
                      –
                      <Input
                        size="small"
                        value={window.end}
                        aria-label={t('wizard.windowEnd', { day })}
                        status={endProblem === undefined ? '' : 'error'}
                        onChange={(event) => edit(index, { end: event.target.value })}
                      />
                      {own.length > 1 && (
                        <Button
                          size="small"
                          type="text"
                          icon={<CloseOutlined />}
                          aria-label={t('wizard.removeWindow')}
                          onClick={() => onChange(windows.filter((_, at) => at !== index))}
                        />
                      )}
                      {(startProblem ?? endProblem) !== undefined && (
                        <span className="field-problem" role="alert">
                          {startProblem ?? endProblem}
                        </span>
                      )}
                    </div>
                  );
                })}
              </div>
              {own.length > 0 && (
                <Button size="small" type="text" icon={<PlusOutlined />} onClick={() => add(weekday)}>
                  {t('wizard.addWindow')}
                </Button>
              )}
            </li>
          );
        })}
      </ul>
      {listProblem !== undefined && (
        <span className="field-problem" role="alert">
          {listProblem}
        </span>
      )}
    </>
  );
}
