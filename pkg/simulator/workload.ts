/** A job class of the simulated application. */
export interface JobClass {
  name: string;
  queue: string;
  /** Pushes per second at an average hour. */
  rate: number;
  medianSeconds: number;
  /** Share of executions that raise. */
  failureRate: number;
  errors: ReadonlyArray<readonly [errorClass: string, message: string]>;
  /** Sidekiq's `retry`: how often a failed job is tried again; 0 sends it to the dead set at once. */
  retry: number;
  /** Put in by ActiveJob, and so wrapped; `mailer` names the mailer's action. */
  activeJob?: boolean;
  mailer?: readonly [mailer: string, action: string];
}

const TIMEOUT = ['Net::ReadTimeout', 'Net::ReadTimeout with #<TCPSocket:(closed)>'] as const;
const REFUSED = ['Errno::ECONNREFUSED', 'Connection refused - connect(2) for "hooks.example.com" port 443'] as const;
export const DECLINED = ['Payments::CardDeclined', 'Your card was declined (insufficient_funds)'] as const;
const MISSING = ['ActiveRecord::RecordNotFound', "Couldn't find Invoice with 'id'=81234"] as const;
const LOCKED = ['ActiveRecord::Deadlocked', 'PG::TRDeadlockDetected: ERROR: deadlock detected'] as const;

/** A workload in the shape of the reference installation: many queues, some busy, one late, one that nobody serves. */
export const JOB_CLASSES: readonly JobClass[] = [
  {
    name: 'Events::IngestJob',
    queue: 'events',
    rate: 18,
    medianSeconds: 0.012,
    failureRate: 0.002,
    errors: [LOCKED],
    retry: 5,
  },
  {
    name: 'Webhooks::DeliverJob',
    queue: 'webhook_worker',
    rate: 4,
    medianSeconds: 0.35,
    failureRate: 0.12,
    errors: [TIMEOUT, REFUSED],
    retry: 3,
    activeJob: true,
  },
  {
    name: 'Invoices::FinalizeJob',
    queue: 'invoices',
    rate: 0.8,
    medianSeconds: 0.9,
    failureRate: 0.03,
    errors: [MISSING, LOCKED],
    retry: 5,
    activeJob: true,
  },
  {
    name: 'BillSubscriptionJob',
    queue: 'billing',
    rate: 1.2,
    medianSeconds: 0.6,
    failureRate: 0.04,
    errors: [DECLINED, LOCKED],
    retry: 3,
  },
  {
    name: 'Payments::ChargeJob',
    queue: 'payments',
    rate: 1.5,
    medianSeconds: 0.8,
    failureRate: 0.08,
    errors: [DECLINED, TIMEOUT],
    retry: 0,
  },
  {
    name: 'Pdfs::RenderJob',
    queue: 'pdfs',
    rate: 0.5,
    medianSeconds: 3.5,
    failureRate: 0.02,
    errors: [['Grover::Error', 'Navigation timeout of 30000 ms exceeded']],
    retry: 2,
    activeJob: true,
  },
  {
    name: 'ActionMailer::MailDeliveryJob',
    queue: 'mailers',
    rate: 0.9,
    medianSeconds: 0.25,
    failureRate: 0.02,
    errors: [['Net::SMTPServerBusy', '450 4.2.1 mailbox temporarily unavailable']],
    retry: 5,
    activeJob: true,
    mailer: ['InvoiceMailer', 'finalized'],
  },
  {
    name: 'ActionMailer::MailDeliveryJob',
    queue: 'mailers',
    rate: 0.4,
    medianSeconds: 0.2,
    failureRate: 0.01,
    errors: [TIMEOUT],
    retry: 5,
    activeJob: true,
    mailer: ['UserMailer', 'welcome'],
  },
  {
    name: 'Clock::RefreshWalletsJob',
    queue: 'clock_worker',
    rate: 0.05,
    medianSeconds: 2,
    failureRate: 0.01,
    errors: [LOCKED],
    retry: 0,
  },
  {
    name: 'Integrations::SyncJob',
    queue: 'integrations',
    rate: 0.7,
    medianSeconds: 1.4,
    failureRate: 0.15,
    errors: [['Integrations::RateLimited', '429 Too Many Requests'], TIMEOUT],
    retry: 8,
  },
  {
    name: 'Analytics::RollupJob',
    queue: 'analytics',
    rate: 0.35,
    medianSeconds: 4,
    failureRate: 0.01,
    errors: [['ClickHouse::DbException', 'Memory limit (for query) exceeded']],
    retry: 3,
  },
  {
    name: 'Exports::LongExportJob',
    queue: 'long_running',
    rate: 0.015,
    medianSeconds: 90,
    failureRate: 0.05,
    errors: [['IOError', 'closed stream']],
    retry: 1,
  },
  {
    name: 'Wallets::TopUpJob',
    queue: 'high_priority',
    rate: 0.6,
    medianSeconds: 0.15,
    failureRate: 0.01,
    errors: [LOCKED],
    retry: 3,
  },
  {
    name: 'Customers::TouchJob',
    queue: 'default',
    rate: 2.5,
    medianSeconds: 0.08,
    failureRate: 0.005,
    errors: [MISSING],
    retry: 5,
  },
  {
    name: 'Search::ReindexJob',
    queue: 'meilisearch',
    rate: 0.02,
    medianSeconds: 0.5,
    failureRate: 0,
    errors: [],
    retry: 3,
  },
  {
    name: 'AiAgent::SummarizeJob',
    queue: 'ai_agent',
    rate: 0.4,
    medianSeconds: 6,
    failureRate: 0.06,
    errors: [['OpenAI::RateLimitError', 'Rate limit reached for requests']],
    retry: 3,
    activeJob: true,
  },
];

