import { aclLine } from '../pkg/redis/acl';
import { buildDashboard } from './build';
import { grafanaRules, prometheusRules } from './buildAlerts';
import { DASHBOARDS } from './dashboards';

/** Every generated file by its path in the project: dashboards (the build copies the direct ones into the plugin), alert rules. */
export function generatedFiles(): Map<string, string> {
  const files = new Map<string, string>();
  for (const spec of DASHBOARDS) {
    for (const flavour of spec.directOnly ? (['direct'] as const) : (['direct', 'prometheus'] as const)) {
      const dashboard = `${JSON.stringify(buildDashboard(spec, flavour, DASHBOARDS), null, 2)}\n`;
      files.set(`provisioning/dashboards/${flavour}/${spec.id}.json`, dashboard);
    }
  }
  files.set('provisioning/prometheus/sidekiq.rules.yml', prometheusRules());
  files.set('provisioning/alerting/sidekiq.yaml', grafanaRules());
  files.set('provisioning/redis/users.acl', devStackUsers());
  return files;
}

/** Redis' ACL file of the dev stack: applications as the default user, Jobwatch as its read-only one. */
function devStackUsers(): string {
  const jobwatch = aclLine('jobwatch').replace('ACL SETUSER', 'user').replace('reset on >PASSWORD', 'on >jobwatch');
  return `user default on nopass ~* &* +@all\n${jobwatch}\n`;
}
