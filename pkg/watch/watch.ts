import { z } from 'zod';
import { BusyMeans } from '../observe/busyMeans';
import { ClassMemory } from '../observe/classMemory';
import { ClassNames } from '../observe/classNames';
import { ClassQueueTotals, type ClassQueueTotalsView } from '../observe/classQueueTotals';
import { ClassQueues } from '../observe/classQueues';
import { ClassShares } from '../observe/classShares';
import { ClassTotals } from '../observe/classTotals';
import { DisabledEntries } from '../observe/disabledEntries';
import { Flow } from '../observe/flow';
import { JobWaits } from '../observe/jobWaits';
import type { Observer } from '../observe/observer';
import { ProcessLog } from '../observe/processLog';
import { queueStates } from '../observe/queueState';
import { RedisCounters } from '../observe/redisCounters';
import { RedisMemory } from '../observe/redisMemory';
import { ServiceEnds } from '../observe/serviceEnds';
import type { Notice } from '../sidekiq/model';
import { NO_MASTER, withoutMasterSeconds } from '../sidekiq/replica';
import { installationTotals } from '../sidekiq/totals';
import { applyRules } from '../findings/table';
import { FindingLog, type FindingLogView } from './findingLog';
import type { Reading } from './reading';
import type { State } from './state';

/** What a state holds that no reading tells. */
export type Beside = Pick<State, 'statsd' | 'options' | 'recorded'>;

const cutOff = (seconds: number): Notice => ({
  severity: 'warning',
  text: `${NO_MASTER} for ${Math.round(seconds)} s: figures are of the time before.`,
});
const NOTHING_COUNTED: ClassQueueTotalsView = new Map();
const NOTHING_FOUND: FindingLogView = { open: [], ended: [] };
const savedSchema = z.record(z.string(), z.unknown());

/**
 * The fold: takes readings one after the other and gives the state after each. It knows neither Redis nor a clock, so
 * the same readings in the same order give the same states, whether they are live, recorded or made up.
 *
 * What it remembers is bounded by its observers. Not concurrent: one reading at a time.
 */
export class Watch {
  readonly observers = {
    flow: new Flow(),
    processLog: new ProcessLog(),
    classTotals: new ClassTotals(),
    classQueues: new ClassQueues(),
    classShares: new ClassShares(),
    classNames: new ClassNames(),
    jobWaits: new JobWaits(),
    classMemory: new ClassMemory(),
    redisCounters: new RedisCounters(),
    disabledEntries: new DisabledEntries(),
    serviceEnds: new ServiceEnds(),
    busyMeans: new BusyMeans(),
  };
  readonly redisMemory = new RedisMemory();
  readonly classQueueTotals = new ClassQueueTotals();
  readonly findingLog = new FindingLog();

  next({ snapshot, missed, info, locks, usual, notices, historyFile }: Reading, beside: Beside): State {
    const {
      flow,
      processLog,
      classTotals,
      classQueues,
      classShares,
      classNames,
      jobWaits,
      classMemory,
      redisCounters,
      disabledEntries,
      serviceEnds,
      busyMeans,
    } = this.observers;
    if (missed) {
      classTotals.expect(missed);
    }
    const seconds = withoutMasterSeconds(info);
    // A replica without its master hears of no heartbeats: to it all processes vanish.
    this.all
      .filter(([, observer]) => seconds === null || observer !== processLog)
      .forEach(([, observer]) => observer.observe(snapshot));
    const seen = { classQueues: classQueues.view(), classShares: classShares.view() };
    const state = {
      snapshot,
      queues: queueStates(snapshot, flow.view(), beside.options.workerTypes),
      totals: installationTotals(snapshot),
      processLog: processLog.view(),
      classTotals: classTotals.view(),
      ...seen,
      // Only the names of other exporters tell of them.
      classQueueTotals: beside.options.compatNames
        ? this.classQueueTotals.next(classTotals.view(), seen)
        : NOTHING_COUNTED,
      classNames: classNames.view(),
      jobWaits: jobWaits.view(),
      classMemory: classMemory.view(),
      redisCounters: redisCounters.view(),
      disabledEntries: disabledEntries.view(),
      serviceEnds: serviceEnds.view(),
      busyMeans: busyMeans.view(),
      redisMemory: this.redisMemory.next(info, snapshot.at),
      findingLog: NOTHING_FOUND,
      locks,
      usual,
      historyFile,
      now: snapshot.at,
      notices: [...(seconds === null ? [] : [cutOff(seconds)]), ...snapshot.notices, ...notices],
      ...beside,
    };
    const recurring = snapshot.recurring.items.map((entry) => ({ ...entry, now: state.now }));
    const found = applyRules({ state, info, recurring }).map((each) => ({ ...each, rule: each.rule.id }));
    // The same object: what was derived of it for the rules is not derived again.
    state.findingLog = this.findingLog.next(found, state.now);
    return state;
  }

  /** All that it remembers, as plain JSON. */
  save(): Record<string, unknown> {
    const observers = Object.fromEntries(this.all.map(([name, observer]) => [name, observer.save()]));
    return {
      ...observers,
      redisMemory: this.redisMemory.save(),
      classQueueTotals: this.classQueueTotals.save(),
      findingLog: this.findingLog.save(),
    };
  }

  /** Goes on from what {@link save} gave. @throws Error for anything else */
  restore(saved: unknown): void {
    const parts = savedSchema.parse(saved);
    const { redisMemory, classQueueTotals, findingLog } = this;
    for (const [name, part] of [...this.all, ...Object.entries({ redisMemory, classQueueTotals, findingLog })]) {
      // What an earlier version did not know begins here.
      if (parts[name] !== undefined) {
        part.restore(parts[name]);
      }
    }
  }

  private get all(): Array<[string, Observer<unknown>]> {
    return Object.entries(this.observers);
  }
}
