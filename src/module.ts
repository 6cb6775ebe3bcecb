import { DataSourcePlugin } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { config } from '@grafana/runtime';
import pluginJson from '../plugin.json';
import { ConfigEditor } from './components/config/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { QueryHelp } from './components/QueryHelp';
import { SidekiqDataSource } from './datasource';
import { loadersFor } from './loadResources';
import type { SidekiqOptions, SidekiqQuery, SidekiqSecrets } from './types';

await initPluginTranslations(pluginJson.id, loadersFor(config.buildInfo.version));

export const plugin = new DataSourcePlugin<SidekiqDataSource, SidekiqQuery, SidekiqOptions, SidekiqSecrets>(
  SidekiqDataSource
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(QueryHelp);
