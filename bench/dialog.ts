import { parseArgs } from 'node:util';
import { compileScript } from '#dialog/compile.ts';
import { readSample, SAMPLE_SCRIPTS } from '#dialog/publish.ts';
import { rehearse } from '#dialog/rehearse.ts';
import { printFigure } from './figure.ts';

/** Script turns decided a second on one thread: the sample scripts' own conversations, over and over. */
export async function run(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { seconds: { type: 'string', default: '5' } } });
  const scripts = await Promise.all(SAMPLE_SCRIPTS.map(async (key) => compileScript(await readSample(key))));
  const conversations = scripts.flatMap((script) =>
    script.source.examples.map((example) => ({
      script,
      variables: example.variables,
      turns: example.turns.map((turn) => turn.callee),
    })),
  );
  const pass = (): number =>
    conversations.reduce((turns, { script, ...talk }) => turns + rehearse(script, talk).turnNodes.length, 0);
  pass();
  const startMs = performance.now();
  const untilMs = startMs + Number(values.seconds) * 1000;
  let turns = 0;
  let slowestMs = 0;
  while (performance.now() < untilMs) {
    const passMs = performance.now();
    const done = pass();
    turns += done;
    slowestMs = Math.max(slowestMs, (performance.now() - passMs) / done);
  }
  const seconds = (performance.now() - startMs) / 1000;
  printFigure({ bench: 'dialog', figure: 'turns', value: turns / seconds, unit: '1/s', target: 5000, atLeast: true });
  printFigure({ bench: 'dialog', figure: 'slowest pass', value: slowestMs, unit: 'ms/turn' });
}
