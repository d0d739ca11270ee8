import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { expect, onTestFinished, test } from 'vitest';
import { askAgain } from './ask-again.ts';

test('an answer that was on its way before a change is not what is shown after it', async () => {
  const client = new QueryClient();
  const answers: ((rows: string[]) => void)[] = [];
  const queryFn = () => new Promise<string[]>((resolve) => answers.push(resolve));
  const observer = new QueryObserver(client, { queryKey: ['rows', 'found'], queryFn });
  onTestFinished(observer.subscribe(() => undefined));
  onTestFinished(() => client.clear());
  expect(answers).toHaveLength(1);
  const asked = askAgain(client, ['rows']);
  // The change has been made by now; the first question was answered before it.
  answers[0]!(['removed']);
  await expect.poll(() => answers.length).toBe(2);
  answers[1]!([]);
  await asked;
  expect(observer.getCurrentResult().data).toEqual([]);
});
