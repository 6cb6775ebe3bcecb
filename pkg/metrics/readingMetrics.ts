import { PART_NAMES } from '../sidekiq/refusals';
import { VERSION } from '../version';
import { labelsOfName, type Metric } from './metric';
import { single } from './metricRows';

const partLabels = labelsOfName('part');

/** Metrics of the reading and of this process itself. */
export const READING_METRICS: readonly Metric[] = [
  single(
    'jobwatch_scrape_round_trips',
    'Round trips to Redis of the last reading.',
    'the reading itself',
    ({ snapshot }) => snapshot.cost.roundTrips
  ),
  single(
    'jobwatch_scrape_commands',
    'Commands of the last reading.',
    'the reading itself',
    ({ snapshot }) => snapshot.cost.commands
  ),
  single(
    'jobwatch_scrape_received_bytes',
    'Bytes that the last reading brought.',
    'the reading itself',
    ({ snapshot }) => snapshot.cost.bytesIn,
    'bytes'
  ),
  single(
    'jobwatch_scrape_duration_seconds',
    'Time that the last reading waited for Redis.',
    'the reading itself',
    ({ snapshot }) => snapshot.cost.milliseconds / 1000,
    'seconds'
  ),
  single(
    'jobwatch_scrape_notices',
    'Parts that are missing or were cut in the last reading.',
    'the reading itself',
    ({ notices }) => notices.length
  ),
  {
    name: 'jobwatch_refused_commands',
    type: 'gauge',
    help: 'Commands that Redis refused in the last reading, by part; figures that need the part are missing.',
    labels: ['part'],
    source: 'the reading itself',
    read: ({ snapshot: { refused } }) =>
      PART_NAMES.map((part) => ({ labels: partLabels(part), value: refused.get(part) ?? 0 })),
  },
  single(
    'jobwatch_history_file_up',
    'Whether the history file is used (1), or fails and the history is kept in memory (0); absent without a history file.',
    'the history file',
    ({ historyFile }) => (historyFile === null ? null : Number(historyFile))
  ),
  {
    name: 'jobwatch_dropped_series_total',
    type: 'counter',
    help: 'Label sets left out of scrapes because their metric has too many series (the setting seriesLimit).',
    labels: ['metric'],
    source: 'the scrapes themselves',
    read: ({ droppedSeries }) => [...droppedSeries].map(([metric, value]) => ({ labels: [['metric', metric]], value })),
  },
  single(
    'jobwatch_event_loop_delay_max_seconds',
    'Longest delay of the event loop of this process since the last scrape: how long one answer had to wait for another.',
    'a timer of the process',
    ({ loopDelaySeconds }) => loopDelaySeconds,
    'seconds'
  ),
  {
    name: 'jobwatch_build_info',
    type: 'gauge',
    help: 'Version of Jobwatch; always 1.',
    labels: ['version'],
    source: 'package.json',
    read: () => [{ labels: [['version', VERSION]], value: 1 }],
  },
];
