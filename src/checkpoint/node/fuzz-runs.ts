/**
 * How often a property test tries: `R1_FUZZ_RUNS` times where it is set (100,000 take three minutes), else as often as every
 * `npm test` can afford.
 */
export function fuzzRuns(everyTime: number): number {
  const runs = Number(process.env["R1_FUZZ_RUNS"] ?? everyTime);
  if (Number.isInteger(runs) && runs > 0) return runs;
  throw new RangeError(`R1_FUZZ_RUNS is ${process.env["R1_FUZZ_RUNS"]}; expected a whole number above 0`);
}

/** Milliseconds for a property test of so many runs. */
export function fuzzTimeout(runs: number): number {
  return 120_000 + runs * 20;
}
