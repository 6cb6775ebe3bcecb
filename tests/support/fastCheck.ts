import fc from 'fast-check';

const asked = process.env['FUZZ_RUNS'];

// One seed for all runs that others wait for: what passed once passes again. `npm run fuzz` looks for what it does not reach.
fc.configureGlobal(asked === undefined ? { seed: 20261129 } : { numRuns: Number(asked) });

/** Runs of a property: as many as the test says, or as `npm run fuzz` asks for. */
export function runs(usual: number): number {
  return Number(asked ?? usual);
}

export default fc;
