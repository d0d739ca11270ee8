import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { SessionView } from '#domain/api.ts';
import type { Language } from '#domain/text.ts';
import { request } from '../../api/request.ts';
import { rememberLanguage } from '../../i18n/language.ts';
import { sessionQuery } from './session-query.ts';

/** The language shown and its setter, which keeps it in the browser and, where somebody is signed in, on the user. */
export function useLanguage(): { readonly language: Language; readonly setLanguage: (language: Language) => void } {
  const { i18n } = useTranslation();
  const client = useQueryClient();
  const setLanguage = (language: Language): void => {
    rememberLanguage(language);
    void i18n.changeLanguage(language);
    const session = client.getQueryData<SessionView>(sessionQuery.queryKey);
    if (session === undefined) return;
    client.setQueryData(sessionQuery.queryKey, { ...session, user: { ...session.user, language } });
    // The choice holds in this browser even where the server cannot keep it.
    request('/api/session', { method: 'PATCH', body: { language } }).catch(() => undefined);
  };
  return { language: i18n.language === 'en' ? 'en' : 'zh', setLanguage };
}
