import path from 'node:path';
import CopyWebpackPlugin from 'copy-webpack-plugin';
import type { Configuration, RuleSetRule } from 'webpack';
import { parse } from 'yaml';
import { getPluginJson } from './.config/bundler/utils.ts';
import grafanaConfig, { type Env } from './.config/webpack/webpack.config.ts';
import { sourceName } from './scripts/sourceName.ts';

/** Grafana's build as scaffolded, with a JSX runtime that works in every Grafana since 11.6, on React 18 and 19. */
export default async function config(env: Env): Promise<Configuration> {
  const base = await grafanaConfig(env);
  for (const rule of (base.module?.rules ?? []) as RuleSetRule[]) {
    const use = rule.use as { loader?: string; options?: { jsc?: object } } | undefined;
    if (use?.loader === 'swc-loader' && use.options?.jsc) {
      use.options.jsc = { ...use.options.jsc, transform: { react: { runtime: 'automatic' } } };
    }
  }
  const runtimes = ['react/jsx-runtime', 'react/jsx-dev-runtime'];
  base.externals = (base.externals as unknown[]).filter((each) => !runtimes.includes(String(each))) as NonNullable<
    Configuration['externals']
  >;
  base.resolve = {
    ...base.resolve,
    alias: {
      ...base.resolve?.alias,
      ...Object.fromEntries(runtimes.map((name) => [`${name}$`, path.resolve('src/jsxRuntime.ts')])),
    },
  };
  // The scaffold looks for plugins everywhere, and create-plugin brings templates of some.
  base.entry = { module: path.resolve('src/module.ts') };
  base.cache = {
    type: 'filesystem',
    buildDependencies: {
      config: [path.resolve('webpack.config.ts'), path.resolve('.config/webpack/webpack.config.ts')],
    },
  };
  base.output = { ...base.output, devtoolModuleFilenameTemplate: sourceName };
  base.plugins?.push(
    new CopyWebpackPlugin({
      patterns: [
        { from: path.resolve('provisioning/dashboards/direct'), to: 'dashboards', transform: forImport },
        {
          from: path.resolve('provisioning/alerting/sidekiq.yaml'),
          to: 'alerts.json',
          transform: (content: Buffer) => JSON.stringify(parse(content.toString('utf8'))),
        },
      ],
    })
  );
  return base;
}

const INPUT = 'DS_SIDEKIQ';

/** A dashboard as Grafana imports it: it begins with the data source from whose page it is imported. */
function forImport(content: Buffer): string {
  const dashboard = JSON.parse(content.toString('utf8')) as { templating: { list: Array<Record<string, unknown>> } };
  for (const variable of dashboard.templating.list) {
    if (variable['type'] === 'datasource' && !variable['multi']) {
      variable['current'] = { selected: true, text: `\${${INPUT}}`, value: `\${${INPUT}}` };
    }
  }
  const { id: pluginId, name } = getPluginJson() as { id: string; name: string };
  const input = { name: INPUT, label: name, type: 'datasource', pluginId, pluginName: name };
  return JSON.stringify({ __inputs: [input], ...dashboard }, null, 2);
}
