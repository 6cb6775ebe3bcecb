/** The variable of each dashboard that an alert can be about, and the labels that name it. */
export const SUBJECTS: Readonly<Record<string, { variable: string; label: string; toldBy: RegExp }>> = {
  'sidekiq-queue': { variable: 'queue', label: 'queue', toldBy: /labels\.queue/ },
  'sidekiq-job-class': { variable: 'class', label: 'class', toldBy: /labels\.class/ },
  'sidekiq-processes': { variable: 'host', label: 'host', toldBy: /labels\.(?:host|process)/ },
};
