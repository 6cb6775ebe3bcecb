import { t } from '@grafana/i18n';
import { useEffect, useState } from 'react';
import { translated } from '../catalogTexts';
import type { CatalogEntry, SidekiqApi } from '../types';

/** The query types, once they are loaded; or why they could not be. */
export function useCatalog(datasource: Pick<SidekiqApi, 'catalog'>): { catalog: CatalogEntry[]; problem?: string } {
  const [state, setState] = useState<{ catalog: CatalogEntry[]; problem?: string }>({ catalog: [] });
  useEffect(() => {
    let shown = true;
    datasource.catalog().then(
      (catalog) => shown && setState({ catalog: catalog.map(translated) }),
      (error: { data?: { message?: string } }) =>
        shown &&
        setState({
          catalog: [],
          problem: error.data?.message ?? t('editor.noBackend', 'The plugin’s backend does not answer.'),
        })
    );
    return () => {
      shown = false;
    };
  }, [datasource]);
  return state;
}
