/** Runs of a property: as many as the test says, or as `npm run fuzz` asks for. */
export function runs(usual: number): number {
  return Number(process.env['FUZZ_RUNS'] ?? usual);
}
