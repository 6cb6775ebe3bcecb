import { t } from '@grafana/i18n';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, Button, Stack, TextLink } from '@grafana/ui';
import { useState } from 'react';
import { messageOf } from './messageOf';

/** A dashboard of the plugin, as Grafana lists it (`GET /api/plugins/:id/dashboards`). */
interface PluginDashboard {
  title: string;
  path: string;
}

/** What became of an import. */
type Outcome =
  | { kind: 'running' }
  | { kind: 'failed'; message: string }
  | {
      kind: 'done';
      imported: Array<{ title: string; url: string }>;
      refused: Array<{ title: string; message: string }>;
    };

interface Props {
  /** The saved data source that the dashboards begin with; its type is the id of the plugin. */
  dataSource: { uid: string; name: string; type: string };
}

/** Imports all dashboards of the plugin at once, since they link to each other. Tests the data source before. */
export function ImportDashboards({ dataSource }: Props) {
  const [outcome, setOutcome] = useState<Outcome>();
  const run = async () => {
    setOutcome({ kind: 'running' });
    setOutcome(
      await importAll(dataSource).catch((error: unknown) => ({ kind: 'failed', message: messageOf(error) }) as const)
    );
  };
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      <Button variant="secondary" icon="import" disabled={outcome?.kind === 'running'} onClick={() => void run()}>
        {t('config.dashboards.import', 'Import dashboards')}
      </Button>
      {outcome?.kind === 'failed' && (
        <Alert severity="error" title={t('config.dashboards.failed', 'No dashboard was imported')}>
          {outcome.message}
        </Alert>
      )}
      {outcome?.kind === 'done' && outcome.imported.length > 0 && (
        <Alert
          severity="success"
          title={t('config.dashboards.imported', '{{count}} dashboards imported', {
            count: outcome.imported.length,
            defaultValue_one: '{{count}} dashboard imported',
          })}
        >
          <Stack direction="column" gap={0.5}>
            {outcome.imported.map(({ title, url }) => (
              <TextLink key={url} href={url}>
                {title}
              </TextLink>
            ))}
          </Stack>
        </Alert>
      )}
      {outcome?.kind === 'done' && outcome.refused.length > 0 && (
        <Alert
          severity="warning"
          title={t('config.dashboards.refused', '{{count}} dashboards not imported', {
            count: outcome.refused.length,
            defaultValue_one: '{{count}} dashboard not imported',
          })}
        >
          {outcome.refused.map(({ title, message }) => (
            <div key={title}>{`${title}: ${message}`}</div>
          ))}
        </Alert>
      )}
    </Stack>
  );
}

async function importAll({ uid, name, type: pluginId }: Props['dataSource']): Promise<Outcome> {
  const quiet = { showErrorAlert: false };
  const backend = getBackendSrv();
  // A data source that does not work would open as empty panels.
  await backend.get(`/api/datasources/uid/${uid}/health`, undefined, undefined, quiet);
  const dashboards = await backend.get<PluginDashboard[]>(`/api/plugins/${pluginId}/dashboards`);
  const imported: Array<{ title: string; url: string }> = [];
  const refused: Array<{ title: string; message: string }> = [];
  for (const { title, path } of dashboards) {
    try {
      const inputs = [{ name: '*', type: 'datasource', pluginId, value: name }];
      const { importedUrl } = await backend.post<{ importedUrl: string }>(
        '/api/dashboards/import',
        { pluginId, path, overwrite: true, folderUid: '', inputs },
        quiet
      );
      imported.push({ title, url: importedUrl });
    } catch (error) {
      refused.push({ title, message: messageOf(error) });
    }
  }
  return { kind: 'done', imported, refused };
}
