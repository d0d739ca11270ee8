import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { zhCodes } from '../i18n/zh-codes.ts';

/** One choice of a select. */
export interface CodeOption {
  readonly value: string;
  readonly label: string;
}

const keysOf = <Codes extends object>(codes: Codes): readonly (keyof Codes & string)[] =>
  Object.keys(codes) as (keyof Codes & string)[];

/** The codes of the API as choices in the language shown. */
export function useCodeOptions(): Readonly<Record<'outcomes' | 'grades' | 'leadStates' | 'directions', CodeOption[]>> {
  const { t } = useTranslation();
  return useMemo(
    () => ({
      outcomes: keysOf(zhCodes.outcome).map((value) => ({ value, label: t(`outcome.${value}`) })),
      grades: keysOf(zhCodes.grade).map((value) => ({ value, label: `${value} ${t(`grade.${value}`)}` })),
      directions: keysOf(zhCodes.direction).map((value) => ({ value, label: t(`direction.${value}`) })),
      leadStates: keysOf(zhCodes.leadState).map((value) => ({ value, label: t(`leadState.${value}`) })),
    }),
    [t],
  );
}
