import { REF_IDS } from '../../dashboards/panel';
import { AlertLog, shippedRules, type Fired, type Rule } from '../alerting/evaluate';
import { parseExpression } from '../alerting/expression';
import { Fault } from '../faults/fault';
import { openReplay } from '../recording/openReplay';
import type { Settings } from '../settings/settings';
import { instantText, parseTime } from '../source/instants';
import { durationText } from '../findings/texts';

/** Flags of the command, as commander reads them. */
export interface AlertsFlags {
  replay: string;
  from?: string;
  to?: string;
  rule?: string[];
  threshold?: string[];
  when?: string[];
  for?: string[];
  json?: boolean;
}

/** As Grafana evaluates the shipped rules. */
const EVERY_SECONDS = 60;

/** Prints which of the shipped rules would have fired in a recording, from when to when. @throws Fault */
export async function alerts(settings: Settings, flags: AlertsFlags): Promise<void> {
  const rules = rulesOf(flags);
  const { source, close } = await openReplay(flags.replay, settings.options, { speed: 0 });
  try {
    const to = flags.to === undefined ? source.now() : parseTime('--to', flags.to, source.now());
    const from = flags.from === undefined ? -Infinity : parseTime('--from', flags.from, to);
    const log = new AlertLog(rules);
    let nextAt = -Infinity;
    const evaluated: number[] = [];
    await source.walk(
      async (state) => {
        if (state.now < nextAt) {
          return;
        }
        nextAt = state.now + EVERY_SECONDS;
        evaluated.push(state.now);
        await log.evaluate(state, source);
      },
      { from, to }
    );
    const [firstAt] = evaluated;
    if (firstAt === undefined) {
      throw new Fault({
        kind: 'query',
        message: 'Nothing was recorded in this time range.',
        remedy: `The recording ends at ${instantText(source.now())}. Choose --from and --to within it.`,
      });
    }
    process.stdout.write(flags.json ? `${JSON.stringify(log.fired.map(printed), null, 2)}\n` : tableOf(log.fired));
    const gapSeconds = evaluated.reduce((sum, at, index) => {
      const step = at - (evaluated[index - 1] ?? at);
      return step > 2 * EVERY_SECONDS ? sum + step - EVERY_SECONDS : sum;
    }, 0);
    const gap = gapSeconds > 0 ? `; ${durationText(gapSeconds)} without readings were not evaluated` : '';
    process.stderr.write(
      `${rules.length} rules, every minute from ${instantText(firstAt)} to ${instantText(evaluated.at(-1)!)}${gap}.\n`
    );
  } finally {
    close();
  }
}

/** The shipped rules that Grafana evaluates, with what the flags change. @throws Fault `query` for a name that is none */
function rulesOf({ rule, threshold = [], when = [], for: pending = [] }: AlertsFlags): Rule[] {
  const all = shippedRules();
  const find = (name: string): Rule => {
    const found = all.find((each) => each.name === name);
    if (!found) {
      throw new Fault({
        kind: 'query',
        message: `There is no alert rule "${name}".`,
        remedy: `Use one of: ${all.map((each) => each.name).join(', ')}.`,
      });
    }
    return found;
  };
  const chosen = rule ? rule.map(find) : all;
  for (const [name, value] of threshold.map((text) => pairOf('threshold', text))) {
    const found = find(name);
    if ('math' in found.when) {
      throw new Fault({
        kind: 'query',
        message: `The rule ${name} has no single threshold; it fires when ${found.when.math}.`,
        remedy: `Change it with --when "${name}=…".`,
      });
    }
    found.when =
      'above' in found.when ? { above: numberOf('threshold', value) } : { below: numberOf('threshold', value) };
  }
  for (const [name, math] of when.map((text) => pairOf('when', text))) {
    const known = find(name).queries.map((_, index) => REF_IDS[index]);
    const other = parseExpression(math).names.find((each) => !known.includes(each));
    if (other !== undefined) {
      throw new Fault({
        kind: 'query',
        message: `The rule ${name} has no query $${other}.`,
        remedy: `It has ${known.map((each) => `$${each}`).join(', ')}.`,
      });
    }
    find(name).when = { math };
  }
  pending
    .map((text) => pairOf('for', text))
    .forEach(([name, value]) => {
      find(name).pendingMinutes = numberOf('for', value);
    });
  return chosen;
}

function pairOf(flag: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at <= 0) {
    throw new Fault({
      kind: 'query',
      message: `The flag --${flag} "${text}" names no rule and value.`,
      remedy: `Write it as --${flag} SidekiqJobsDying=5.`,
    });
  }
  return [text.slice(0, at), text.slice(at + 1)];
}

function numberOf(flag: string, text: string): number {
  const number = Number(text);
  if (text.trim() === '' || !Number.isFinite(number)) {
    throw new Fault({
      kind: 'query',
      message: `The value "${text}" of --${flag} is no number.`,
      remedy: `Write it as --${flag} SidekiqJobsDying=5.`,
    });
  }
  return number;
}

function printed({ labels, pendingAt, firedAt, endedAt, ...rest }: Fired) {
  const text = (at: number | null) => (at === null ? null : new Date(at * 1000).toISOString());
  return { ...rest, labels, pending: text(pendingAt), fired: text(firedAt), ended: text(endedAt) };
}

function tableOf(fired: readonly Fired[]): string {
  if (fired.length === 0) {
    return 'No rule would have fired.\n';
  }
  const rows = fired.map(({ rule, severity, labels, firedAt, endedAt, peak }) => [
    instantText(firedAt),
    endedAt === null ? '' : instantText(endedAt),
    severity,
    rule,
    Object.values(labels).join(' '),
    peak === null ? '' : String(Number(peak.toPrecision(4))),
  ]);
  const all = [['Fired', 'Ended', 'Severity', 'Rule', 'Subject', 'Peak'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('   ')
          .trimEnd()}\n`
    )
    .join('');
}
