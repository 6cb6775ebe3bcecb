/** Means of a figure over stretches of time of equal length, without holes; NaN where nothing was seen. */
export interface Slots {
  /** Epoch seconds of the first one, a multiple of {@link seconds}. */
  readonly startsAt: number;
  /** Length of each. */
  readonly seconds: number;
  readonly values: ArrayLike<number>;
}
