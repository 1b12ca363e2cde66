/**
 * Ten thousand mutants of models, opened as the engine opens what it is given: each is refused with a place, or opens.
 * A mutant that takes its process with it would be refused too; with this list of numbers none does.
 */
import { ProcessPool, WorkerCrashed } from '@facet/threads';
import { afterAll, describe, expect, it } from 'vitest';
import { ownSubjects, publishedSubjects, type Subject } from './subjects.fixture.js';
import type { FuzzResult, FuzzTask } from './testing/fuzz-worker.js';

const SEED = 1;
/** Mutants of one task; a process is asked for the next when it has done them. */
const CHUNK = 100;

const pool = new ProcessPool({
  name: 'fuzz',
  url: new URL('../dist/testing/fuzz-worker.js', import.meta.url),
  size: 2,
  memoryBytes: 2 ** 31,
  silenceMs: 30_000,
  environment: { ORT_DISABLE_TELEMETRY: '1', FACET_WORKER_MEMORY_BYTES: String(2 ** 30) },
});
afterAll(() => pool.close());

interface Tally {
  opened: number;
  refused: number;
  readonly kinds: Set<string>;
  readonly wrong: string[];
  readonly deaths: string[];
}

async function fuzzRange(tally: Tally, task: FuzzTask): Promise<void> {
  let last = task.from;
  try {
    const onProgress = (number: number) => (last = number);
    const { outcomes, wrong } = await pool.run<FuzzResult, number>('fuzz', task, { onProgress });
    tally.wrong.push(...wrong);
    for (const [kind, counts] of Object.entries(outcomes)) {
      tally.kinds.add(kind);
      for (const [outcome, count] of Object.entries(counts))
        if (outcome === 'opened') tally.opened += count;
        else tally.refused += count;
    }
  } catch (error) {
    if (!(error instanceof WorkerCrashed)) throw error;
    tally.deaths.push(`${task.subject} ${last}: ${error.reason}`);
    if (last + 1 < task.to) await fuzzRange(tally, { ...task, from: last + 1 });
  }
}

async function fuzz({ name, bytes, manifest }: Subject, mutants: number): Promise<Tally> {
  const tally: Tally = { opened: 0, refused: 0, kinds: new Set(), wrong: [], deaths: [] };
  const starts = Array.from({ length: mutants / CHUNK }, (_, i) => i * CHUNK);
  const tasks = starts.map((from) => ({
    subject: name,
    bytes,
    manifest,
    seed: SEED,
    from,
    to: from + CHUNK,
  }));
  await Promise.all(tasks.map((task) => fuzzRange(tally, task)));
  return tally;
}

/** Ten thousand; those of the network take longest. */
const MUTANTS: Readonly<Record<string, number>> = {
  'many operators': 1500,
  quantised: 8400,
  'multitask network': 100,
};

const TIMEOUT_MS = 600_000;

async function expectSafe(subject: Subject, mutants: number): Promise<void> {
  const { opened, refused, kinds, wrong, deaths } = await fuzz(subject, mutants);
  expect(wrong).toEqual([]);
  expect(deaths).toEqual([]);
  expect(opened + refused).toBe(mutants);
  // Mutants that are all refused, or none, would show nothing.
  expect(opened).toBeGreaterThan(mutants / 20);
  expect(refused).toBeGreaterThan(mutants / 5);
  expect(kinds.size).toBeGreaterThan(12);
}

describe('mutants of our own models', () => {
  it.each(ownSubjects().map((subject) => [subject.name, subject] as const))(
    '%s',
    (name, subject) => expectSafe(subject, MUTANTS[name]),
    TIMEOUT_MS,
  );
});

const cases = process.env['FACET_CASES'];
describe.skipIf(cases === undefined)('mutants of the models of FACET_CASES', () => {
  const subjects = cases === undefined ? [] : publishedSubjects(cases);
  it.each(subjects.map((subject) => [subject.name, subject] as const))(
    '%s',
    (_, subject) => expectSafe(subject, 300),
    TIMEOUT_MS,
  );
});
