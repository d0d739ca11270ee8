import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { App as AntApp, ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { useTranslation } from 'react-i18next';
import { queryClient, router } from './router.tsx';
import { calmTheme, theme } from './theme.ts';
import { useCalm } from './use-calm.ts';

/** The console with everything that its pages share. */
export function App() {
  const { i18n } = useTranslation();
  const calm = useCalm();
  return (
    <ConfigProvider
      button={{ autoInsertSpace: false }}
      theme={calm ? calmTheme : theme}
      wave={{ disabled: calm }}
      locale={i18n.language === 'en' ? enUS : zhCN}
    >
      <AntApp>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </AntApp>
    </ConfigProvider>
  );
}
