import { DataSourcePlugin } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import pluginJson from '../plugin.json';
import { ConfigEditor } from './components/config/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { QueryHelp } from './components/QueryHelp';
import { SidekiqDataSource } from './datasource';
import { loadResources } from './loadResources';
import type { SidekiqOptions, SidekiqQuery, SidekiqSecrets } from './types';

await initPluginTranslations(pluginJson.id, [loadResources]);

export const plugin = new DataSourcePlugin<SidekiqDataSource, SidekiqQuery, SidekiqOptions, SidekiqSecrets>(
  SidekiqDataSource
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(QueryHelp);
