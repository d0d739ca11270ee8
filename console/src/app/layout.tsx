import { PhoneOutlined, ProjectOutlined, StopOutlined } from '@ant-design/icons';
import { Link, Outlet, useLocation } from '@tanstack/react-router';
import { Layout as AntLayout, Menu } from 'antd';
import { useTranslation } from 'react-i18next';
import { LanguageSwitch } from './language-switch.tsx';
import { UserMenu } from './user-menu.tsx';

/** The frame of every page behind the sign-in: side menu, language, user. */
export function Layout() {
  const { t } = useTranslation();
  const { pathname } = useLocation();
  return (
    <AntLayout className="frame">
      <a className="skip" href="#main">
        {t('nav.skip')}
      </a>
      <AntLayout.Sider width={196} theme="light" className="frame-side">
        <Link to="/campaigns" className="brand">
          <img src="/favicon.svg" alt="" width={28} height={28} />
          <span>{t('app.product')}</span>
        </Link>
        <nav aria-label={t('nav.menu')}>
          <Menu
            mode="inline"
            selectedKeys={[`/${pathname.split('/')[1] ?? ''}`]}
            items={[
              {
                key: '/campaigns',
                icon: <ProjectOutlined />,
                label: <Link to="/campaigns">{t('nav.campaigns')}</Link>,
              },
              { key: '/calls', icon: <PhoneOutlined />, label: <Link to="/calls">{t('nav.calls')}</Link> },
              {
                key: '/suppressions',
                icon: <StopOutlined />,
                label: <Link to="/suppressions">{t('nav.suppressions')}</Link>,
              },
            ]}
          />
        </nav>
      </AntLayout.Sider>
      <AntLayout>
        <AntLayout.Header className="frame-head">
          <span className="frame-tagline">{t('app.tagline')}</span>
          <LanguageSwitch />
          <UserMenu />
        </AntLayout.Header>
        <AntLayout.Content className="frame-main" id="main">
          <Outlet />
        </AntLayout.Content>
      </AntLayout>
    </AntLayout>
  );
}
