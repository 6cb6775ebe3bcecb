import { usualFor } from '../../pkg/outlook/usualFigures';
import { figureNamed } from '../../pkg/series/figures';
import { addSample, noParts } from '../../pkg/series/chunk';
import type { FigureReads } from '../../pkg/series/store';
import { alarmsOf, holdOut, learnt, noOutcome, type Outcome } from './heldOut';
import { reach } from './reach';
import { coarser, KINDS, madeSeries, type Incident } from './seasons';
import { watchStalls } from './stall';

const DAY = 86_400;
/** A Monday. */
const STARTS_AT = Date.UTC(2026, 9, 5) / 1000;
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const HELD_OUT_DAYS = 7;

/** Accuracy of the usual band on simulated weeks with known anomalies; nothing here passes or fails. */
export async function benchOutlook(): Promise<string[]> {
  const lines = [
    '## What is usual',
    '',
    `Simulated series of five kinds (office hours, round the clock, nightly batch, small, noisy) with seasons, trend, a level that varies over hours, a holiday, two outages and a gap, ${SEEDS.length} of each; the week after is held out, and the model is fitted again each day. Scaled error: mean absolute error over that of the same hour of last week, on clean hours. An alarm is a value of an hour that lies outside the band by at least its width, and one of five minutes that does so by one and a half of it, or after a sudden change.`,
    '',
    '| history | slots | within the 95% band | scaled error | alarms in 200 series-days |',
    '| -- | -- | -- | -- | -- |',
  ];
  for (const weeks of [3, 6]) {
    for (const seconds of [3600, 300]) {
      const outcome = await heldOut(weeks, seconds);
      const what = `Usual by ${weeks} weeks in steps of ${seconds / 60} min`;
      reach(`${what}: error`, outcome.errors / outcome.errorsOfLastWeek, 0.9, '× that of the same hour of last week');
      reach(`${what}: alarms`, (200 * outcome.alarms) / outcome.seriesDays, 1, 'in 200 series-days');
      lines.push(
        `| ${weeks} weeks | ${seconds / 60} min | ${((100 * outcome.inside) / outcome.slots).toFixed(1)}% | ${(outcome.errors / outcome.errorsOfLastWeek).toFixed(2)} | ${((200 * outcome.alarms) / outcome.seriesDays).toFixed(1)} |`
      );
    }
  }
  const seen = await tripled();
  const cost = await costs();
  reach('Triplings that are not seen within five minutes', seen.all - seen.seen, 0, `of ${seen.all}`);
  reach('Usual of six weeks, the first band', cost.first, 100, 'ms');
  return [
    ...lines,
    '',
    `A tripling that began at a known instant was seen within five minutes in ${seen.seen} of ${seen.all} cases, by kind: ${seen.byKind.join(', ')}.`,
    '',
    `Six weeks of one series in five minutes: the band over seven days takes ${cost.first.toFixed(0)} ms the first time and ${cost.next.toFixed(1)} ms afterwards, with ${cost.longest.toFixed(0)} ms on the event loop at most.`,
  ];
}

async function heldOut(weeks: number, seconds: number): Promise<Outcome> {
  const sum = noOutcome();
  for (const kind of KINDS) {
    for (const seed of SEEDS) {
      const life = { startsAt: STARTS_AT, seconds: 300, weeks: weeks + 1, seed };
      const made = coarser(madeSeries(kind, life), seconds);
      for (let day = 0; day < HELD_OUT_DAYS; day += 1) {
        await holdOut({ ...made, scale: made.kind.peak }, weeks * 7 + day, sum);
      }
    }
  }
  return sum;
}

async function tripled() {
  let all = 0;
  let seen = 0;
  const byKind: string[] = [];
  for (const kind of KINDS) {
    let ofKind = 0;
    for (const seed of SEEDS) {
      const at = STARTS_AT + 42 * DAY + (9 + seed) * 3600;
      const incident: Incident = { from: at, to: at + 1800, times: 3 };
      const life = { startsAt: STARTS_AT, seconds: 300, weeks: 7, seed };
      const made = madeSeries(kind, life, [incident]);
      const index = (at - STARTS_AT) / 300;
      const usual = await learnt(made, (42 * DAY) / 300);
      ofKind += Number((await alarmsOf(made, usual, index + 1))(index));
    }
    all += SEEDS.length;
    seen += ofKind;
    byKind.push(`${kind.name} ${ofKind} of ${SEEDS.length}`);
  }
  return { all, seen, byKind };
}

async function costs() {
  const made = madeSeries(KINDS[0]!, { startsAt: STARTS_AT, seconds: 300, weeks: 6, seed: 1 });
  const parts = noParts('q');
  made.values.forEach((value, index) => {
    if (!Number.isNaN(value)) {
      addSample(parts, STARTS_AT + index * 300, value);
    }
  });
  const reads: FigureReads = {
    keys: () => ['q'],
    read: () => [{ key: 'q', at: parts.firstAt, values: parts.first }],
    parts: async () => [parts],
    oldest: () => STARTS_AT,
  };
  const figure = figureNamed('enqueued');
  const to = STARTS_AT + 42 * DAY;
  const stalls = watchStalls();
  const band = async () => {
    const begun = performance.now();
    const usual = await usualFor(reads, { figure, scope: 'queue', key: 'q' }, 300, to, {
      sampleSeconds: 10,
      timeZone: '',
    });
    for (let at = to - 7 * DAY; at < to; at += 300) {
      usual.at(at);
    }
    return performance.now() - begun;
  };
  const first = await band();
  const next = await band();
  return { first, next, longest: stalls.end() };
}
