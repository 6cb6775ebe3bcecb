import { t } from '@grafana/i18n';
import { getBackendSrv } from '@grafana/runtime';
import { Alert, Button, Stack, TextLink } from '@grafana/ui';
import { useState } from 'react';
import { lastValueFrom } from 'rxjs';
import { messageOf } from './messageOf';

/** The rules of provisioning/alerting, which the build puts beside the plugin's code as JSON. */
interface Rules {
  groups: Array<{
    name: string;
    rules: Array<{ title: string; data: Array<{ datasourceUid: string }>; [field: string]: unknown }>;
  }>;
}

type Outcome =
  { kind: 'running' } | { kind: 'failed'; message: string } | { kind: 'done'; rules: number; folder: string };

interface Props {
  /** The saved data source that the rules ask; its type is the id of the plugin. */
  dataSource: { uid: string; name: string; type: string };
}

/** The data source that the rules of provisioning/alerting ask. */
const PROVISIONED_UID = 'sidekiq';
const EVERY_SECONDS = 60;

/**
 * Imports the alert rules of the plugin for this data source into a folder. They can be changed there; another import
 * replaces them.
 */
export function ImportAlerts({ dataSource }: Props) {
  const [outcome, setOutcome] = useState<Outcome>();
  const run = async () => {
    setOutcome({ kind: 'running' });
    setOutcome(
      await importRules(dataSource).catch((error: unknown) => ({ kind: 'failed', message: messageOf(error) }) as const)
    );
  };
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      <Button variant="secondary" icon="import" disabled={outcome?.kind === 'running'} onClick={() => void run()}>
        {t('config.alerts.import', 'Import alert rules')}
      </Button>
      {outcome?.kind === 'failed' && (
        <Alert severity="error" title={t('config.alerts.failed', 'The alert rules were not imported')}>
          {outcome.message}
        </Alert>
      )}
      {outcome?.kind === 'done' && (
        <Alert
          severity="success"
          title={t('config.alerts.imported', '{{count}} alert rules imported', { count: outcome.rules })}
        >
          <TextLink href={`/alerting/list?search=${encodeURIComponent(`namespace:"${outcome.folder}"`)}`}>
            {t('config.alerts.folder', 'Folder {{folder}}', { folder: outcome.folder })}
          </TextLink>
        </Alert>
      )}
    </Stack>
  );
}

async function importRules({ uid, name, type: pluginId }: Props['dataSource']): Promise<Outcome> {
  const backend = getBackendSrv();
  const quiet = { showErrorAlert: false };
  // Rules of a data source that does not work would fire at once.
  await backend.get(`/api/datasources/uid/${uid}/health`, undefined, undefined, quiet);
  const { groups } = await backend.get<Rules>(`/public/plugins/${pluginId}/alerts.json`, undefined, undefined, quiet);
  const folder = { uid: `sidekiq-alerts-${uid}`.slice(0, 40), title: `Sidekiq alerts (${name})` };
  try {
    await backend.get(`/api/folders/${folder.uid}`, undefined, undefined, quiet);
  } catch {
    await backend.post('/api/folders', folder, quiet);
  }
  for (const group of groups) {
    const rules = group.rules.map(({ uid: _, ...rule }) => ({
      ...rule,
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
        ...quiet,
      })
    );
  }
  return { kind: 'done', rules: groups.reduce((sum, { rules }) => sum + rules.length, 0), folder: folder.title };
}
