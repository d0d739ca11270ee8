import type { ThemeConfig } from 'antd';

/** Colours that charts, waveforms and the theme share. */
export const COLOURS = {
  primary: '#0f6f78',
  callee: '#c2410c',
  platform: '#0f6f78',
  bar: '#2a8f98',
  track: '#e8eef0',
} as const;

/** The look of the console: calm, compact, Chinese type first. */
export const theme: ThemeConfig = {
  token: {
    colorPrimary: COLOURS.primary,
    colorInfo: COLOURS.primary,
    colorLink: COLOURS.primary,
    // The tints that antd derives from this primary are grey.
    colorPrimaryBg: '#e4f0f1',
    colorPrimaryBgHover: '#d5e8ea',
    colorPrimaryBorder: '#a9d0d3',
    colorInfoBg: '#e4f0f1',
    colorInfoBorder: '#a9d0d3',
    colorBgLayout: '#f4f7f8',
    borderRadius: 6,
    fontSize: 14,
    fontFamily:
      '"PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  },
  components: {
    Layout: { siderBg: '#ffffff', headerBg: '#ffffff', headerHeight: 52, headerPadding: '0 20px' },
    Menu: { itemSelectedBg: '#e4f0f1', itemActiveBg: '#eef5f6', itemBorderRadius: 6, activeBarBorderWidth: 0 },
    Table: { headerBg: '#f4f7f8', headerColor: '#3f5358', cellPaddingBlockSM: 7 },
    Card: { headerFontSize: 15, headerHeight: 46 },
  },
};

/** The same without motion. */
export const calmTheme: ThemeConfig = { ...theme, token: { ...theme.token, motion: false } };
