import { t } from '@grafana/i18n';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, Stack, TextLink } from '@grafana/ui';
import { ImportButton, QUIET, type SavedDataSource } from './ImportButton';
import { messageOf } from './messageOf';

/** A dashboard of the plugin, as Grafana lists it (`GET /api/plugins/:id/dashboards`). */
interface PluginDashboard {
  title: string;
  path: string;
}

interface Imported {
  imported: Array<{ title: string; url: string }>;
  refused: Array<{ title: string; message: string }>;
}

/** Imports all dashboards of the plugin at once, since they link to each other. */
export function ImportDashboards({ dataSource }: { dataSource: SavedDataSource }) {
  return (
    <ImportButton
      dataSource={dataSource}
      label={t('config.dashboards.import', 'Import dashboards')}
      failed={t('config.dashboards.failed', 'No dashboard was imported')}
      run={importAll}
    >
      {({ imported, refused }) => (
        <>
          {imported.length > 0 && (
            <Alert
              severity="success"
              title={t('config.dashboards.imported', '{{count}} dashboards imported', {
                count: imported.length,
                defaultValue_one: '{{count}} dashboard imported',
              })}
            >
              <Stack direction="column" gap={0.5}>
                {imported.map(({ title, url }) => (
                  <TextLink key={url} href={url}>
                    {title}
                  </TextLink>
                ))}
              </Stack>
            </Alert>
          )}
          {refused.length > 0 && (
            <Alert
              severity="warning"
              title={t('config.dashboards.refused', '{{count}} dashboards not imported', {
                count: refused.length,
                defaultValue_one: '{{count}} dashboard not imported',
              })}
            >
              {[...new Set(refused.map(({ message }) => message))].map((message) => (
                <div key={message}>
                  {`${refused
                    .filter((each) => each.message === message)
                    .map(({ title }) => title)
                    .join(', ')}: ${message}`}
                  {/provisioned/.test(message) &&
                    ` ${t('config.dashboards.provisioned', 'They exist already, provisioned from files; nothing needs to be imported.')}`}
                </div>
              ))}
            </Alert>
          )}
        </>
      )}
    </ImportButton>
  );
}

async function importAll({ name, type: pluginId }: SavedDataSource): Promise<Imported> {
  const backend = getBackendSrv();
  const dashboards = await backend.get<PluginDashboard[]>(`/api/plugins/${pluginId}/dashboards`);
  const imported: Imported['imported'] = [];
  const refused: Imported['refused'] = [];
  for (const { title, path } of dashboards) {
    try {
      const inputs = [{ name: '*', type: 'datasource', pluginId, value: name }];
      const { importedUrl } = await backend.post<{ importedUrl: string }>(
        '/api/dashboards/import',
        { pluginId, path, overwrite: true, folderUid: '', inputs },
        QUIET
      );
      imported.push({ title, url: importedUrl });
    } catch (error) {
      refused.push({ title, message: messageOf(error) });
    }
  }
  return { imported, refused };
}
