import { DownOutlined, LogoutOutlined, UserOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Dropdown } from 'antd';
import { useTranslation } from 'react-i18next';
import { sessionQuery } from '../features/session/session-query.ts';
import { useSignOut } from '../features/session/use-sign-out.ts';

/** Who is signed in, and the way out. */
export function UserMenu() {
  const { t } = useTranslation();
  const { data } = useQuery(sessionQuery);
  const signOut = useSignOut();
  if (data === undefined) return null;
  return (
    <Dropdown
      trigger={['click']}
      menu={{
        items: [
          { key: 'role', disabled: true, label: t(`role.${data.user.role}`) },
          { type: 'divider' },
          { key: 'sign-out', icon: <LogoutOutlined />, label: t('session.signOut') },
        ],
        onClick: ({ key }) => {
          if (key === 'sign-out') signOut.mutate();
        },
      }}
    >
      <Button type="text" icon={<UserOutlined />} loading={signOut.isPending}>
        {data.user.name} <DownOutlined className="caret" />
      </Button>
    </Dropdown>
  );
}
