import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { App } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CampaignView, ImportPreview, ImportView, NewCampaign } from '#domain/api.ts';
import { askAgain } from '../../../api/ask-again.ts';
import { ApiFailure, request } from '../../../api/request.ts';
import { importFile, previewFile } from '../../../api/upload.ts';
import { useFailureText } from '../../../app/use-failure-text.ts';
import { useFormat } from '../../../i18n/use-format.ts';
import { defaultsQuery, scriptsQuery } from '../campaign-queries.ts';
import { guessUses, mappingOf, variableChoices } from './mapping.ts';
import type { ColumnUse } from './mapping.ts';
import { draftOf, settingsOf } from './settings-draft.ts';
import type { SettingsDraft } from './settings-draft.ts';

/** The steps in their order. */
export const STEPS = ['upload', 'columns', 'script', 'rules', 'review'] as const;
export type Step = (typeof STEPS)[number];

/** A file that has been read. */
export interface ChosenFile {
  readonly file: File;
  readonly preview: ImportPreview;
}

/** Everything the wizard knows and does; its steps only show it. */
export function useWizard() {
  const { t } = useTranslation();
  const format = useFormat();
  const failureText = useFailureText();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const client = useQueryClient();
  const scripts = useQuery(scriptsQuery);
  const defaults = useQuery(defaultsQuery);

  const [step, setStep] = useState<Step>('upload');
  const [chosen, setChosen] = useState<ChosenFile>();
  const [uses, setUses] = useState<readonly ColumnUse[]>([]);
  const [sentRatio, setSentRatio] = useState(0);
  const [name, setName] = useState('');
  const [scriptId, setScriptId] = useState<string>();
  const [edited, setEdited] = useState<SettingsDraft>();
  const [problems, setProblems] = useState<Readonly<Record<string, string>>>({});

  const variables = variableChoices(scripts.data ?? []);
  const draft = edited ?? (defaults.data === undefined ? undefined : draftOf(defaults.data.settings));

  const read = useMutation({
    mutationFn: async (file: File): Promise<ChosenFile> => ({ file, preview: await previewFile(file) }),
    onSuccess: (next) => {
      setChosen(next);
      setUses(guessUses(next.preview, variables));
      load.reset();
      setStep('columns');
    },
  });
  const load = useMutation({
    mutationFn: async ({ file, preview }: ChosenFile): Promise<ImportView> => {
      setSentRatio(0);
      return importFile(file, mappingOf(preview.columns, uses), setSentRatio);
    },
  });
  const create = useMutation({
    mutationFn: async ({ body, start }: { readonly body: NewCampaign; readonly start: boolean }) => {
      const campaign = await request<CampaignView>('/api/campaigns', { method: 'POST', body });
      if (!start) return { campaign, refused: undefined };
      try {
        await request(`/api/campaigns/${campaign.id}/state`, { method: 'POST', body: { action: 'start' } });
        return { campaign, refused: undefined };
      } catch (error) {
        // The draft exists: creating it again would double it, so the user goes on from there.
        return { campaign, refused: failureText(error) };
      }
    },
    onSuccess: async ({ campaign, refused }) => {
      await askAgain(client, ['campaigns']);
      if (refused === undefined) void message.success(t('wizard.created'));
      else void message.warning(t('wizard.createdNotStarted', { reason: refused }), 8);
      await navigate({ to: '/campaigns/$campaignId', params: { campaignId: campaign.id } });
    },
    onError: (error) => {
      if (!(error instanceof ApiFailure) || error.problems.length === 0) return;
      setProblems(Object.fromEntries(error.problems.map((problem) => [problem.path, format.text(problem.message)])));
      setStep(error.problems.some(({ path }) => path === 'name' || path === 'scriptId') ? 'script' : 'rules');
    },
  });

  /** Takes what the fields say; where they are wrong, shows it and returns undefined. */
  const checkRules = () => {
    if (draft === undefined) return undefined;
    const result = settingsOf(draft);
    const wrong = result.ok ? {} : result.problems;
    setProblems(Object.fromEntries(Object.entries(wrong).map(([path, key]) => [path, t(`wizard.${key}`)])));
    return result.ok ? result.settings : undefined;
  };
  const submit = (start: boolean): void => {
    const settings = checkRules();
    if (settings === undefined) {
      setStep('rules');
      return;
    }
    if (scriptId === undefined || load.data === undefined) return;
    create.mutate({ body: { name: name.trim(), scriptId, settings, importIds: [load.data.id] }, start });
  };
  const editDraft = (part: Partial<SettingsDraft>): void => {
    if (draft !== undefined) setEdited({ ...draft, ...part });
    setProblems({});
    create.reset();
  };

  return {
    step,
    setStep,
    chosen,
    uses,
    setUse: (index: number, use: ColumnUse) => {
      setUses(uses.map((old, at) => (at === index ? use : old)));
      load.reset();
    },
    read,
    load,
    sentRatio,
    create,
    scripts,
    defaults,
    variables,
    name,
    setName: (text: string) => {
      setName(text);
      setProblems({});
    },
    scriptId,
    setScriptId,
    draft,
    editDraft,
    problems,
    checkRules,
    submit,
  };
}

/** What the steps get. */
export type Wizard = ReturnType<typeof useWizard>;
