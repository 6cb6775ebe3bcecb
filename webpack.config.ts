import path from 'node:path';
import CopyWebpackPlugin from 'copy-webpack-plugin';
import type { Configuration, RuleSetRule } from 'webpack';
import grafanaConfig, { type Env } from './.config/webpack/webpack.config.ts';

/** Grafana's build as scaffolded, with React's automatic JSX runtime, which both React 18 and 19 have. */
export default async function config(env: Env): Promise<Configuration> {
  const base = await grafanaConfig(env);
  for (const rule of (base.module?.rules ?? []) as RuleSetRule[]) {
    const use = rule.use as { loader?: string; options?: { jsc?: object } } | undefined;
    if (use?.loader === 'swc-loader' && use.options?.jsc) {
      use.options.jsc = { ...use.options.jsc, transform: { react: { runtime: 'automatic' } } };
    }
  }
  base.cache = {
    type: 'filesystem',
    buildDependencies: {
      config: [path.resolve('webpack.config.ts'), path.resolve('.config/webpack/webpack.config.ts')],
    },
  };
  base.plugins?.push(
    new CopyWebpackPlugin({ patterns: [{ from: path.resolve('provisioning/dashboards/direct'), to: 'dashboards' }] })
  );
  return base;
}
