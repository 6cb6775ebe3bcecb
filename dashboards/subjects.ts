import type { Alert } from './alert';

/** The variable of a dashboard that an alert can be about, and the label that names it. */
interface Subject {
  variable: string;
  label: string;
  toldBy: RegExp;
}

const SUBJECTS: Readonly<Record<string, Subject>> = {
  'sidekiq-queue': { variable: 'queue', label: 'queue', toldBy: /labels\.queue/ },
  'sidekiq-job-class': { variable: 'class', label: 'class', toldBy: /labels\.class/ },
  'sidekiq-processes': { variable: 'host', label: 'host', toldBy: /labels\.(?:host|process)/ },
};

/** What an alert is about, by its texts; `undefined` where it is about no queue, class or host. */
export function subjectOf({ dashboard, summary, description }: Alert): Subject | undefined {
  const subject = SUBJECTS[dashboard];
  return subject?.toldBy.test(summary + description) ? subject : undefined;
}
