import { LOOK_BACK_MINUTES, type Alert, type DirectAlert } from '../../dashboards/alert';
import { ALERTS } from '../../dashboards/alerts';
import { REF_IDS } from '../../dashboards/panel';
import { Fault } from '../faults/fault';
import type { Frame, Value } from '../frames/frame';
import { queryType } from '../queries/registry';
import type { Source } from '../source/source';
import type { State } from '../watch/state';
import { parseExpression, type Labelled } from './expression';

/** A rule as it is evaluated: some queries of one figure each, and when it fires. */
export interface Rule extends DirectAlert, Pick<Alert, 'name' | 'severity' | 'pendingMinutes'> {}

/** The shipped rules that Grafana evaluates. They may be changed: each call makes them anew. */
export function shippedRules(): Rule[] {
  return ALERTS.flatMap(({ name, severity, pendingMinutes, direct }) =>
    direct ? [{ name, severity, pendingMinutes, ...direct }] : []
  );
}

/** What fires, from when to when. Instants are epoch seconds. */
export interface Fired {
  rule: string;
  severity: string;
  labels: Labelled['labels'];
  /** When the condition began to hold, and when it fired. */
  pendingAt: number;
  firedAt: number;
  /** `null` where it fired to the end. */
  endedAt: number | null;
  /** Of query A, the largest or, for a rule that fires below, the smallest while it fired. */
  peak: number | null;
}

/** The numbers that hold the condition of a rule in a state; each of query A with its labels. @throws Fault */
export async function holding(rule: Rule, state: State, source: Source): Promise<Labelled[]> {
  const seconds = (rule.minutes ?? LOOK_BACK_MINUTES) * 60;
  const request = { range: { from: state.now - seconds, to: state.now }, intervalSeconds: 60, alerting: true };
  const reads = source.reads(undefined, state);
  const numbers = new Map<string, Labelled[]>();
  for (const [index, query] of rule.queries.entries()) {
    const frames = await queryType(query.queryType).run(query, state, request, reads);
    numbers.set(REF_IDS[index]!, frames.flatMap(numbersOf));
  }
  const found = conditionOf(rule).evaluate(numbers);
  if (found === null) {
    return rule.noData === 'Alerting' ? [{ labels: {}, value: null }] : [];
  }
  const values = numbers.get('A') ?? [];
  return found
    .filter(({ value }) => value !== null && value !== 0)
    .map(({ labels }) => ({ labels, value: valueFor(labels, values) }));
}

function conditionOf({ when }: Rule) {
  return parseExpression('math' in when ? when.math : 'above' in when ? `$A > ${when.above}` : `$A < ${when.below}`);
}

/** The rows of a frame of one figure, as Grafana makes numbers of a numeric frame. */
function numbersOf({ fields }: Frame): Labelled[] {
  const figure = fields.find(({ kind }) => kind === 'number');
  const texts = fields.filter(({ kind }) => kind === 'string');
  return (figure?.values ?? []).map((value, row): Labelled => ({
    labels: Object.fromEntries(texts.map(({ name, values }) => [name, textOf(values[row])])),
    value: typeof value === 'number' ? value : null,
  }));
}

function textOf(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}

function valueFor(labels: Labelled['labels'], values: readonly Labelled[]): number | null {
  const same = values.find((each) => Object.entries(each.labels).every(([name, value]) => labels[name] === value));
  return same?.value ?? null;
}

interface Open extends Omit<Fired, 'firedAt' | 'endedAt'> {
  firedAt: number | null;
}

/** After so long without a reading it is not known that a condition held on; Prometheus takes a series for gone then. */
const UNWATCHED_SECONDS = 300;
/** Readings may be further apart than that. */
const STEPS_WATCHED = 2.5;

/**
 * Follows rules from evaluation to evaluation: what holds is pending, and fires once it has held for long enough. A time
 * without readings ends what held before it.
 */
export class AlertLog {
  private readonly open = new Map<string, Open>();
  private readonly ended: Fired[] = [];
  private last: { at: number; step?: number } | undefined;

  constructor(private readonly rules: readonly Rule[]) {}

  /** Evaluates all rules. A rule whose figures are not known keeps its state. */
  async evaluate(state: State, source: Source): Promise<void> {
    const step = this.last && state.now - this.last.at;
    if (
      this.last &&
      step !== undefined &&
      step > Math.max(UNWATCHED_SECONDS, STEPS_WATCHED * (this.last.step ?? UNWATCHED_SECONDS))
    ) {
      this.endAll(this.last.at);
    }
    this.last = { at: state.now, ...(step !== undefined && { step }) };
    for (const rule of this.rules) {
      let held: Labelled[];
      try {
        held = await holding(rule, state, source);
      } catch (error) {
        if (error instanceof Fault && error.kind !== 'query') {
          continue;
        }
        throw error;
      }
      this.follow(rule, held, state.now);
    }
  }

  /** What has fired, in the order in which it did. */
  get fired(): Fired[] {
    const going = [...this.open.values()].flatMap((each): Fired[] =>
      each.firedAt === null ? [] : [{ ...each, firedAt: each.firedAt, endedAt: null }]
    );
    return [...this.ended, ...going].sort((a, b) => a.firedAt - b.firedAt || (a.rule < b.rule ? -1 : 1));
  }

  private endAll(at: number): void {
    [...this.open].forEach(([key, open]) => this.end(key, open, at));
  }

  private end(key: string, open: Open, at: number): void {
    this.open.delete(key);
    if (open.firedAt !== null) {
      this.ended.push({ ...open, firedAt: open.firedAt, endedAt: at });
    }
  }

  private follow(rule: Rule, held: readonly Labelled[], now: number): void {
    const keyOf = (labels: Labelled['labels']) => JSON.stringify([rule.name, Object.entries(labels).sort()]);
    const smallest = 'below' in rule.when;
    const holds = new Map(held.map((each) => [keyOf(each.labels), each]));
    for (const [key, open] of this.open) {
      if (open.rule === rule.name && !holds.has(key)) {
        this.end(key, open, now);
      }
    }
    for (const [key, { labels, value }] of holds) {
      const { name, severity, pendingMinutes } = rule;
      const before = this.open.get(key) ?? { rule: name, severity, labels, pendingAt: now, firedAt: null, peak: value };
      const peak =
        before.peak === null || value === null ? (value ?? before.peak) : furthest(before.peak, value, smallest);
      const firedAt = before.firedAt ?? (now - before.pendingAt >= pendingMinutes * 60 ? now : null);
      this.open.set(key, { ...before, firedAt, peak });
    }
  }
}

function furthest(one: number, other: number, smallest: boolean): number {
  return smallest ? Math.min(one, other) : Math.max(one, other);
}
