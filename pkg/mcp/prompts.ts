/** A question that people on call ask, and how it is answered with the tools. */
export interface Prompt {
  name: string;
  title: string;
  description: string;
  arguments: Array<{ name: string; description: string; required: boolean }>;
  text(given: Readonly<Record<string, string>>): string;
}

const WHEN = [
  {
    name: 'from',
    description: 'Start of the time range: seconds before its end as "-3600", or ISO 8601.',
    required: false,
  },
  { name: 'to', description: 'End of the time range: seconds ago as "-60", "now-1m", or ISO 8601.', required: false },
];
const END =
  'Say what is known and what is not: notices tell what could not be read. A missing value is unknown, not zero. Give the next step.';

/** The range that is given, as arguments of a tool. */
function during({ from, to }: Readonly<Record<string, string>>): string {
  return ` with ${JSON.stringify({ from: from || '-43200', to: to || '-0' })}`;
}

export const PROMPTS: readonly Prompt[] = [
  {
    name: 'what_is_wrong',
    title: 'What is wrong now?',
    description: 'Findings of now, and the figures behind the worst of them.',
    arguments: [],
    text: () =>
      `What is wrong with this Sidekiq now? Call sidekiq_findings. For the worst findings look closer: sidekiq_queues for a queue, sidekiq_errors for failing or dying jobs, sidekiq_processes and sidekiq_lost for processes, sidekiq_locks for locks. ${END}`,
  },
  {
    name: 'are_queues_keeping_up',
    title: 'Are the queues keeping up?',
    description: 'Backlog, latency, rates and threads by queue, and when a queue will exceed its objective.',
    arguments: [],
    text: () =>
      `Are the queues of this Sidekiq keeping up? Call sidekiq_queues and sidekiq_capacity, and sidekiq_history with by=queue for the last hour. Compare jobs that come with jobs that are done, name queues that are late, paused or not served, and say how long each takes to drain. ${END}`,
  },
  {
    name: 'what_died_and_why',
    title: 'What died, and why?',
    description: 'Dead jobs and retries by error, and whether they began with a deploy.',
    arguments: [],
    text: () =>
      `Which jobs died or wait for a retry, and why? Call sidekiq_errors, then sidekiq_jobs with source=dead for the largest group, and sidekiq_events for deploys. Say whether the errors began with a deploy. ${END}`,
  },
  {
    name: 'what_happened',
    title: 'What happened?',
    description: 'Findings, events and figures of a past time range.',
    arguments: WHEN,
    text: (given) =>
      `What happened to this Sidekiq? Call sidekiq_events${during(given)} for what was noticed, sidekiq_history for the figures of that time, sidekiq_job_metrics for what ran, and sidekiq_findings with "to" set to the worst instant. Tell it in the order of time. ${END}`,
  },
  {
    name: 'what_would_help',
    title: 'What would help?',
    description: 'More threads, another order of queues, or threads of their own, by simulation.',
    arguments: [{ name: 'queue', description: 'The queue that matters.', required: false }],
    text: ({ queue }) =>
      `What would help ${queue ? `the queue ${JSON.stringify(queue)}` : 'the queues that are late'}? Call sidekiq_capacity for what each worker type needs, then sidekiq_what_if with search=threads and with search=order, over a time range with the usual load. Compare waits as they are with waits after the change, with the range of each. ${END}`,
  },
];
