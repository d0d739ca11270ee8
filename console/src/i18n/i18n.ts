import { createInstance } from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en } from './en.ts';
import { rememberedLanguage } from './language.ts';
import { zh } from './zh.ts';

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: typeof zh };
  }
}

/** The texts of the console; every component reads them through react-i18next. */
const i18n = createInstance();
void i18n.use(initReactI18next).init({
  lng: rememberedLanguage(),
  resources: { zh: { translation: zh }, en: { translation: en } },
  fallbackLng: false,
  interpolation: { escapeValue: false },
  returnNull: false,
});
document.documentElement.lang = i18n.language === 'en' ? 'en' : 'zh-CN';
i18n.on('languageChanged', (language) => {
  document.documentElement.lang = language === 'en' ? 'en' : 'zh-CN';
});
