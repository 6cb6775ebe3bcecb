import { getBackendSrv } from '@grafana/runtime';
import { Alert, Button, Stack } from '@grafana/ui';
import { useState, type ReactNode } from 'react';
import { messageOf } from './messageOf';

/** The saved data source that something is imported for; its type is the id of the plugin. */
export interface SavedDataSource {
  uid: string;
  name: string;
  type: string;
}

/** What goes wrong is told beside the button. */
export const QUIET = { showErrorAlert: false };

interface Props<T> {
  dataSource: SavedDataSource;
  label: string;
  /** The title of what is said where nothing was imported. */
  failed: string;
  /** Imports, once the data source has been tested: what asks one that does not work is empty, or fires at once. */
  run: (dataSource: SavedDataSource) => Promise<T>;
  /** What is said of an import. */
  children: (done: T) => ReactNode;
}

/** Imports a part of the plugin into Grafana, and says what became of it. */
export function ImportButton<T>({ dataSource, label, failed, run, children }: Props<T>) {
  const [outcome, setOutcome] = useState<{ done?: T; problem?: string }>();
  const [running, setRunning] = useState(false);
  const start = async () => {
    setRunning(true);
    setOutcome(undefined);
    try {
      const path = `/api/datasources/uid/${dataSource.uid}/health`;
      await getBackendSrv().get(path, undefined, undefined, QUIET);
      setOutcome({ done: await run(dataSource) });
    } catch (error) {
      setOutcome({ problem: messageOf(error) });
    }
    setRunning(false);
  };
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      <Button variant="secondary" icon="import" disabled={running} onClick={() => void start()}>
        {label}
      </Button>
      {outcome?.problem !== undefined && (
        <Alert severity="error" title={failed}>
          {outcome.problem}
        </Alert>
      )}
      {outcome?.done !== undefined && children(outcome.done)}
    </Stack>
  );
}
