import type { Cadence, WorkerType } from './workerTypes';

/**
 * The queue to worker-type map of the reference installation (Lago: the 18 queues it documents and those its
 * code has since gained), with the latency each type is expected to keep. It is a preset: operators
 * edit it in the data source's settings.
 */
export const LAGO_WORKER_TYPES: WorkerType[] = [
  {
    name: 'Default Worker',
    queues: [
      'high_priority',
      'default',
      'mailers',
      'clock',
      'providers',
      'webhook',
      'invoices',
      'integrations',
      'low_priority',
      'long_running',
    ],
    latencyObjectiveSeconds: 300,
  },
  { name: 'AI Agent Worker', queues: ['ai_agent'], latencyObjectiveSeconds: 60 },
  { name: 'Alerts Worker', queues: ['alerts_high_priority', 'alerts'], latencyObjectiveSeconds: 120 },
  { name: 'Analytics Worker', queues: ['analytics', 'analytics_low_priority'], latencyObjectiveSeconds: 600 },
  { name: 'Billing Worker', queues: ['billing', 'billing_low_priority'], latencyObjectiveSeconds: 120 },
  { name: 'Dedicated Clock Worker', queues: ['clock_worker'], latencyObjectiveSeconds: 60 },
  {
    name: 'Dedicated Organisation Worker',
    queues: ['dedicated_alerts', 'dedicated_wallets'],
    latencyObjectiveSeconds: 120,
  },
  { name: 'Dedicated Webhook Worker', queues: ['webhook_worker'], latencyObjectiveSeconds: 60 },
  { name: 'Events Worker', queues: ['events'], latencyObjectiveSeconds: 60 },
  { name: 'Meilisearch Worker', queues: ['meilisearch'], latencyObjectiveSeconds: 300 },
  { name: 'Payments Worker', queues: ['payments'], latencyObjectiveSeconds: 60 },
  { name: 'PDF Worker', queues: ['pdfs'], latencyObjectiveSeconds: 300 },
  { name: 'Wallets Worker', queues: ['wallets'], latencyObjectiveSeconds: 300 },
];

const MINUTE = 60;
const HOUR = 60 * MINUTE;

const DAY = 24 * HOUR;

/**
 * How often Lago's clock enqueues its jobs (clock.rb of lago-api). Those that it enqueues only where a variable is set are
 * not among them: Clock::RefreshWalletsOngoingBalanceJob (5 minutes) and Clock::ConsumeSubscriptionRefreshedQueueJob (one).
 */
export const LAGO_CADENCES: Cadence[] = (
  [
    [
      5 * MINUTE,
      ['ActivateSubscriptions', 'RefreshDraftInvoices', 'RefreshLifetimeUsages', 'RefreshSubscriptionUsages'],
    ],
    [15 * MINUTE, ['RetryFailedInvoices', 'InboundWebhooksRetry']],
    [
      HOUR,
      [
        'TerminateEndedSubscriptions',
        'SubscriptionsBiller',
        'ApiKeys::TrackUsage',
        'RetryGeneratingSubscriptionInvoices',
        'FinalizeInvoices',
        'MarkInvoicesAsPaymentOverdue',
        'TerminateCoupons',
        'FreeTrialSubscriptionsBiller',
        'TerminateWallets',
        'SubscriptionsToBeTerminated',
        'TerminateRecurringTransactionRules',
        'CreateIntervalWalletTransactions',
        'EventsValidation',
        'ComputeAllDailyUsages',
        'ProcessDunningCampaigns',
      ],
    ],
    [DAY, ['WebhooksCleanup', 'InboundWebhooksCleanup']],
  ] satisfies Array<[number, string[]]>
).flatMap(([everySeconds, names]) => names.map((name) => ({ class: `Clock::${name}Job`, everySeconds })));
