import type { ClassMemoryRow } from '../observe/classMemory';
import { bytes, count, flag, key } from './columns';
import { metricsOfClass } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

/** A difference of so many standard errors comes by chance once in some hundred classes. */
const SURE = 2.5;

const COLUMNS: Array<Column<ClassMemoryRow>> = [
  key('class', 'Class', 'Class under which Sidekiq keeps metrics.', (row) => row.class, { links: metricsOfClass }),
  bytes(
    'difference',
    'More per minute',
    'By how much the memory of a process grew more in a minute while the class ran than while it did not.',
    (row) => row.difference
  ),
  bytes('error', 'Standard error', 'Standard error of that difference.', (row) => row.standardError),
  flag(
    'grows',
    'Grows',
    `The difference is more than ${SURE} standard errors above 0: hardly chance. Classes that run together with it may show the same.`,
    (row) => row.difference > SURE * row.standardError
  ),
  bytes('ran', 'While it ran', 'Mean growth of a process per minute while the class ran.', (row) => row.growthRan),
  bytes(
    'rested',
    'While not',
    'Mean growth of such processes per minute while the class did not run.',
    (row) => row.growthRested
  ),
  count(
    'samples',
    'Times it ran',
    'Times between two heartbeats in which the class was seen running.',
    (row) => row.ran
  ),
  count('others', 'Times it did not', 'Times in which it was not seen running in such processes.', (row) => row.rested),
];

/** An estimate of which classes make processes grow. */
export const memory = tableQuery({
  id: 'memory',
  group: 'Jobs',
  title: 'Memory by class',
  description:
    'An estimate of which classes make processes grow: the change of resident memory while a class ran, compared with processes of the same queues while it did not.',
  empty:
    'Not enough was seen. It takes at least 20 heartbeats with the class and 20 without, so some minutes of monitoring; a class that always runs cannot be compared.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  rows: ({ classMemory }) => ({
    rows: [...classMemory].sort((a, b) => b.difference - a.difference),
    notices: [
      {
        severity: 'info',
        text: 'An estimate: a process tells its whole memory every ten seconds, whichever of its jobs takes it.',
      },
    ],
  }),
});
