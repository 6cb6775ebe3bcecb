import type { Frame } from './frame';

/**
 * A frame in Grafana's JSON form, as live streams carry it (`DataFrameJSON` in @grafana/data).
 *
 * @param parts `all`, or `data` alone for a frame whose schema the watcher already has
 */
export function toJson(frame: Frame, parts: 'all' | 'data' = 'all'): object {
  const data = { values: frame.fields.map((field) => field.values) };
  if (parts === 'data') {
    return { data };
  }
  const fields = frame.fields.map(({ name, kind, labels, config }) => ({
    name,
    type: kind,
    typeInfo: { frame: TYPE_INFO[kind], nullable: true },
    ...(labels && { labels }),
    ...(config && { config }),
  }));
  return {
    schema: {
      name: frame.name,
      ...(frame.refId && { refId: frame.refId }),
      ...(frame.meta && { meta: frame.meta }),
      fields,
    },
    data,
  };
}

const TYPE_INFO = { string: 'string', number: 'float64', boolean: 'bool', time: 'time.Time' } as const;
