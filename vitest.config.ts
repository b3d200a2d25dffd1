import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Left to itself, vitest leaves one of two cores idle.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // End-to-end tests start many processes; a busy machine with two cores takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
