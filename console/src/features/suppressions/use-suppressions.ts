import { infiniteQueryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Page, SuppressionView } from '#domain/api.ts';
import { askAgain } from '../../api/ask-again.ts';
import { queryString } from '../../api/query-string.ts';
import { request } from '../../api/request.ts';
import { useFailureText } from '../../app/use-failure-text.ts';

const KEY = ['suppressions'] as const;

/** The list, newest first, or the one entry of a number. */
export function suppressionListQuery(phone: string) {
  return infiniteQueryOptions({
    queryKey: [...KEY, phone],
    queryFn: ({ signal, pageParam }) =>
      request<Page<SuppressionView>>(`/api/suppressions${queryString({ phone, cursor: pageParam, limit: 50 })}`, {
        signal,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next,
  });
}

/** Puts a number on the list. */
export function useSuppress(onDone: () => void) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (entry: { readonly phone: string; readonly note?: string }) =>
      request<{ readonly added: boolean }>('/api/suppressions', { method: 'POST', body: entry }),
    onSuccess: async ({ added }) => {
      void message.success(t(added ? 'suppression.added' : 'suppression.known'));
      onDone();
      await askAgain(client, KEY);
    },
  });
}

/** Takes an entry off the list. */
export function useUnsuppress() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const failureText = useFailureText();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => request<undefined>(`/api/suppressions/${id}`, { method: 'DELETE' }),
    onSuccess: () => void message.success(t('suppression.removed')),
    onError: (error) => void message.error(failureText(error)),
    onSettled: () => askAgain(client, KEY),
  });
}
