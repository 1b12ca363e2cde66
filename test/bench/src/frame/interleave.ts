/**
 * Times several ways to do the same work in turns, A B C, C B A, A B C ..., so that a machine that becomes slower or faster
 * meanwhile treats them alike. One at a time; medians, since other processes only ever add time.
 */
import { performance } from 'node:perf_hooks';
import type { Finding } from './findings.js';
import { pairedRatio } from './pairs.js';

/** One run: milliseconds by the wall clock, and of CPU time over all threads where it is known. */
export interface Sample {
  readonly wallMs: number;
  readonly cpuMs?: number;
}

export interface Timing {
  readonly medianMs: number;
  readonly cpuMs?: number;
  /** Each run, in their order. */
  readonly samples: readonly Sample[];
}

export interface Pace {
  /** Rounds that are run whatever they take. */
  readonly minimum: number;
  /** No further round begins after this time. */
  readonly budgetMs: number;
  readonly maximum: number;
  /** Milliseconds of a steady clock. */
  readonly now: () => number;
}

/** Short enough to find a quiet moment for a case, long enough for a steady median. */
const PACE: Pace = { minimum: 5, budgetMs: 15_000, maximum: 31, now: () => performance.now() };

/** Runs and times work of this process. */
export async function timed(work: () => Promise<unknown>): Promise<Required<Sample>> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs, cpuMs: (user + system) / 1000 };
}

export const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('nothing has no median');
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The timing of each contender, after a round that does not count. */
export async function interleave<Name extends string>(
  contenders: Readonly<Record<Name, () => Promise<Sample>>>,
  pace: Partial<Pace> = {},
): Promise<Record<Name, Timing>> {
  const { minimum, budgetMs, maximum, now } = { ...PACE, ...pace };
  const names = Object.keys(contenders) as Name[];
  const samples = new Map(names.map((name): [Name, Sample[]] => [name, []]));
  for (const name of names) await contenders[name]();
  const start = now();
  for (let round = 0; round < maximum && (round < minimum || now() - start < budgetMs); round++)
    for (const name of round % 2 === 0 ? names : names.toReversed())
      samples.get(name)!.push(await contenders[name]());
  return Object.fromEntries([...samples].map(([name, runs]) => [name, timingOf(runs)])) as Record<
    Name,
    Timing
  >;
}

/** What is known of runs that were timed. */
export function timingOf(samples: readonly Sample[]): Timing {
  const cpu = samples.flatMap(({ cpuMs }) => cpuMs ?? []);
  return {
    medianMs: median(samples.map(({ wallMs }) => wallMs)),
    samples,
    ...(cpu.length === samples.length && { cpuMs: median(cpu) }),
  };
}

interface Pair {
  readonly subject: readonly [name: string, timing: Timing];
  readonly baseline: readonly [name: string, timing: Timing];
  readonly target?: number;
  /** Shares of samples that attacks fooled: ours, theirs. */
  readonly success?: readonly [number, number];
  readonly figures?: Readonly<Record<string, number>>;
}

const wallOf = ({ samples }: Timing): number[] => samples.map(({ wallMs }) => wallMs);

/** Two timings of one interleaved run as a finding. */
export function compared({ subject, baseline, target, success, figures }: Pair): Finding {
  const [[subjectName, ours], [baselineName, theirs]] = [subject, baseline];
  const { ratio, interval } = pairedRatio(wallOf(ours), wallOf(theirs));
  return {
    comparison: {
      subject: subjectName,
      baseline: baselineName,
      ratio,
      ...(interval && { interval: [...interval] }),
      medianMs: ours.medianMs,
      baselineMedianMs: theirs.medianMs,
      runs: ours.samples.length,
      ...(ours.cpuMs !== undefined && { cpuMs: ours.cpuMs }),
      ...(theirs.cpuMs !== undefined && { baselineCpuMs: theirs.cpuMs }),
      ...(target !== undefined && { target }),
      ...(success && { success: success[0], baselineSuccess: success[1] }),
      ...(figures && { figures: { ...figures } }),
    },
  };
}
