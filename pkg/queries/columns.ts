import { metricsOfClass } from './links';
import type { Column } from './table';

/** The class of a job, as several query types show it; it leads to the metrics of that class. */
export function classColumn<Row extends { class: string }>(): Column<Row> {
  return {
    name: 'class',
    title: 'Class',
    kind: 'string',
    key: true,
    description: 'Job class; ActiveJob and mailers unwrapped.',
    links: metricsOfClass,
    value: (row) => row.class,
  };
}
