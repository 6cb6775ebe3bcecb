import { Fault } from '../faults/fault';

/**
 * Checks the figures that a query asks for.
 *
 * @param known names of the number columns
 * @throws Fault `query` for a figure that does not exist, and for an alert rule without exactly one
 */
export function checkFigures(asked: readonly string[], known: readonly string[], alerting: boolean): void {
  const none = 'This query type has no figures; choose another one.';
  const remedy = known.length === 0 ? none : `Choose from: ${known.join(', ')}.`;
  const unknown = asked.find((figure) => !known.includes(figure));
  if (unknown !== undefined) {
    throw new Fault({ kind: 'query', message: `There is no figure "${unknown}".`, remedy });
  }
  if (alerting && asked.length !== 1) {
    throw new Fault({
      kind: 'query',
      message: `An alert rule needs one figure, and ${asked.length === 0 ? 'none is' : `${asked.length} are`} chosen.`,
      remedy: known.length === 0 ? none : `Choose one under "Figures": ${known.join(', ')}.`,
    });
  }
}
