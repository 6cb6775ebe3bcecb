import { expect, test } from '@grafana/plugin-e2e';
import type { SidekiqOptions, SidekiqSecrets } from '../../src/types';

const FILE = 'sidekiq.yaml';

test('the data source of the provisioning is healthy', async ({
  readProvisionedDataSource,
  gotoDataSourceConfigPage,
}) => {
  const { uid } = await readProvisionedDataSource<SidekiqOptions, SidekiqSecrets>({ fileName: FILE });
  const config = await gotoDataSourceConfigPage(uid ?? 'sidekiq');
  await expect(config.ctx.page.locator('#config-url')).toBeVisible();
  await expect(config.ctx.page.getByRole('button', { name: 'Import dashboards' })).toBeVisible();
  const answer = await config.ctx.page.request.get(`/api/datasources/uid/${uid}/health`);
  expect(await answer.json()).toMatchObject({ status: 'OK' });
});

test('a form without a server that answers says what to do', async ({ createDataSourceConfigPage }) => {
  const config = await createDataSourceConfigPage({ type: 'jobwatch-sidekiq-datasource' });
  await config.ctx.page.locator('#config-url').fill('redis://127.0.0.1:1/0');
  await expect(config.saveAndTest()).not.toBeOK();
  await expect(config).toHaveAlert('error', { hasText: 'Nothing listens at 127.0.0.1:1' });
});

test('a panel shows the queues, and its form changes what it shows', async ({
  panelEditPage,
  readProvisionedDataSource,
}) => {
  const { name } = await readProvisionedDataSource({ fileName: FILE });
  await panelEditPage.datasource.set(name);
  await panelEditPage.setVisualization('Table');
  const form = panelEditPage.getQueryEditorRow('A');
  await form.locator('input[id^="query-type-"]').click();
  await panelEditPage.ctx.page.getByRole('option', { name: /^Queues/ }).click();
  await expect(panelEditPage.panel.fieldNames).toContainText(['Queue']);
  await expect(panelEditPage.refreshPanel()).toBeOK();
});

test('a variable lists the queues', async ({ variableEditPage, readProvisionedDataSource }) => {
  const { name } = await readProvisionedDataSource({ fileName: FILE });
  await variableEditPage.setVariableType('Query');
  await variableEditPage.datasource.set(name);
  await variableEditPage.runQuery();
  await expect(variableEditPage).toDisplayPreviews(['default']);
});

test('the overview opens without a panel in error', async ({ gotoDashboardPage, readProvisionedDashboard }) => {
  const dashboard = await readProvisionedDashboard({ fileName: 'direct/sidekiq-overview.json' });
  const page = await gotoDashboardPage(dashboard);
  await expect(page.getPanelByTitle('What is wrong').locator).toBeVisible();
  await expect(page.getPanelByTitle('What is wrong').getErrorIcon()).toBeHidden();
});
