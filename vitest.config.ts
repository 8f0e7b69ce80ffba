import { defineConfig } from 'vitest/config';

const MINUTE_MS = 60_000;
const never = ['**/node_modules/**', 'dist/**', '.venv*/**', '.demo/**'];

// Unhandled rejections and errors fail the run: that is Vitest's default and must stay so.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: [...never, '**/*.pg.test.ts', '**/*.clients.test.ts'],
        },
      },
      {
        // Real producers (mlflow, dbt, OpenLineage) in Python processes: slow to start, and each
        // file runs a server of its own, so one file at a time.
        test: {
          name: 'clients',
          include: ['e2e/clients/**/*.test.ts'],
          exclude: never,
          fileParallelism: false,
          testTimeout: 5 * MINUTE_MS,
          hookTimeout: 5 * MINUTE_MS,
        },
      },
      {
        test: {
          name: 'web',
          include: ['e2e/web/**/*.test.ts'],
          exclude: never,
          fileParallelism: false,
          testTimeout: MINUTE_MS,
          hookTimeout: MINUTE_MS,
        },
      },
    ],
  },
});
