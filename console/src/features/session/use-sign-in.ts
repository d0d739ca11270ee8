import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { SessionView } from '#domain/api.ts';
import { request } from '../../api/request.ts';
import { rememberLanguage } from '../../i18n/language.ts';
import { sessionQuery } from './session-query.ts';

export interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** Opens a session, takes over the user's language and goes on to `back`. */
export function useSignIn(back: string | undefined) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { i18n } = useTranslation();
  return useMutation({
    mutationFn: (credentials: Credentials) =>
      request<SessionView>('/api/session', { method: 'POST', body: credentials }),
    onSuccess: async (session) => {
      client.removeQueries();
      client.setQueryData(sessionQuery.queryKey, session);
      rememberLanguage(session.user.language);
      await i18n.changeLanguage(session.user.language);
      await navigate({ href: back ?? '/campaigns' });
    },
  });
}
