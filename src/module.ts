import { DataSourcePlugin } from '@grafana/data';
import { ConfigEditor } from './components/ConfigEditor';
import { QueryEditor } from './components/QueryEditor';
import { QueryHelp } from './components/QueryHelp';
import { SidekiqDataSource } from './datasource';
import type { SidekiqOptions, SidekiqQuery, SidekiqSecrets } from './types';

export const plugin = new DataSourcePlugin<SidekiqDataSource, SidekiqQuery, SidekiqOptions, SidekiqSecrets>(
  SidekiqDataSource
)
  .setConfigEditor(ConfigEditor)
  .setQueryEditor(QueryEditor)
  .setQueryEditorHelp(QueryHelp);
