import { useEffect, useState } from 'react';
import type { CatalogEntry, SidekiqApi } from '../types';

/** The query types, once they are loaded; or why they could not be. */
export function useCatalog(datasource: Pick<SidekiqApi, 'catalog'>): { catalog: CatalogEntry[]; problem?: string } {
  const [state, setState] = useState<{ catalog: CatalogEntry[]; problem?: string }>({ catalog: [] });
  useEffect(() => {
    let shown = true;
    datasource.catalog().then(
      (catalog) => shown && setState({ catalog }),
      (error: { data?: { message?: string } }) =>
        shown && setState({ catalog: [], problem: error.data?.message ?? 'The plugin’s backend does not answer.' })
    );
    return () => {
      shown = false;
    };
  }, [datasource]);
  return state;
}
