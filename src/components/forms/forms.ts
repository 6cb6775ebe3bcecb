import type { ComponentType } from 'react';
import { BusyForm } from './BusyForm';
import { CapacityForm } from './CapacityForm';
import { CompareForm } from './CompareForm';
import { ContextsForm } from './ContextsForm';
import { ErrorsForm } from './ErrorsForm';
import { EventsForm } from './EventsForm';
import { FindingsForm } from './FindingsForm';
import type { FormProps } from './form';
import { HistoryForm } from './HistoryForm';
import { JobForm } from './JobForm';
import { JobMetricsForm } from './JobMetricsForm';
import { JobsForm } from './JobsForm';
import { WhatIfForm } from './WhatIfForm';

/** The form of each query type that has options of its own. */
export const FORMS: Record<string, ComponentType<FormProps<object>> | undefined> = {
  findings: FindingsForm,
  busy: BusyForm,
  jobs: JobsForm,
  job: JobForm,
  job_metrics: JobMetricsForm,
  history: HistoryForm,
  capacity: CapacityForm,
  // The same option.
  objectives: CapacityForm,
  compare: CompareForm,
  contexts: ContextsForm,
  errors: ErrorsForm,
  events: EventsForm,
  what_if: WhatIfForm,
};
