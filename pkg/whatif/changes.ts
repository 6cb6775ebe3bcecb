import { Fault } from '../faults/fault';
import type { FetchMode } from '../engine/engine';
import { groupBy } from '../sidekiq/groupBy';
import { scaled } from './durations';
import type { ClassDemand, Scenario, ThreadGroup } from './model';

/** What is changed, as texts: each field a list of `name=value`. Entries without a value change nothing. */
export interface Changes {
  readonly threads: readonly string[];
  readonly processes: readonly string[];
  readonly traffic: readonly string[];
  readonly runTime: readonly string[];
  readonly own: readonly string[];
  readonly order: readonly string[];
  readonly paused: readonly string[];
}

/** Which queues a name stands for: a worker type, or a queue. */
export type QueuesNamed = (name: string) => readonly string[];

/** Threads of one simulation at most. */
export const MOST_THREADS = 100_000;
const MOST_FACTOR = 1000;

/**
 * A scenario with changes:
 *
 * - `threads`, `processes`: the threads (processes) that serve a worker type or queue, all together; threads of what nobody
 *   serves are new ones, which serve its queues in strict order.
 * - `traffic`: so many times as many jobs, of a queue, a class or (without a name) of all; `runTime` likewise.
 * - `own`: a queue is served by so many threads of its own, and by no others.
 * - `order`: the order in which those serve their queues who serve a worker type: `a>b` strict, `a:3>b:1` by weights.
 * - `paused`: queues of which no job is taken.
 *
 * @throws Fault `query` naming the field
 */
export function changed(scenario: Scenario, changes: Changes, queuesNamed: QueuesNamed): Scenario {
  let { groups } = scenario.topology;
  let { classes, backlog } = scenario.demand;
  const paused = new Set(scenario.topology.paused);
  for (const { name, value } of entries('order', changes.order)) {
    const queues = known('order', name, queuesNamed);
    const { mode, weights } = orderOf(value);
    const stranger = [...weights.keys()].find(
      (queue) => !groups.some((group) => serves(group, queues) && group.weights.has(queue))
    );
    if (stranger !== undefined) {
      throw refused('order', `nobody who serves "${name}" serves "${stranger}"`, 'Name queues that they serve.');
    }
    groups = groups.map((group) => (serves(group, queues) ? reordered(group, mode, weights) : group));
  }
  for (const { name, value } of entries('own', changes.own)) {
    const threads = wholeNumber('own', value, MOST_THREADS);
    const queues = known('own', name, queuesNamed);
    groups = [...groups.flatMap((group) => without(group, queues)), groupOf(queues, threads)];
  }
  const [processes, threads] = [entries('processes', changes.processes), entries('threads', changes.threads)];
  apart('processes', processes, queuesNamed, groups);
  apart('threads', threads, queuesNamed, groups);
  for (const { name, value } of processes) {
    const queues = served('processes', name, queuesNamed, groups);
    const serving = processesOf(groups.filter((group) => serves(group, queues)));
    if (serving.size === 0) {
      throw refused('processes', `how many processes serve "${name}" is not known`, 'Change its "threads" instead.');
    }
    groups = resized(groups, serving, wholeNumber('processes', value, MOST_THREADS), `added for ${name}`);
  }
  for (const { name, value } of threads) {
    const queues = known('threads', name, queuesNamed);
    const wanted = wholeNumber('threads', value, MOST_THREADS);
    // Where nobody serves them, the threads are new ones.
    groups = groups.some((group) => serves(group, queues))
      ? withThreads(groups, queues, wanted)
      : [...groups, groupOf(queues, wanted)];
  }
  for (const { name, value } of entries('traffic', changes.traffic, true)) {
    const factor = factorOf('traffic', value);
    const concerned = concerns('traffic', name, queuesNamed, classes);
    classes = classes.map((each) =>
      concerned(each) ? { ...each, arrivals: each.arrivals.map((count) => count * factor) } : each
    );
  }
  for (const { name, value } of entries('runTime', changes.runTime, true)) {
    const factor = factorOf('runTime', value);
    if (factor === 0) {
      throw refused('runTime', `the factor ${value} makes no run time`, 'Set it above 0.');
    }
    const concerned = concerns('runTime', name, queuesNamed, classes);
    classes = classes.map((each) => (concerned(each) ? { ...each, durations: scaled(each.durations, factor) } : each));
  }
  for (const name of changes.paused.filter((each) => each.trim() !== '')) {
    known('paused', name, queuesNamed).forEach((queue) => paused.add(queue));
  }
  backlog = new Map(backlog);
  return { topology: { groups, paused }, demand: { ...scenario.demand, classes, backlog } };
}

/** The processes that have some of the capsules. */
function processesOf(groups: readonly ThreadGroup[]): ReadonlySet<string> {
  return new Set(groups.flatMap(({ processes }) => [...processes.keys()]));
}

/**
 * So many processes in place of some, with all of their capsules: those that have the same ones grow and shrink alike, by the
 * first of before. Where there are fewer of them than kinds, capsules that are left without one come together in another.
 *
 * @param added begins the names of new ones
 */
