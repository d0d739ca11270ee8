import { CaretRightOutlined, PauseOutlined, StopOutlined } from '@ant-design/icons';
import { App, Button, Space } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { CampaignAction, CampaignView } from '#domain/api.ts';
import { useRole } from '../session/use-role.ts';
import { actionsOf } from './campaign-progress.ts';
import { useCampaignAction } from './use-campaign-action.ts';

type Action = CampaignAction['action'];

const ICONS: Readonly<Record<Action, ReactNode>> = {
  start: <CaretRightOutlined />,
  pause: <PauseOutlined />,
  resume: <CaretRightOutlined />,
  cancel: <StopOutlined />,
};

/** The buttons that a campaign's state allows; cancelling asks first. */
export function CampaignActions({
  campaign,
  size = 'middle',
}: {
  readonly campaign: Pick<CampaignView, 'id' | 'name' | 'state'>;
  readonly size?: 'small' | 'middle';
}) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const mayOperate = useRole('operator');
  const action = useCampaignAction();
  if (!mayOperate) return null;

  const run = (name: Action): void => {
    if (name !== 'cancel') {
      action.mutate({ id: campaign.id, action: name });
      return;
    }
    void modal.confirm({
      title: t('campaign.stop'),
      content: t('campaign.stopConfirm', { name: campaign.name }),
      okText: t('campaign.stopOk'),
      okButtonProps: { danger: true },
      cancelText: t('campaign.stopKeep'),
      onOk: () => action.mutateAsync({ id: campaign.id, action: 'cancel' }).catch(() => undefined),
    });
  };
  return (
    <Space size={size === 'small' ? 4 : 8}>
      {actionsOf(campaign.state).map((name) => (
        <Button
          key={name}
          size={size}
          icon={ICONS[name]}
          type={name === 'cancel' ? (size === 'small' ? 'text' : 'default') : size === 'small' ? 'link' : 'primary'}
          danger={name === 'cancel'}
          loading={action.isPending && action.variables.action === name}
          disabled={action.isPending}
          onClick={() => run(name)}
        >
          {t(name === 'cancel' ? 'campaign.stop' : `campaign.${name}`)}
        </Button>
      ))}
    </Space>
  );
}
