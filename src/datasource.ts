import type {
  AdHocVariableFilter,
  CoreApp,
  DataQueryRequest,
  DataQueryResponse,
  DataSourceGetTagValuesOptions,
  DataSourceInstanceSettings,
  MetricFindValue,
  ScopedVars,
} from '@grafana/data';
import { DataSourceWithBackend, getTemplateSrv } from '@grafana/runtime';
import { map, merge, type Observable } from 'rxjs';
import { filterChoices, filterText } from './components/queryParts';
import { asGraph, beginningAt, withDates, withoutTime } from './answers';
import { fitForExplore } from './exploreTables';
import { isAlerting, isExplore } from './defaultQuery';
import { adhocFilters, interpolateFilters, interpolateTexts } from './interpolation';
import { APPENDED_TYPE, watchQuery } from './live';
import { NEW_DASHBOARD_LINKS, newDashboardVariables } from './newDashboard';
import { readable } from './storedQuery';
import { QUERY_VERSION } from '../pkg/queries/version';
import type { CatalogEntry, SidekiqApi, SidekiqOptions, SidekiqQuery, SidekiqVariableQuery } from './types';
import { SidekiqVariables } from './variables';

/** Fields of a query that are no options of its type, or are told otherwise. */
const NO_OPTIONS: ReadonlySet<string> = new Set(
  'refId key hide datasource intervalMs maxDataPoints queryType figures filters version reader liveEverySeconds livePoints'.split(
    ' '
  )
);

/** By which Grafana asks for annotations (`executeAnnotationQuery`). */
const ANNOTATION_REF_ID = 'Anno';

/** The data source as Grafana's frontend sees it: it asks the backend and shows what comes. */
export class SidekiqDataSource extends DataSourceWithBackend<SidekiqQuery, SidekiqOptions> implements SidekiqApi {
  private loadedCatalog: Promise<CatalogEntry[]> | undefined;

  constructor(settings: DataSourceInstanceSettings<SidekiqOptions>) {
    super(settings);
    this.variables = new SidekiqVariables(this);
    const events = { refId: 'annotation', queryType: 'events', version: QUERY_VERSION };
    this.annotations = {
      getDefaultQuery: () => events,
      // Grafana stores nothing of a new annotation before a field of it is touched.
      prepareQuery: ({ target }) => ({ ...events, ...target }),
    };
  }

  /**
   * Grafana puts these fields under every query that it runs, so only what all of them have may stand here. The form of a
   * new alert rule only shows them and stores nothing: without a type, the query editor stores its own default.
   */
  override getDefaultQuery(app?: CoreApp): Partial<SidekiqQuery> {
    return isAlerting(app) ? {} : { queryType: 'queues', version: QUERY_VERSION };
  }

  override filterQuery(query: SidekiqQuery): boolean {
    return !query.hide && Boolean(query.queryType);
  }

  /** One line for Explore's query history. */
  override getQueryDisplayText(query: SidekiqQuery): string {
    const { queryType, figures = [], filters = [] } = readable(query);
    const options = Object.entries(query)
      .filter(([name, value]) => !NO_OPTIONS.has(name) && String(value ?? '') !== '' && value !== false)
      .map(([name, value]) => `${name} ${String(value)}`);
    return [queryType, ...options, figures.join(', '), ...filters.map(filterText)]
      .filter((part) => part !== '')
      .join(' · ');
  }

