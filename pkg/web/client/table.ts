import type { Row, Rows } from '../model';

/** A column of a table: its title, and the text of a cell. */
export interface Column {
  title: string;
  text: (row: Row) => string;
  /** A class by which the style marks the cell: `critical`, `warning`, `info`, `ok`, `number`, `wide`. */
  mark?: (row: Row) => string;
  /** Left out on a phone. */
  minor?: boolean;
}

/** A value of a row as a text. */
export const text = (row: Row, name: string) => String(row[name] ?? '');
/** Marks a cell that holds a number. */
export const number = () => 'number';

/** Characters of a cell at most: a name may have any length. */
const CELL = 300;

function cellText(whole: string): string {
  return whole.length > CELL ? `${whole.slice(0, CELL)}…` : whole;
}

/** Draws a table into a section; what is empty says so in a sentence. */
export function drawTable(
  section: HTMLElement,
  columns: readonly Column[],
  { rows, problem, cut }: Rows,
  empty: string
): void {
  const body = section.querySelector('.body')!;
  if (problem !== undefined || rows.length === 0) {
    body.replaceChildren(element('p', problem ?? empty, problem === undefined ? 'empty' : 'problem'));
    return;
  }
  const head = element('tr');
  head.append(...columns.map(({ title, minor }) => element('th', title, minor ? 'minor' : '')));
  const thead = element('thead');
  thead.append(head);
  const tbody = element('tbody');
  tbody.append(
    ...rows.map((row) => {
      const line = element('tr');
      line.append(
        ...columns.map(({ text, mark, minor }) => {
          const cell = element('td', '', `${mark?.(row) ?? ''}${minor ? ' minor' : ''}`);
          cell.append(...breakable(cellText(text(row))));
          return cell;
        })
      );
      return line;
    })
  );
  const table = element('table');
  table.append(thead, tbody);
  body.replaceChildren(table, ...(cut === undefined ? [] : [element('p', cut, 'empty')]));
}

/** A text whose names may be broken where their parts end, before they are broken anywhere. */
function breakable(whole: string): Array<string | HTMLElement> {
  const [first = '', ...others] = whole.split(/(?<=::|[_/#-])/);
  return [first, ...others.flatMap((part) => [element('wbr'), part])];
}

/** An element with a text; everything of Redis comes in as text, never as markup. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  text = '',
  className = ''
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}
