import type { PluginOptions } from '@grafana/plugin-e2e';
import { defineConfig } from '@playwright/test';

const executablePath = process.env['CHROMIUM_BIN'];

/** Tests that must hold on every supported Grafana; GRAFANA_URL says where one runs, as the workflow's matrix does. */
export default defineConfig<PluginOptions>({
  testDir: '.',
  timeout: 60_000,
  fullyParallel: false,
  reporter: 'list',
  use: {
    baseURL: process.env['GRAFANA_URL'] ?? 'http://localhost:3000',
    launchOptions: { args: ['--no-sandbox'], ...(executablePath && { executablePath }) },
    provisioningRootDir: `${__dirname}/../../provisioning`,
  },
});
