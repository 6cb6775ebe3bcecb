import type { QueryEditorHelpProps } from '@grafana/data';
import { Button, Stack, Text } from '@grafana/ui';
import type { SidekiqQuery } from '../types';

type Example = { question: string; query: Partial<SidekiqQuery> & Record<string, unknown> & { queryType: string } };

const EXAMPLES: Example[] = [
  {
    question: 'Are my queues keeping up?',
    query: { queryType: 'queues', figures: ['size', 'latency', 'inRate', 'outRate', 'drainTime'] },
  },
  { question: 'What waits in my queues?', query: { queryType: 'backlog' } },
  { question: 'What is running, and for how long?', query: { queryType: 'busy' } },
  { question: 'What died, and why?', query: { queryType: 'errors' } },
  { question: 'Which dead jobs are the latest?', query: { queryType: 'jobs', source: 'dead' } },
  { question: 'Which classes are slow?', query: { queryType: 'job_metrics' } },
  {
    question: 'How late was each queue over time?',
    query: { queryType: 'history', by: 'queue', figures: ['latency'] },
  },
  { question: 'Do I have enough threads?', query: { queryType: 'capacity' } },
  { question: 'Were jobs lost?', query: { queryType: 'lost' } },
  { question: 'Who serves what?', query: { queryType: 'processes' } },
];

/** Questions that people ask, each a click away from its answer. */
export function QueryHelp({ onClickExample }: QueryEditorHelpProps<SidekiqQuery>) {
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      <Text element="h2" variant="h4">
        Ask Sidekiq
      </Text>
      {EXAMPLES.map(({ question, query }) => (
        <Button key={question} variant="secondary" fill="text" onClick={() => onClickExample({ refId: 'A', ...query })}>
          {question}
        </Button>
      ))}
      <Text color="secondary">
        Filters keep rows by their text fields: one of, none of, or a regular expression for the whole value. An alert
        rule needs exactly one figure.
      </Text>
    </Stack>
  );
}
