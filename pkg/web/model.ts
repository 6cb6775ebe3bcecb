/** A row of a query, by column. Instants are epoch milliseconds, durations seconds. */
export type Row = Record<string, string | number | boolean | null>;

export interface Rows {
  rows: Row[];
  /** Why there are none. */
  problem?: string;
  /** How many of all are shown, where there are more. */
  cut?: string;
}

/** One line of a graph; instants in epoch seconds. */
export interface Line {
  name: string;
  at: number[];
  values: Array<number | null>;
}

export interface Graph {
  lines: Line[];
  problem?: string;
}

/** What the page is told of a simulation, by worker type. */
export interface WhatIfData extends Rows {
  /** What is assumed, and how well the model agrees with what was measured. */
  notes: string[];
}

/** What the page is sent. */
export interface PageData {
  /** Epoch seconds. */
  at: number;
  /** The time that can be asked for, epoch seconds; `null` where nothing was recorded. */
  recorded: { from: number; to: number } | null;
  /** Sidekiq could be read then. */
  ok: boolean;
  /** Sidekiq cannot be read now: the figures are of this instant, epoch seconds. */
  keptFrom?: number;
  /** Not all that is shown is known. */
  partial: boolean;
  health: string;
  /** What the DogStatsD receiver has received; `''` without one. */
  receiver: string;
  findings: Rows;
  overview: Rows;
  queues: Rows;
  busy: Rows;
  errors: Rows;
  processes: Rows;
  /** Executions a second, by class. */
  throughput: Graph;
  /** Failures, by class. */
  failures: Graph;
  /** Mean run time in seconds, by class. */
  runTimes: Graph;
  /** Waiting jobs, by queue. */
  sizes: Graph;
  /** Age of the oldest waiting job in seconds, by queue. */
  waits: Graph;
}