function resized(
  groups: readonly ThreadGroup[],
  former: ReadonlySet<string>,
  wanted: number,
  added: string
): readonly ThreadGroup[] {
  const kindOf = (name: string) => groups.map(({ processes }) => Number(processes.has(name))).join('');
  const kinds = groupBy([...former], kindOf);
  const namesOfKind = new Map<string, string[]>();
  let [passed, given] = [0, 0];
  for (const [kind, members] of kinds) {
    passed += members.length;
    const upTo = Math.round((wanted * passed) / former.size);
    const count = upTo - given;
    const more = Array.from({ length: Math.max(0, count - members.length) }, (_, index) => `${added} ${given + index}`);
    namesOfKind.set(kind, [...members.slice(0, count), ...more]);
    given = upTo;
  }
  const [first] = [...namesOfKind.values()].flat();
  // Whatever is rounded off goes to the next one.
  let [exact, whole] = [0, 0];
  return groups.map((group) => {
    const own = [...group.processes];
    const changing = own.filter(([name]) => former.has(name));
    if (changing.length === 0) {
      return group;
    }
    const all = threadsIn(own);
    const concerned = group.threads * (all === 0 ? 1 : threadsIn(changing) / all);
    exact += group.threads - concerned + (concerned * wanted) / former.size;
    const threads = Math.round(exact) - whole;
    whole += threads;
    const names = [...new Set(changing.map(([name]) => kindOf(name)))].flatMap((kind) => namesOfKind.get(kind)!);
    const now = names.length === 0 && first !== undefined ? [first] : names;
    const each = (concerned * wanted) / former.size / now.length;
    const kept = own.filter(([name]) => !former.has(name));
    return { ...group, threads, processes: new Map([...kept, ...now.map((name) => [name, each] as const)]) };
  });
}

function threadsIn(processes: ReadonlyArray<readonly [name: string, threads: number]>): number {
  return processes.reduce((sum, [, threads]) => sum + threads, 0);
}

/** Gives those who serve some queues so many threads together, shared as they are now. */
export function withThreads(
  groups: readonly ThreadGroup[],
  queues: readonly string[],
  threads: number
): readonly ThreadGroup[] {
  const total = groups.filter((group) => serves(group, queues)).reduce((sum, group) => sum + group.threads, 0);
  let [given, passed] = [0, 0];
  return groups.map((group) => {
    if (!serves(group, queues)) {
      return group;
    }
    // Whatever is rounded off goes to the next one.
    passed += group.threads;
    const upTo = total === 0 ? threads : Math.round((threads * passed) / total);
    const own = upTo - given;
    given = upTo;
    return { ...group, threads: own };
  });
}

/** Whether a group serves one of some queues. */
export function serves({ weights }: ThreadGroup, queues: readonly string[]): boolean {
  return queues.some((queue) => weights.has(queue));
}

/** An order as text, as the option takes it: `a>b` where it is strict, else with weights. */
export function orderText({ mode, weights }: ThreadGroup): string {
  const textOf = { strict: () => '', weighted: (weight: number) => `:${weight}`, random: () => ':1' }[mode];
  return [...weights].map(([queue, weight]) => queue + textOf(weight)).join('>');
}

function groupOf(queues: readonly string[], threads: number): ThreadGroup {
  return { threads, processes: new Map(), mode: 'strict', weights: new Map(queues.map((queue) => [queue, 0])) };
}

function without(group: ThreadGroup, queues: readonly string[]): ThreadGroup[] {
  const weights = new Map([...group.weights].filter(([queue]) => !queues.includes(queue)));
  return weights.size === 0 ? [] : [{ ...group, weights }];
}

/** Queues that the order does not name come last, in the order of before. */
function reordered(group: ThreadGroup, mode: FetchMode, order: ReadonlyMap<string, number>): ThreadGroup {
  const named = [...order].filter(([queue]) => group.weights.has(queue));
  const rest = [...group.weights].filter(([queue]) => !order.has(queue));
  return { ...group, mode, weights: new Map([...named, ...rest.map(([queue]) => [queue, 1] as const)]) };
}

function orderOf(text: string): { mode: FetchMode; weights: Map<string, number> } {
  const parts = text.split('>').map((part) => part.trim());
  const weighted = parts.every((part) => /:\d+$/.test(part));
  if (parts.some((part) => part === '') || (!weighted && parts.some((part) => /:\d+$/.test(part)))) {
    throw refused(
      'order',
      `the order "${text}" cannot be read`,
      'Write it as a>b, or with a weight for each as a:3>b:1.'
    );
  }
  const weights = new Map(
    parts.map((part): [string, number] => {
      const at = part.lastIndexOf(':');
      return weighted ? [part.slice(0, at), Number(part.slice(at + 1))] : [part, 0];
    })
  );
  if (weighted && [...weights.values()].some((weight) => weight < 1 || weight > MOST_FACTOR)) {
    throw refused('order', `a weight of "${text}" is out of range`, `Set weights from 1 to ${MOST_FACTOR}.`);
  }
  return { mode: weighted ? 'weighted' : 'strict', weights };
}

