import { FieldType, type DataFrame, type DataQueryResponse, type Field } from '@grafana/data';

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
 */
export function fitForExplore(response: DataQueryResponse): DataQueryResponse {
  const [frame, ...others] = response.data as DataFrame[];
  // A table of one column, such as a sentence, has room.
  const isTable = frame?.meta?.preferredVisualisationType === 'table' && frame.length > 0 && frame.fields.length > 1;
  if (!isTable || others.length > 0) {
    return response;
  }
  const widths = frame.fields.map(widthOf);
  if (frame.fields.length <= MOST_COLUMNS && widths.every((width) => width <= USUAL_WIDTH)) {
    return response;
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
