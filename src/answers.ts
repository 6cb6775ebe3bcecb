import { DataFrameType, FieldType, type DataFrame, type DataQueryResponse, type Field } from '@grafana/data';

/** An answer with other frames; the same one where all of them stay. */
function withFrames(response: DataQueryResponse, shown: (frame: DataFrame) => DataFrame): DataQueryResponse {
  const frames = response.data as DataFrame[];
  const data = frames.map(shown);
  return data.every((frame, index) => frame === frames[index]) ? response : { ...response, data };
}

/** Instants of a range that has ended as dates: "2 minutes ago" counts from now. */
export function withDates(response: DataQueryResponse): DataQueryResponse {
  const dated = (field: Field): Field =>
    field.config.unit === 'dateTimeFromNow' ? { ...field, config: { ...field.config, unit: 'dateTimeAsIso' } } : field;
  return withFrames(response, (frame) => ({ ...frame, fields: frame.fields.map(dated) }));
}

/** Rows that replace one another are all of the last reading: its instant beside each tells nothing, and takes the room of a column. */
export function withoutTime(response: DataQueryResponse): DataQueryResponse {
  return withFrames(response, (frame) => ({
    ...frame,
    fields: frame.fields.filter(({ type }, index) => index > 0 || type !== FieldType.time),
  }));
}

/** Figures that are appended reading by reading. */
export function asGraph(response: DataQueryResponse): DataQueryResponse {
  return withFrames(response, (frame) => ({ ...frame, meta: { ...frame.meta, preferredVisualisationType: 'graph' } }));
}

/**
 * Series that begin with the range: the first step may begin before it, and of a short range it may be all that there is, which
 * a graph would not draw.
 *
 * @param from of the range, epoch milliseconds
 */
export function beginningAt(from: number, response: DataQueryResponse): DataQueryResponse {
  return withFrames(response, (frame) => {
    const time = frame.fields.find(({ type }) => type === FieldType.time);
    const [first, second = Infinity] = (time?.values ?? []) as number[];
    if (frame.meta?.type !== DataFrameType.TimeSeriesMulti || first === undefined || first >= from || second <= from) {
      return frame;
    }
    const values = [from, ...(time!.values as number[]).slice(1)];
    return { ...frame, fields: frame.fields.map((field) => (field === time ? { ...field, values } : field)) };
  });
}
