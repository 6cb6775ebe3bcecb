import { writeFileSync } from 'node:fs';
import { Fault } from '../faults/fault';
import { post } from '../notify/delivery';
import { slackText } from '../notify/message';
import { notificationSettings } from '../notify/settings';
import { printable } from '../printable';
import { toHtml } from '../report/html';
import { toObject } from '../report/json';
import { toMarkdown } from '../report/markdown';
import type { Report } from '../report/model';
import { makeReport, summaryOf } from '../report/report';
import type { Configured } from './configured';
import { parseTime } from '../source/instants';
import { openSource, type ReplayFlags } from './source';

/** Flags of the command, as commander reads them. */
export interface ReportFlags extends ReplayFlags {
  from: string;
  to: string;
  format: 'markdown' | 'html' | 'json';
  out?: string;
  send?: string;
}

const FORMS: Readonly<Record<ReportFlags['format'], (report: Report) => string>> = {
  markdown: toMarkdown,
  html: toHtml,
  json: (report) => `${JSON.stringify(toObject(report), null, 2)}\n`,
};

/** Writes a report on a time range to stdout or a file, or sends it to a receiver of notifications. @throws Fault */
export async function report({ settings, file }: Configured, flags: ReportFlags): Promise<void> {
  const receiver = flags.send === undefined ? null : receiverOf(flags.send, file);
  const { source, now, close } = await openSource(settings, flags);
  let made: Report;
  try {
    const to = parseTime('--to', flags.to, now());
    const from = parseTime('--from', flags.from, flags.from.startsWith('-') ? to : now());
    made = await makeReport(source, { from, to });
  } finally {
    close();
  }
  if (receiver) {
    const body = receiver.format === 'slack' ? { text: slackText(summaryOf(made)) } : toObject(made);
    const outcome = await post(receiver.url, body, new AbortController().signal);
    if (!outcome.ok) {
      throw new Fault({
        kind: 'connection',
        message: `The report was not delivered to ${receiver.name}: ${outcome.reason}.`,
        remedy: 'Check the receiver and its address, and send the report again.',
      });
    }
  }
  const text = FORMS[flags.format](made);
  if (flags.out !== undefined) {
    write(flags.out, text);
  } else if (!receiver) {
    process.stdout.write(printable(text));
  }
}

function receiverOf(name: string, file: Record<string, unknown>) {
  const addresses = notificationSettings(file['notifications'], process.env, '')?.addresses ?? [];
  const found = addresses.find((address) => address.name === name);
  if (!found) {
    throw new Fault({
      kind: 'settings',
      message: `There is no receiver "${name}" of notifications.`,
      remedy:
        addresses.length === 0
          ? 'Name one in the section "notifications" of the configuration file (--config).'
          : `Use one of: ${addresses.map((address) => address.name).join(', ')}.`,
    });
  }
  return found;
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: `The report ${path} cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}.`,
      remedy: 'Check the path of --out and its permissions.',
      cause: error,
    });
  }
}
