import type { BusyQuery } from '../../../pkg/queries/busy';
import type { FormProps } from './form';
import { IterationOption } from './IterationOption';

/** What is shown of running jobs. */
export function BusyForm({ query, change }: FormProps<Partial<BusyQuery>>) {
  return (
    <IterationOption id="busy-iteration" value={query.iteration} onChange={(iteration) => change({ iteration })} />
  );
}
