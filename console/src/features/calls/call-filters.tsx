import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Button, Input, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCodeOptions } from '../../app/use-code-options.ts';
import { campaignListQuery } from '../campaigns/campaign-queries.ts';
import { parseCallSearch } from './call-search.ts';
import type { CallSearch } from './call-search.ts';

/** The filters of the call list; each change goes into the address. */
export function CallFilters({ search }: { readonly search: CallSearch }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const options = useCodeOptions();
  const campaigns = useQuery({ ...campaignListQuery, refetchInterval: false });
  const change = (part: { readonly [Key in keyof CallSearch]: CallSearch[Key] | undefined | null }): void => {
    void navigate({ to: '/calls', search: parseCallSearch({ ...search, ...part }), replace: true });
  };
  return (
    <div className="filters">
      <Select
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        placeholder={t('call.campaign')}
        aria-label={t('call.campaign')}
        value={search.campaignId ?? null}
        options={(campaigns.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        onChange={(campaignId) => change({ campaignId })}
        className="filter-wide"
      />
      <Select
        allowClear
        placeholder={t('call.direction')}
        aria-label={t('call.direction')}
        value={search.direction ?? null}
        options={options.directions}
        onChange={(direction) => change({ direction })}
      />
      <Select
        allowClear
        showSearch={{ optionFilterProp: 'label' }}
        placeholder={t('common.outcome')}
        aria-label={t('common.outcome')}
        value={search.outcome ?? null}
        options={options.outcomes}
        onChange={(outcome) => change({ outcome })}
      />
      <Select
        allowClear
        placeholder={t('common.grade')}
        aria-label={t('common.grade')}
        value={search.grade ?? null}
        options={options.grades}
        onChange={(grade) => change({ grade })}
      />
      <Input.Search
        key={search.phone ?? ''}
        allowClear
        placeholder={t('common.phone')}
        aria-label={t('common.phone')}
        defaultValue={search.phone}
        maxLength={32}
        onSearch={(phone) => change({ phone: phone.trim() })}
      />
      <label className="filter-labelled">
        <span>{t('call.from')}</span>
        <Input
          type="date"
          value={search.from ?? ''}
          max={search.to}
          onChange={(event) => change({ from: event.target.value })}
        />
      </label>
      <label className="filter-labelled">
        <span>{t('call.to')}</span>
        <Input
          type="date"
          value={search.to ?? ''}
          min={search.from}
          onChange={(event) => change({ to: event.target.value })}
        />
      </label>
      <label className="filter-labelled">
        <span>{t('call.minTalk')}</span>
        <InputNumber
          min={0}
          value={search.minTalkSeconds ?? null}
          onChange={(minTalkSeconds) => change({ minTalkSeconds })}
        />
      </label>
      {Object.keys(search).length > 0 && (
        <Button type="link" onClick={() => void navigate({ to: '/calls', search: {}, replace: true })}>
          {t('call.reset')}
        </Button>
      )}
    </div>
  );
}