/**
 * Shares of run times by class, of those that are named. The one that names the class counts, else the one that names its queue,
 * its worker type, or all.
 *
 * @param texts `share`, or `name=share` of a queue, worker type or class
 * @throws Fault `query` naming the field
 */
export function computingShares(
  texts: readonly string[],
  queuesNamed: QueuesNamed,
  classes: Scenario['demand']['classes']
): ReadonlyMap<ClassDemand, number> {
  const shares = new Map<ClassDemand, number>();
  const ranks = new Map<ClassDemand, number>();
  for (const { name, value } of entries('computing', texts, true)) {
    const share = Number(value);
    if (!(share >= 0 && share <= 1)) {
      throw refused('computing', `"${value}" is no share from 0 to 1`, 'Write it as name=0.3, or 0.3 for all.');
    }
    for (const each of classes.filter(concerns('computing', name, queuesNamed, classes))) {
      const wider = name === '' ? 3 : name === each.class ? 0 : name === each.queue ? 1 : 2;
      if (wider <= (ranks.get(each) ?? 3)) {
        ranks.set(each, wider);
        shares.set(each, share);
      }
    }
  }
  return shares;
}

/** @param unnamed whether a value alone is allowed */
function entries(field: string, texts: readonly string[], unnamed = false): Array<{ name: string; value: string }> {
  const all = texts.flatMap((text) => {
    const at = text.lastIndexOf('=');
    const [name, value] = [text.slice(0, Math.max(0, at)).trim(), text.slice(at + 1).trim()];
    if (value === '' || (at >= 0 && name === '')) {
      // A variable of a dashboard that nobody has filled in.
      return [];
    }
    if (at < 0 && !unnamed) {
      throw refused(field, `the entry "${text}" has no name`, `Write it as name=value.`);
    }
    return [{ name, value }];
  });
  const twice = all.find(({ name }, index) => all.findIndex((each) => each.name === name) < index);
  if (twice) {
    throw refused(field, `"${twice.name || 'all'}" is named twice`, 'Name it once.');
  }
  return all;
}

function known(field: string, name: string, queuesNamed: QueuesNamed): readonly string[] {
  const queues = queuesNamed(name);
  if (queues.length === 0) {
    throw refused(field, `there is no worker type or queue "${name}"`, 'Use a name of the query type capacity.');
  }
  return queues;
}

/** What serves two of the names would get two numbers: threads, or processes with all of their capsules. */
function apart(
  field: 'threads' | 'processes',
  named: ReadonlyArray<{ name: string }>,
  queuesNamed: QueuesNamed,
  groups: readonly ThreadGroup[]
): void {
  const servedBy = ({ name }: { name: string }): ReadonlySet<ThreadGroup | string> => {
    const serving = groups.filter((group) => serves(group, queuesNamed(name)));
    return field === 'threads' ? new Set(serving) : processesOf(serving);
  };
  for (const [index, entry] of named.entries()) {
    const those = servedBy(entry);
    const other = named.slice(0, index).find((each) => [...servedBy(each)].some((one) => those.has(one)));
    if (other) {
      throw refused(field, `the same ${field} serve "${other.name}" and "${entry.name}"`, 'Name one of them.');
    }
  }
}

function served(
  field: string,
  name: string,
  queuesNamed: QueuesNamed,
  groups: readonly ThreadGroup[]
): readonly string[] {
  const queues = known(field, name, queuesNamed);
  if (!groups.some((group) => serves(group, queues))) {
    throw refused(field, `no process serves "${name}"`, 'Give it "threads".');
  }
  return queues;
}

function concerns(
  field: string,
  name: string,
  queuesNamed: QueuesNamed,
  classes: Scenario['demand']['classes']
): (each: Scenario['demand']['classes'][number]) => boolean {
  if (name === '') {
    return () => true;
  }
  const queues = new Set(queuesNamed(name));
  const concerned = (each: (typeof classes)[number]) => each.class === name || queues.has(each.queue);
  if (queues.size === 0 && !classes.some(concerned)) {
    throw refused(field, `there is no class, queue or worker type "${name}" that ran`, 'Check the name.');
  }
  return concerned;
}

function wholeNumber(field: string, text: string, most: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > most) {
    throw refused(field, `"${text}" is no whole number from 0 to ${most}`, 'Write it as name=10.');
  }
  return number;
}

function factorOf(field: string, text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0 || number > MOST_FACTOR) {
    throw refused(field, `"${text}" is no factor from 0 to ${MOST_FACTOR}`, 'Write it as name=1.5, or 1.5 for all.');
  }
  return number;
}

function refused(field: string, reason: string, remedy: string): Fault {
  return new Fault({ kind: 'query', message: `The option "${field}" cannot be used: ${reason}.`, remedy });
}
