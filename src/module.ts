import { DataSourcePlugin } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { config } from '@grafana/runtime';
import pluginJson from '../plugin.json';
import { ConfigEditor } from './components/config/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { QueryHelp } from './components/QueryHelp';
import { SidekiqDataSource } from './datasource';
import { loadResources } from './loadResources';
import type { SidekiqOptions, SidekiqQuery, SidekiqSecrets } from './types';

await initPluginTranslations(pluginJson.id, grafanaLoadsTexts() ? [] : [loadResources]);

export const plugin = new DataSourcePlugin<SidekiqDataSource, SidekiqQuery, SidekiqOptions, SidekiqSecrets>(
  SidekiqDataSource
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(QueryHelp);

/** Grafana loads the texts of plugins itself since 12.1. */
function grafanaLoadsTexts(): boolean {
  const [major = 0, minor = 0] = config.buildInfo.version.split('.').map(Number);
  return major > 12 || (major === 12 && minor >= 1);
}
