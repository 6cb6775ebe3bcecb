import { defineConfig } from 'vitest/config';

/**
 * The tests that mutants of pkg/ are run against: table tests alone, without servers and processes. The simulated
 * months are left out, as each takes seconds and proves bounds of memory, which no mutant of an expression changes.
 */
export default defineConfig({
  test: {
    include: ['tests/unit/**/*.test.ts'],
    exclude: ['tests/unit/{docs,package}.test.ts'],
    testNamePattern: /^(?!.*(month|flood|any bytes))/,
    testTimeout: 30_000,
  },
});
