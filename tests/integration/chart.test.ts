import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { writeChart } from '../../scripts/chart';

const helm = process.env['HELM_BIN'] ?? 'helm';
/** A helm that was built from its sources knows none of itself. */
const KUBERNETES = ['--kube-version', '1.29.0'];
const hasHelm = spawnSync(helm, ['version']).status === 0;
if (!hasHelm) {
  process.stdout.write('The test of the chart is skipped: there is no helm in PATH or at HELM_BIN.\n');
}

interface Resource {
  kind: string;
  metadata: { name: string; labels: Record<string, string> };
  spec: Record<string, never>;
  data: Record<string, string>;
}

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-chart-'));
const chart = writeChart(folder);
afterAll(() => rmSync(folder, { recursive: true }));

test('the chart carries the dashboards and rules of provisioning', () => {
  expect(readdirSync(join(chart, 'files')).sort()).toEqual([
    'sidekiq-errors.json',
    'sidekiq-fleet.json',
    'sidekiq-job-class.json',
    'sidekiq-overview.json',
    'sidekiq-processes.json',
    'sidekiq-queue.json',
    'sidekiq.rules.yml',
  ]);
});

describe.skipIf(!hasHelm)('rendered by helm', () => {
  function render(values: object): Resource[] {
    const file = join(folder, 'values.yaml');
    writeFileSync(file, stringify(values));
    const { status, stdout, stderr } = spawnSync(
      helm,
      ['template', 'watch', chart, ...KUBERNETES, '-f', file, '-n', 'monitoring'],
      {
        encoding: 'utf8',
        maxBuffer: 2 ** 26,
      }
    );
    expect(status, stderr).toBe(0);
    return parseAllDocuments(stdout)
      .map((document) => document.toJS() as Resource | null)
      .filter((each) => each !== null);
  }
  const kinds = (resources: Resource[]) => resources.map(({ kind }) => kind).sort();

  test('has one deployment, its settings and a service by default, and is accepted by helm lint', () => {
    expect(spawnSync(helm, ['lint', chart, ...KUBERNETES]).status).toBe(0);
    const resources = render({});
    expect(kinds(resources)).toEqual(['ConfigMap', 'Deployment', 'Service']);
    expect(resources.every(({ metadata }) => metadata.name === 'watch')).toBe(true);
  });

  test('has everything that is switched on', () => {
    const resources = render({
      redis: { url: 'redis://r:6379/1', username: 'jobwatch', existingSecret: 'redis-secret' },
      settings: { queueExclude: '^test_' },
      targets: { shop: { url: 'redis://shop:6379/0' } },
      statsd: { enabled: true },
      history: { enabled: true },
      serviceMonitor: { enabled: true },
      prometheusRule: { enabled: true },
      dashboards: { enabled: true },
      networkPolicy: { enabled: true, from: [{ namespaceSelector: {} }] },
      keda: {
        enabled: true,
        scaledObjects: [
          { name: 'billing', maxReplicas: 20, metadata: { queues: 'billing', threadsPerReplica: 10 } },
          { name: 'fast', maxReplicas: 5, metadata: { queues: 'fast', metric: 'latency' } },
        ],
      },
    });
    expect(kinds(resources)).toEqual([
      ...Array.from({ length: 7 }, () => 'ConfigMap'),
      'Deployment',
      'NetworkPolicy',
      'PersistentVolumeClaim',
      'PrometheusRule',
      'ScaledObject',
      'ScaledObject',
      'Service',
      'ServiceMonitor',
    ]);
    const of = (kind: string) => resources.find((each) => each.kind === kind)!;
    const config = resources.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'watch')!;
    expect(parseAllDocuments(config.data['jobwatch.yaml']!)[0]!.toJS()).toEqual({
      queueExclude: '^test_',
      statsdListen: '0.0.0.0:9125',
      kedaListen: '0.0.0.0:9093',
      historyFile: '/data/history.db',
      targets: { shop: { url: 'redis://shop:6379/0' } },
    });
    expect(of('ScaledObject').spec['triggers']).toEqual([
      {
        type: 'external',
        metadata: { scalerAddress: 'watch.monitoring:9093', queues: 'billing', threadsPerReplica: '10' },
      },
    ]);
    expect(resources.filter(({ kind }) => kind === 'ScaledObject')[1]!.spec['triggers']).toMatchObject([
      { metricType: 'Value' },
    ]);
    const groups = of('PrometheusRule').spec['groups'] as unknown as Array<{ rules: unknown[] }>;
    expect(groups.flatMap(({ rules }) => rules).length).toBeGreaterThan(20);
    expect(JSON.stringify(of('ServiceMonitor').spec)).toContain('"params":{"target":["shop"]}');
    const overview = resources.find(({ metadata }) => metadata.name === 'watch-sidekiq-overview')!;
    expect(JSON.parse(overview.data['sidekiq-overview.json']!)).toMatchObject({ panels: expect.any(Array) });
  });

  test('takes targets with passwords from a Secret alone, and says where anybody may read', () => {
    const shown = spawnSync(
      helm,
      ['template', 'watch', chart, ...KUBERNETES, '--set', 'targets.shop.url=redis://:canary@shop:6379/0'],
      { encoding: 'utf8' }
    );
    expect(shown.status).not.toBe(0);
    expect(shown.stderr).toMatch(/target shop has a password.*targetsSecret/);
    const resources = render({ targetsSecret: 'shops' });
    const config = resources.find(({ kind }) => kind === 'ConfigMap')!;
    expect(config.data['jobwatch.yaml']).toContain('targetsFile: /targets/targets.yaml');
    expect(JSON.stringify(resources.find(({ kind }) => kind === 'Deployment'))).toContain('"secretName":"shops"');
  });

  test('asks for what a scaled object cannot be without', () => {
    const file = join(folder, 'wrong.yaml');
    writeFileSync(file, stringify({ keda: { enabled: true, scaledObjects: [{ name: 'a', metadata: {} }] } }));
    const { status, stderr } = spawnSync(helm, ['template', 'watch', chart, ...KUBERNETES, '-f', file], {
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
    expect(stderr).toContain('every entry of keda.scaledObjects needs maxReplicas');
  });
});