/** A kind of Sidekiq process. */
export interface WorkerKind {
  host: string;
  tag: string;
  count: number;
  capsules: ReadonlyArray<{
    name: string;
    concurrency: number;
    mode: 'strict' | 'weighted';
    weights: Record<string, number>;
  }>;
}

const strict = (...queues: string[]): Record<string, number> => Object.fromEntries(queues.map((queue) => [queue, 0]));

/** Who serves the queues. Nobody serves `meilisearch`, and `ai_agent` has too few threads at busy hours. */
export const WORKER_KINDS: readonly WorkerKind[] = [
  {
    host: 'worker',
    tag: 'lago-api',
    count: 2,
    capsules: [
      {
        name: 'default',
        concurrency: 8,
        mode: 'strict',
        weights: strict(
          'high_priority',
          'default',
          'mailers',
          'clock',
          'providers',
          'webhook',
          'invoices',
          'integrations',
          'low_priority'
        ),
      },
      { name: 'long', concurrency: 2, mode: 'strict', weights: strict('long_running') },
    ],
  },
  {
    host: 'events',
    tag: 'lago-api',
    count: 1,
    capsules: [{ name: 'default', concurrency: 5, mode: 'strict', weights: strict('events') }],
  },
  {
    host: 'webhook',
    tag: 'lago-api',
    count: 1,
    capsules: [{ name: 'default', concurrency: 5, mode: 'strict', weights: strict('webhook_worker') }],
  },
  {
    host: 'billing',
    tag: 'lago-api',
    count: 1,
    capsules: [
      {
        name: 'default',
        concurrency: 5,
        mode: 'weighted',
        weights: { billing: 3, payments: 2, billing_low_priority: 1 },
      },
    ],
  },
  {
    host: 'pdf',
    tag: 'lago-api',
    count: 1,
    capsules: [{ name: 'default', concurrency: 4, mode: 'strict', weights: strict('pdfs') }],
  },
  {
    host: 'analytics',
    tag: 'lago-api',
    count: 1,
    capsules: [{ name: 'default', concurrency: 3, mode: 'strict', weights: strict('analytics', 'clock_worker') }],
  },
  {
    host: 'ai-agent',
    tag: 'lago-api',
    count: 1,
    capsules: [{ name: 'default', concurrency: 2, mode: 'strict', weights: strict('ai_agent') }],
  },
];

const SIDEKIQ_WRAPPER = {
  '7.3': 'ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper',
  '8.1': 'Sidekiq::ActiveJob::Wrapper',
} as const;
export type SidekiqVersion = keyof typeof SIDEKIQ_WRAPPER;

/** The class and arguments of a payload, wrapped where ActiveJob would wrap them. */
export function payloadOf(
  jobClass: JobClass,
  version: SidekiqVersion,
  jid: string,
  id: number
): Record<string, unknown> {
  if (!jobClass.activeJob) {
    return { class: jobClass.name, args: [id, { source: 'demo' }] };
  }
  const args = jobClass.mailer
    ? [...jobClass.mailer, 'deliver_now', { args: [id], _aj_ruby2_keywords: ['args'] }]
    : [id];
  return {
    class: SIDEKIQ_WRAPPER[version],
    wrapped: jobClass.name,
    args: [
      {
        job_class: jobClass.name,
        job_id: jid,
        queue_name: jobClass.queue,
        arguments: args,
        executions: 0,
        locale: 'en',
      },
    ],
  };
}

/** Pushes in relation to an average hour: a calm night, a busy noon, and waves of some minutes. @param now epoch seconds */
export function rhythmAt(now: number): number {
  const hour = (now / 3600) % 24;
  return 1.1 + 0.2 * Math.sin(((hour - 6) / 24) * 2 * Math.PI) + 0.5 * Math.sin(now / 120);
}
