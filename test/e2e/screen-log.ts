import type { Page } from 'playwright-core';

/** When something first stood on the screen: ms since 1970 by what it was. */
export type ScreenLog = Readonly<Record<string, number>>;

// Scripts for the page are text: the tests are checked without the browser's types.
const WATCH = `(() => {
  const log = (window.screenLog = {});
  const look = () => {
    for (const element of document.querySelectorAll('[data-figure]'))
      log['figure:' + element.dataset.figure + '=' + element.textContent] ??= Date.now();
    for (const element of document.querySelectorAll('[data-ended]'))
      log['ended:' + element.dataset.ended] ??= Date.now();
  };
  look();
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
})()`;

/** Notes from now on when figures change (`figure:NAME=VALUE`) and when ended calls appear (`ended:ID`). */
export async function watchScreen(page: Page): Promise<() => Promise<ScreenLog>> {
  await page.evaluate(WATCH);
  return () => page.evaluate<ScreenLog>('window.screenLog');
}

/** Where the page's audio element is, in seconds. */
export function playedSeconds(page: Page): Promise<number> {
  return page.evaluate<number>(`document.querySelector('audio').currentTime`);
}

/** The texts of what a selector finds, as they are seen. */
export function seenTexts(page: Page, selector: string): Promise<readonly string[]> {
  return page.evaluate<readonly string[]>(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((element) => element.innerText ?? '')`,
  );
}

const OVERFLOWING = `(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll('#root *')]
    .filter((element) => element.getBoundingClientRect().right > width + 1)
    .filter((element) => element.closest('.ant-table-content, .ant-table-body, .ant-tabs-nav') === null)
    .map((element) => element.tagName + '.' + element.className);
})()`;

/** What sticks out at the right of a page that scrolls sideways; tables scroll by themselves. */
export function overflowing(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(OVERFLOWING);
}
