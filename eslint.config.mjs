import grafanaI18n from '@grafana/i18n/eslint-plugin';
import tseslint from '@typescript-eslint/eslint-plugin';
import { defineConfig } from 'eslint/config';
import baseConfig from './.config/eslint.config.mjs';

const TYPESCRIPT = ['{src,pkg,dashboards,scripts,tests}/**/*.{ts,tsx}'];

export default defineConfig([
  { ignores: ['**/node_modules/', '**/dist/', '**/coverage/', '.config/', 'sidekiq-app/'] },
  ...baseConfig,
  ...tseslint.configs['flat/recommended-type-checked'].map((config) => ({ ...config, files: TYPESCRIPT })),
  {
    files: TYPESCRIPT,
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      // The build uses React's automatic JSX runtime.
      'react/react-in-jsx-scope': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Functions of a table of literals are passed as values; none of them uses `this`.
      '@typescript-eslint/unbound-method': 'off',
      // A function that implements an asynchronous interface need not wait for anything.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { '@grafana/i18n': grafanaI18n },
    rules: {
      '@grafana/i18n/no-untranslated-strings': ['error', { calleesToIgnore: ['^css$', 'use[A-Z].*'] }],
      '@grafana/i18n/no-translation-top-level': 'error',
    },
  },
  {
    files: ['tests/**/*.{ts,tsx}'],
    rules: {
      // Matchers such as expect.any() are of the type any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/restrict-template-expressions': 'off',
      'react-hooks/purity': 'off',
    },
  },
  {
    files: ['tests/**/*.ts'],
    ignores: ['tests/support/fastCheck.ts'],
    rules: {
      'no-restricted-imports': ['error', { name: 'fast-check', message: 'Take it from tests/support/fastCheck.' }],
    },
  },
]);