  override query(request: DataQueryRequest<SidekiqQuery>): Observable<DataQueryResponse> {
    // Grafana's own data source "Mixed" shows an answer once its stream has ended.
    const isMixed = request.requestId.startsWith('mixed-');
    // A range that has ended has nothing live.
    const isPast = !/^now(?:\/\w+)?$/.test(String(request.range?.raw.to ?? 'now'));
    const isLive = (query: SidekiqQuery) => query.live === true && !isPast && !isMixed;
    const live = request.targets.filter((query) => isLive(query) && this.filterQuery(query));
    // Expressions ask the backend without this method. Of annotations Grafana reads events alone, and no sentence.
    const asked = request.targets
      .filter((query) => !isLive(query))
      .map((query) => ({ ...query, reader: query.refId !== ANNOTATION_REF_ID }));
    const [from, to] = [Number(request.range?.from ?? 0), Number(request.range?.to ?? 0)];
    const inExplore = (answers: Observable<DataQueryResponse>) =>
      isExplore(request.app)
        ? answers.pipe(map((answer) => fitForExplore(answer, { uid: this.uid, from, to })))
        : answers;
    const streams = live.map((query) => {
      const watched = watchQuery(
        this.uid,
        this.applyTemplateVariables(query, request.scopedVars, request.filters),
        request
      );
      if (query.queryType === APPENDED_TYPE) {
        return isExplore(request.app) && (query.figures ?? []).length > 0 ? watched.pipe(map(asGraph)) : watched;
      }
      return inExplore(isExplore(request.app) ? watched.pipe(map(withoutTime)) : watched);
    });
    if (asked.length === 0) {
      return merge(...streams);
    }
    const answers = super.query({ ...request, targets: asked }).pipe(map((answer) => beginningAt(from, answer)));
    const dated = isPast ? answers.pipe(map(withDates)) : answers;
    return merge(...streams, inExplore(dated));
  }

  override applyTemplateVariables(
    query: SidekiqQuery,
    scopedVars: ScopedVars,
    filters?: AdHocVariableFilter[]
  ): SidekiqQuery {
    const templates = getTemplateSrv();
    return {
      ...interpolateTexts(query, templates, scopedVars),
      // What is no list is refused by the backend: without it rows would be shown that were not asked for.
      ...(Array.isArray(query.filters ?? []) && {
        filters: interpolateFilters([...(query.filters ?? []), ...adhocFilters(filters)], templates, scopedVars),
      }),
    };
  }

  /** The query types. Loaded once; it depends on the plugin's version only. */
  catalog(): Promise<CatalogEntry[]> {
    this.loadedCatalog ??= this.getResource<CatalogEntry[]>('catalog').catch((error: unknown) => {
      this.loadedCatalog = undefined;
      throw error;
    });
    return this.loadedCatalog;
  }

  /** The distinct values of a query type's text field, narrowed by filters. */
  values({
    queryType,
    field,
    filters,
  }: Pick<SidekiqVariableQuery, 'queryType' | 'field' | 'filters'>): Promise<string[]> {
    return this.getResource<string[]>('values', {
      queryType,
      field,
      query: JSON.stringify({ filters: filters ?? [] }),
    });
  }

  // Of Grafana's options this alone is used; 13 declares it elsewhere than 12.
  override async getTagKeys(options?: { queries?: SidekiqQuery[] }): Promise<MetricFindValue[]> {
    const types = new Set(options?.queries?.map(({ queryType }) => queryType));
    const entries = (await this.catalog()).filter(({ id }) => types.size === 0 || types.has(id));
    const titles = new Map(entries.flatMap((entry) => filterChoices(entry)).map(({ value, label }) => [value, label]));
    return [...titles].map(([value, text]) => ({ text, value })).sort((a, b) => a.text.localeCompare(b.text));
  }

  /**
   * The variables that Grafana offers for a new dashboard on this data source. Grafana 13 asks for them; the types of 12 do not
   * know them (`getDefaultVariables`, `getDefaultLinks` in @grafana/data 13.2).
   */
  async getDefaultVariables(): Promise<object[]> {
    return newDashboardVariables(this);
  }

  /** The links, likewise. */
  async getDefaultLinks(): Promise<object[]> {
    return NEW_DASHBOARD_LINKS;
  }

  override async getTagValues({ key }: DataSourceGetTagValuesOptions<SidekiqQuery>): Promise<MetricFindValue[]> {
    const holder = (await this.catalog()).find(({ filterFields }) => filterFields.includes(key));
    return holder ? (await this.values({ queryType: holder.id, field: key })).map((text) => ({ text })) : [];
  }
}
