import { CoreApp, createTheme, ThemeContext } from '@grafana/data';
import { initPluginTranslations } from '@grafana/i18n';
import { GlobalStyles } from '@grafana/ui';
import { useState, type ComponentProps, type JSXElementConstructor } from 'react';
import { createRoot } from 'react-dom/client';
import { ConfigEditor } from '../../src/components/config/ConfigEditor';
import { QueryEditor } from '../../src/components/QueryEditor';
import { VariableEditor } from '../../src/components/VariableEditor';
import type { CatalogEntry } from '../../src/types';

/** The editors on a page of their own, with a data source that answers from fixed values. What they save is on `window.saved`. */

/** The query types, as the backend describes them; the test puts them here. */
declare const CATALOG: CatalogEntry[];

const datasource = {
  catalog: () => Promise.resolve(CATALOG),
  values: () => Promise.resolve(['billing', 'default', 'mailers']),
};

function save(name: string, value: unknown): void {
  const page = window as unknown as { saved: Record<string, unknown> };
  page.saved = { ...page.saved, [name]: value };
}

/** Grafana hands its editors more than they use here. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function props<C extends JSXElementConstructor<any>>(given: object): ComponentProps<C> {
  return given as ComponentProps<C>;
}

function Editors() {
  const [query, setQuery] = useState<Record<string, unknown>>({ refId: 'A', queryType: 'queues' });
  const [variable, setVariable] = useState<Record<string, unknown>>({
    refId: 'variable',
    queryType: 'queues',
    field: 'queue',
  });
  const [options, setOptions] = useState<Record<string, unknown>>({
    url: '',
    user: '',
    jsonData: {},
    secureJsonFields: {},
    secureJsonData: {},
  });
  const keep = (name: string, set: (value: Record<string, unknown>) => void) => (value: Record<string, unknown>) => {
    set(value);
    save(name, value);
  };
  const [empty, setEmpty] = useState<Record<string, unknown>>({ refId: 'B' });
  return (
    <>
      <section data-testid="query">
        <QueryEditor
          {...props<typeof QueryEditor>({
            datasource,
            query,
            onChange: keep('query', setQuery),
            onRunQuery: () => save('ran', Date.now()),
          })}
        />
      </section>
      <section data-testid="new">
        <QueryEditor
          {...props<typeof QueryEditor>({
            datasource,
            query: empty,
            app: CoreApp.PanelEditor,
            onChange: keep('new', setEmpty),
            onRunQuery: () => save('newRan', Date.now()),
          })}
        />
      </section>
      <section data-testid="variable">
        <VariableEditor
          {...props<typeof VariableEditor>({ datasource, query: variable, onChange: keep('variable', setVariable) })}
        />
      </section>
      <section data-testid="config">
        <ConfigEditor {...props<typeof ConfigEditor>({ options, onOptionsChange: keep('options', setOptions) })} />
      </section>
    </>
  );
}

const theme = createTheme({ colors: { mode: location.hash === '#light' ? 'light' : 'dark' } });
void initPluginTranslations('jobwatch-sidekiq-datasource').then(() =>
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles />
      <Editors />
    </ThemeContext.Provider>
  )
);
