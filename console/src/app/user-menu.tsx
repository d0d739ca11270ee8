import { DownOutlined, KeyOutlined, LogoutOutlined, UserOutlined } from '@ant-design/icons';
import { useQuery } from '@tanstack/react-query';
import { Button, Dropdown } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ChangePassword } from '../features/session/change-password.tsx';
import { sessionQuery } from '../features/session/session-query.ts';
import { useSignOut } from '../features/session/use-sign-out.ts';

/** Who is signed in, their password, and the way out. */
export function UserMenu() {
  const { t } = useTranslation();
  const { data } = useQuery(sessionQuery);
  const signOut = useSignOut();
  const [changing, setChanging] = useState(false);
  if (data === undefined) return null;
  return (
    <>
      <Dropdown
        trigger={['click']}
        menu={{
          items: [
            { key: 'role', disabled: true, label: t(`role.${data.user.role}`) },
            { type: 'divider' },
            { key: 'password', icon: <KeyOutlined />, label: t('session.changePassword') },
            { key: 'sign-out', icon: <LogoutOutlined />, label: t('session.signOut') },
          ],
          onClick: ({ key }) => {
            if (key === 'sign-out') signOut.mutate();
            else if (key === 'password') setChanging(true);
          },
        }}
      >
        <Button type="text" icon={<UserOutlined />} loading={signOut.isPending}>
          {data.user.name} <DownOutlined className="caret" />
        </Button>
      </Dropdown>
      <ChangePassword open={changing} onClose={() => setChanging(false)} />
    </>
  );
}
