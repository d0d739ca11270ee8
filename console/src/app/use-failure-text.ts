import { useTranslation } from 'react-i18next';
import { ApiFailure } from '../api/request.ts';
import { useFormat } from '../i18n/use-format.ts';

/** Turns whatever was thrown into a sentence for the user. */
export function useFailureText(): (error: unknown) => string {
  const { t } = useTranslation();
  const format = useFormat();
  return (error) => (error instanceof ApiFailure ? format.text(error.text) : t('problem.crash'));
}
