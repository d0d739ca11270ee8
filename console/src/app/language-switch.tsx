import { Segmented } from 'antd';
import { useTranslation } from 'react-i18next';
import type { Language } from '#domain/text.ts';
import { useLanguage } from '../features/session/use-language.ts';

/** Each language by its own name, whichever is shown. */
const CHOICES: readonly { readonly value: Language; readonly label: string }[] = [
  { value: 'zh', label: '中' },
  { value: 'en', label: 'EN' },
];

/** Changes the language of the console and remembers it. */
export function LanguageSwitch() {
  const { t } = useTranslation();
  const { language, setLanguage } = useLanguage();
  return (
    <Segmented<Language>
      size="small"
      aria-label={t('nav.language')}
      value={language}
      options={[...CHOICES]}
      onChange={setLanguage}
    />
  );
}
