import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest begin first, in this order: a fresh clone does not know how long they take, and one of them
 * that begins last has the cores to itself at the end. Those that run calls of whole platforms come behind those that mostly
 * start them and wait.
 */
const FIRST = [
  'test/process/commands.test.ts',
  'test/e2e/console.test.ts',
  'test/process/start.test.ts',
  'test/process/kill.test.ts',
  'test/process/sample.test.ts',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const index = FIRST.findIndex((file) => moduleId.endsWith(`/${file}`));
      return index < 0 ? FIRST.length : index;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'console/src/**/*.test.{ts,tsx}'],
    exclude: ['test/eval/**', '**/node_modules/**'],
    setupFiles: ['test/support/property-seed.ts'],
    globalSetup: ['test/support/database-server.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
