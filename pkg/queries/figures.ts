import { Fault } from '../faults/fault';

/** A figure of a query type. */
interface Figure {
  readonly name: string;
  readonly title: string;
}

/**
 * Checks the figures that a query asks for.
 *
 * @param known the number columns; errors name both the title, by which forms offer it, and the name, by which commands take it
 * @throws Fault `query` for a figure that does not exist, and for an alert rule without exactly one
 */
export function checkFigures(asked: readonly string[], known: readonly Figure[], alerting: boolean): void {
  const none = 'This query type has no figures; choose another one.';
  const choices = known
    .map(({ name, title }) => (title.toLowerCase() === name.toLowerCase() ? name : `${title} (${name})`))
    .join(', ');
  const remedy = known.length === 0 ? none : `Choose from: ${choices}.`;
  const unknown = asked.find((figure) => known.every(({ name }) => name !== figure));
  if (unknown !== undefined) {
    throw new Fault({ kind: 'query', message: `There is no figure "${unknown}".`, remedy });
  }
  if (alerting && asked.length !== 1) {
    throw new Fault({
      kind: 'query',
      message: `An alert rule needs one figure, and ${asked.length === 0 ? 'none is' : `${asked.length} are`} chosen.`,
      remedy: known.length === 0 ? none : `Choose one under "Figures": ${choices}.`,
    });
  }
}
