import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // End-to-end tests start many processes; a busy machine with two cores takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
