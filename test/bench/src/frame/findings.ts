/**
 * What a part of the bench finds out, and the file in which `--json` leaves it (facet.bench/v1). Other tools read it:
 * fields are added, not renamed.
 */
import { z } from 'zod';

const name = z.string().min(1);
const positive = z.number().positive();
const share = z.number().min(0).max(1);
const figures = z
  .record(name, z.number().nullable())
  .describe('Further numbers by name, the unit at its end, as in peakMiB; null where the number is none.');

/** Two ways to do the same work, timed in turns in one run. */
export const Comparison = z.strictObject({
  bench: name,
  case: name,
  subject: name,
  baseline: name,
  ratio: positive.describe(
    'Of the wall times of the same round, the middle over the rounds (Hodges and Lehmann): below 1 the subject is faster.',
  ),
  interval: z
    .tuple([positive, positive])
    .optional()
    .describe('Where the ratio lies with 95 of 100 (Wilcoxon); absent below six rounds.'),
  medianMs: positive.describe('Median over the runs, wall clock.'),
  baselineMedianMs: positive,
  runs: z.int().positive().describe('How often each of the two was timed, after a warm-up.'),
  cpuMs: positive.optional().describe('Median of the CPU time of all threads.'),
  baselineCpuMs: positive.optional(),
  target: positive.optional().describe('The ratio that the project wants to reach.'),
  success: share
    .optional()
    .describe('Of attacks: the share of samples that are decided wrongly at the end, 8 bits a value.'),
  baselineSuccess: share.optional(),
  figures: figures.optional(),
});

/** A property that holds or does not; the bench fails with it. */
export const Check = z.strictObject({
  bench: name,
  case: name,
  subject: name,
  passed: z.boolean(),
  figures,
  problem: z.string().min(1).optional().describe('What is wrong, where it has not passed.'),
});

/** What could not be measured here; it counts as neither passed nor failed. */
export const Skip = z.strictObject({ bench: name, case: name, reason: z.string().min(1) });

export const Machine = z.strictObject({
  cpu: z.string(),
  cores: z.int().positive(),
  memoryGiB: positive,
  os: z.string(),
  versions: z.record(name, z.string()).describe('Of Node.js, of our compute library, and of the peers.'),
});

export const BenchReport = z.strictObject({
  schema: z.literal('facet.bench/v1'),
  machine: Machine,
  date: z.iso.datetime(),
  results: z.array(Comparison),
  checks: z.array(Check),
  skipped: z.array(Skip),
});

export type Comparison = z.infer<typeof Comparison>;
export type Check = z.infer<typeof Check>;
export type Skip = z.infer<typeof Skip>;
export type Machine = z.infer<typeof Machine>;
export type BenchReport = z.infer<typeof BenchReport>;

type Found<T> = Omit<T, 'bench' | 'case'>;

/** What a part yields of a case; the frame adds both names. */
export type Finding =
  | { readonly comparison: Found<Comparison> }
  | { readonly check: Found<Check> }
  | { readonly skip: Found<Skip> };
