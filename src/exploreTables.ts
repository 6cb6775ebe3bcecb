import {
  createTheme,
  FieldType,
  formattedValueToString,
  getDisplayProcessor,
  type DataFrame,
  type DataQueryResponse,
  type Field,
} from '@grafana/data';
import { t } from '@grafana/i18n';

/** Width of a character and the padding of a cell in Grafana's tables at the default font size, in pixels. */
const CHARACTER = 7.5;
const PADDING = 20;
/** Digits are wider than most letters; identifiers consist of them. */
const DIGIT = 8.5;
/** What a unit adds to the digits of a number. */
const UNIT_CHARACTERS = 7;
/** What Grafana gives a column. */
const USUAL_WIDTH = 150;
const WIDEST = 360;
/** Columns of the usual width that Explore has room for beside a docked menu. */
const MOST_COLUMNS = 6;
/** Widths are estimated from so many rows. */
const ROWS = 200;

/**
 * Tables whose texts are longer than the columns of Explore, or that have more columns, are shown by the table panel, which
 * wraps texts and gives numbers less room: Explore's own table takes neither widths nor wrapping from a frame. Several tables
 * in one answer stay as they are, as one panel would show one of them.
 *
 * The one row of the overview is turned into rows of a name and a value, and what has a dashboard of its own leads there.
 */
export function fitForExplore(response: DataQueryResponse, source: AskedSource): DataQueryResponse {
  const [given, ...others] = response.data as DataFrame[];
  const frame =
    given &&
    (given.length === 1 && given.name === 'overview' && given.fields.length > MOST_COLUMNS
      ? asRows(given)
      : withPaths(given, source));
  // A table of one column, such as a sentence, has room.
  const isTable = frame?.meta?.preferredVisualisationType === 'table' && frame.length > 0 && frame.fields.length > 1;
  if (!isTable || others.length > 0) {
    return response;
  }
  const widths = frame.fields.map(widthOf);
  if (frame.fields.length <= MOST_COLUMNS && widths.every((width) => width <= USUAL_WIDTH)) {
    return frame === given ? response : { ...response, data: [frame] };
  }
  const fields = frame.fields.map((field, index) => ({
    ...field,
    config: {
      ...field.config,
      custom: {
        ...(field.config.custom as object | undefined),
        // Columns without a width share what is left evenly, whatever the least width of each: texts would not fit theirs.
        ...(field.type === FieldType.string && widths[index]! <= WIDEST
          ? { width: widths[index]! }
          : { minWidth: Math.min(WIDEST, widths[index]!) }),
        // Mappings of texts have the colours of severities and states, those of yes and no have none.
        ...(field.type === FieldType.string && field.config.mappings && { cellOptions: { type: 'color-text' } }),
        ...(widths[index]! > WIDEST && { wrapText: true }),
      },
    },
  }));
  return {
    ...response,
    data: [{ ...frame, fields, meta: { ...frame.meta, preferredVisualisationPluginId: 'table' } }],
  };
}

/** The figures of one row, each with the text that Grafana has for it. */
function asRows(frame: DataFrame): DataFrame {
  const theme = createTheme();
  const shown = frame.fields.map((field) => {
    const value: unknown = field.values[0];
    return value === null || value === undefined
      ? '–'
      : formattedValueToString((field.display ?? getDisplayProcessor({ field, theme }))(value));
  });
  // Grafana names a field "Value" by its frame.
  const column = (name: string, values: string[]): Field => ({
    name,
    type: FieldType.string,
    config: { displayName: name },
    values,
  });
  return {
    ...frame,
    length: frame.fields.length,
    fields: [
      column(
        t('explore.figure', 'Figure'),
        frame.fields.map(({ name, config }) => config.displayName ?? name)
      ),
      column(t('explore.value', 'Value'), shown),
    ],
  };
}

/** Of which data source, and of which time (epoch milliseconds), a table is. */
interface AskedSource {
  uid: string;
  from: number;
  to: number;
}

/** The column with the address of the dashboard that tells more, and the columns that lead there; an event has its own time. */
const PATH = 'path';
const TOLD: ReadonlyMap<string, (source: AskedSource) => string> = new Map([
  ['finding', ({ from, to }) => `&from=${from}&to=${to}`],
  ['title', () => ''],
]);

function withPaths(frame: DataFrame, source: AskedSource): DataFrame {
  if (!frame.fields.some(({ name }) => name === PATH)) {
    return frame;
  }
  const url = `\${__data.fields.${PATH}}&var-datasource=${encodeURIComponent(source.uid)}`;
  const title = t('explore.open', 'Open the dashboard');
  return {
    ...frame,
    fields: frame.fields.map((field) => {
      const time = TOLD.get(field.name)?.(source);
      return time === undefined
        ? field
        : { ...field, config: { ...field.config, links: [{ title, url: url + time }] } };
    }),
  };
}

/** Texts are as wide as the longest, and all else as its header; "a few seconds ago" is the longest of times. */
function widthOf({ name, type, config, values }: Field): number {
  const texts = type === FieldType.string ? (values as Array<string | null>).slice(0, ROWS) : [];
  // Three significant digits with point, sign and unit ("0.0147 jobs/s").
  const least = type === FieldType.time ? 17 : type === FieldType.number && config.unit ? 6 + UNIT_CHARACTERS : 10;
  const header = (config.displayName ?? name).length;
  const longest = Math.max(header * CHARACTER, least * CHARACTER, ...texts.map((text) => pixelsOf(text ?? '')));
  return Math.ceil(longest + PADDING);
}

function pixelsOf(text: string): number {
  const digits = text.replace(/\D/g, '').length;
  return (text.length - digits) * CHARACTER + digits * DIGIT;
}
