import { LockOutlined, UserOutlined } from '@ant-design/icons';
import { useSearch } from '@tanstack/react-router';
import { Button, Card, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { FailureAlert } from '../../app/failure-alert.tsx';
import { LanguageSwitch } from '../../app/language-switch.tsx';
import { useSignIn } from './use-sign-in.ts';
import type { Credentials } from './use-sign-in.ts';

/** Name and password; leads back to where the user wanted to go. */
export function SignInPage() {
  const { t } = useTranslation();
  const { back } = useSearch({ from: '/sign-in' });
  const signIn = useSignIn(back);
  return (
    <div className="sign-in">
      <div className="sign-in-language">
        <LanguageSwitch />
      </div>
      <section className="sign-in-about">
        <div className="brand">
          <img src="/favicon.svg" alt="" width={40} height={40} />
          <span>{t('app.product')}</span>
        </div>
        <h2>{t('session.welcome')}</h2>
        <p>{t('session.welcomeHint')}</p>
      </section>
      <Card className="sign-in-card">
        <h1>{t('session.title')}</h1>
        <Form<Credentials> layout="vertical" requiredMark={false} onFinish={(values) => signIn.mutate(values)}>
          <Form.Item
            name="name"
            label={t('session.name')}
            rules={[{ required: true, message: t('session.nameRequired') }]}
          >
            <Input prefix={<UserOutlined />} autoComplete="username" autoFocus maxLength={64} />
          </Form.Item>
          <Form.Item
            name="password"
            label={t('session.password')}
            rules={[{ required: true, message: t('session.passwordRequired') }]}
          >
            <Input.Password prefix={<LockOutlined />} autoComplete="current-password" maxLength={256} />
          </Form.Item>
          <FailureAlert error={signIn.error} />
          <Button type="primary" htmlType="submit" block loading={signIn.isPending} className="sign-in-submit">
            {t('session.submit')}
          </Button>
        </Form>
        <p className="hint">{t('session.firstTime')}</p>
      </Card>
    </div>
  );
}
