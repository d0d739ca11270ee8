import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App } from 'antd';
import type { CampaignAction, CampaignView } from '#domain/api.ts';
import { askAgain } from '../../api/ask-again.ts';
import { request } from '../../api/request.ts';
import { useFailureText } from '../../app/use-failure-text.ts';

/** Starts, pauses, resumes or cancels a campaign and refreshes what shows it; a refusal is said aloud. */
export function useCampaignAction() {
  const client = useQueryClient();
  const { message } = App.useApp();
  const failureText = useFailureText();
  return useMutation({
    mutationFn: ({ id, action }: { readonly id: string } & CampaignAction) =>
      request<CampaignView>(`/api/campaigns/${id}/state`, { method: 'POST', body: { action } }),
    onError: (error) => void message.error(failureText(error)),
    onSettled: () => askAgain(client, ['campaigns']),
  });
}
