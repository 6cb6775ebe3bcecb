import type { QueryEditorHelpProps } from '@grafana/data';
import { t } from '@grafana/i18n';
import { Button, Stack, Text } from '@grafana/ui';
import type { SidekiqQuery } from '../types';

type Example = { question: string; query: Partial<SidekiqQuery> & Record<string, unknown> & { queryType: string } };

function examples(): Example[] {
  return [
    {
      question: t('help.keepingUp', 'Are my queues keeping up?'),
      query: { queryType: 'queues', figures: ['size', 'latency', 'inRate', 'outRate', 'drainTime'] },
    },
    { question: t('help.backlog', 'What waits in my queues?'), query: { queryType: 'backlog' } },
    { question: t('help.busy', 'What is running, and for how long?'), query: { queryType: 'busy' } },
    { question: t('help.errors', 'What died, and why?'), query: { queryType: 'errors' } },
    { question: t('help.dead', 'Which dead jobs are the latest?'), query: { queryType: 'jobs', source: 'dead' } },
    { question: t('help.slow', 'Which classes are slow?'), query: { queryType: 'job_metrics' } },
    {
      question: t('help.late', 'How late was each queue over time?'),
      query: { queryType: 'history', by: 'queue', figures: ['latency'] },
    },
    { question: t('help.capacity', 'Do I have enough threads?'), query: { queryType: 'capacity' } },
    { question: t('help.lost', 'Were jobs lost?'), query: { queryType: 'lost' } },
    { question: t('help.processes', 'Who serves what?'), query: { queryType: 'processes' } },
  ];
}

/** Questions that people ask, each a click away from its answer. */
export function QueryHelp({ onClickExample }: QueryEditorHelpProps<SidekiqQuery>) {
  return (
    <Stack direction="column" gap={1} alignItems="flex-start">
      <Text element="h2" variant="h4">
        {t('help.title', 'Ask Sidekiq')}
      </Text>
      {examples().map(({ question, query }) => (
        <Button key={question} variant="secondary" fill="text" onClick={() => onClickExample({ refId: 'A', ...query })}>
          {question}
        </Button>
      ))}
      <Text color="secondary">
        {t(
          'help.filters',
          'Filters keep rows by their text fields: one of, none of, or a regular expression for the whole value. An alert rule needs exactly one figure.'
        )}
      </Text>
    </Stack>
  );
}
