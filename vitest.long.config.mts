import { defineConfig } from 'vitest/config';

/** Faults against real servers: minutes of waiting, so apart from `npm test`. */
export default defineConfig({
  test: {
    include: ['tests/long/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
});
