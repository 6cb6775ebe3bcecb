import { t } from '@grafana/i18n';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, TextLink } from '@grafana/ui';
import { lastValueFrom } from 'rxjs';
import { ImportButton, QUIET, type SavedDataSource } from './ImportButton';

/** The rules of provisioning/alerting, which the build puts beside the plugin's code as JSON. */
interface Rules {
  groups: Array<{
    name: string;
    rules: Array<{
      title: string;
      data: Array<{ datasourceUid: string }>;
      annotations: Record<string, string>;
      [field: string]: unknown;
    }>;
  }>;
}

/** The data source that the rules of provisioning/alerting ask. */
const PROVISIONED_UID = 'sidekiq';
const EVERY_SECONDS = 60;

/**
 * Imports the alert rules of the plugin for this data source into a folder. They can be changed there; another import
 * replaces them.
 */
export function ImportAlerts({ dataSource }: { dataSource: SavedDataSource }) {
  return (
    <ImportButton
      dataSource={dataSource}
      label={t('config.alerts.import', 'Import alert rules')}
      failed={t('config.alerts.failed', 'The alert rules were not imported')}
      run={importRules}
    >
      {({ rules, folder }) => (
        <Alert
          severity="success"
          title={t('config.alerts.imported', '{{count}} alert rules imported', { count: rules })}
        >
          <TextLink href={`/alerting/list?search=${encodeURIComponent(`namespace:"${folder}"`)}`}>
            {t('config.alerts.folder', 'Folder {{folder}}', { folder })}
          </TextLink>
        </Alert>
      )}
    </ImportButton>
  );
}

interface StoredRule {
  title: string;
  folderUID: string;
  data: Array<{ datasourceUid: string }>;
}

/** @throws Error where another folder has the same rules for the data source, as provisioned ones: each alert would come twice */
async function checkDoubles(uid: string, folderUid: string, titles: ReadonlySet<string>): Promise<void> {
  const stored = await getBackendSrv().get<StoredRule[]>(
    '/api/v1/provisioning/alert-rules',
    undefined,
    undefined,
    QUIET
  );
  const doubles = stored.filter(
    ({ title, folderUID, data }) =>
      folderUID !== folderUid && titles.has(title) && data.some(({ datasourceUid }) => datasourceUid === uid)
  );
  if (doubles.length > 0) {
    throw new Error(
      t(
        'config.alerts.doubles',
        '{{count}} of these rules exist for this data source already, in another folder: {{titles}}. Each alert would come twice. Delete those first, or keep them.',
        {
          count: doubles.length,
          titles: doubles
            .slice(0, 3)
            .map(({ title }) => title)
            .join(', '),
        }
      )
    );
  }
}

/** The address of a dashboard with the data source that it is to ask. */
function ofSource(address: string, uid: string): string {
  return `${address}${address.includes('?') ? '&' : '?'}var-datasource=${encodeURIComponent(uid)}`;
}

async function importRules({ uid, name, type: pluginId }: SavedDataSource): Promise<{ rules: number; folder: string }> {
  const backend = getBackendSrv();
  const { groups } = await backend.get<Rules>(`/public/plugins/${pluginId}/alerts.json`, undefined, undefined, QUIET);
  const folder = { uid: `sidekiq-alerts-${uid}`.slice(0, 40), title: `Sidekiq alerts (${name})` };
  await checkDoubles(uid, folder.uid, new Set(groups.flatMap(({ rules }) => rules.map(({ title }) => title))));
  try {
    await backend.get(`/api/folders/${folder.uid}`, undefined, undefined, QUIET);
  } catch {
    await backend.post('/api/folders', folder, QUIET);
  }
  for (const group of groups) {
    const rules = group.rules.map(({ uid: _, annotations, ...rule }) => ({
      ...rule,
      annotations: {
        ...annotations,
        ...(annotations['dashboard'] && { dashboard: ofSource(annotations['dashboard'], uid) }),
      },
      folderUID: folder.uid,
      ruleGroup: group.name,
      data: rule.data.map((query) => ({
        ...query,
        ...(query.datasourceUid === PROVISIONED_UID && { datasourceUid: uid }),
      })),
    }));
    await lastValueFrom(
      backend.fetch({
        url: `/api/v1/provisioning/folder/${folder.uid}/rule-groups/${group.name}`,
        method: 'PUT',
        // What is imported so may be changed in the interface.
        headers: { 'X-Disable-Provenance': 'true' },
        data: { title: group.name, folderUid: folder.uid, interval: EVERY_SECONDS, rules },
        ...QUIET,
      })
    );
  }
  return { rules: groups.reduce((sum, { rules }) => sum + rules.length, 0), folder: folder.title };
}
