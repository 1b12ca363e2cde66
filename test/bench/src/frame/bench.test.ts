import { describe, expect, it } from 'vitest';
import { Peers } from '../peers/peers.js';
import { NoPeer } from '../peers/python.js';
import { runCases } from './bench.js';
import { BenchReport, type Finding, type Machine } from './findings.js';
import type { Part } from './part.js';
import { textOf } from './table.js';

const machine: Machine = { cpu: 'abacus', cores: 2, memoryGiB: 8, os: 'none', versions: { node: '20' } };
const date = new Date(Date.UTC(2026, 0, 2));

const comparison = {
  subject: 'ours',
  baseline: 'theirs',
  ratio: 0.5,
  medianMs: 12.345,
  baselineMedianMs: 24.69,
  runs: 5,
};
const FOUND: Record<string, readonly Finding[] | Error> = {
  fast: [
    { comparison: { ...comparison, target: 0.6 } },
    { comparison: { ...comparison, target: 0.4, baseline: 'others' } },
  ],
  right: [{ check: { subject: 'sum', passed: true, figures: { error: 1.5e-7 } } }],
  wrong: [
    { check: { subject: 'sum', passed: false, figures: { error: 2, cosine: NaN }, problem: 'differs by 2' } },
  ],
  small: [{ skip: { reason: 'one core' } }],
  missing: new NoPeer('no Python'),
  broken: new Error('out of order'),
};

const part: Part = {
  name: 'tried',
  about: 'tries the frame',
  cases: Object.keys(FOUND),
  async *run(name) {
    const found = FOUND[name];
    await Promise.resolve();
    if (found instanceof Error) throw found;
    yield* found;
  },
};

const run = (cases: readonly string[]) => {
  const log = (): void => undefined;
  return runCases([{ part, cases }], { peers: new Peers(log), log }, () => machine, date);
};

describe('the frame', () => {
  it('leaves a report that its schema accepts, with what each case found under its names', async () => {
    const { report } = await run(part.cases);
    expect(BenchReport.parse(JSON.parse(JSON.stringify(report)))).toEqual(report);
    expect(report.date).toBe('2026-01-02T00:00:00.000Z');
    expect(report.results.map(({ bench, case: name, baseline }) => [bench, name, baseline])).toEqual([
      ['tried', 'fast', 'theirs'],
      ['tried', 'fast', 'others'],
    ]);
    expect(report.checks.map(({ case: name, passed }) => [name, passed])).toEqual([
      ['right', true],
      ['wrong', false],
    ]);
    expect(report.skipped).toEqual([
      { bench: 'tried', case: 'small', reason: 'one core' },
      { bench: 'tried', case: 'missing', reason: 'no Python' },
    ]);
  });

  it('fails by checks and errors, which end nothing else; not by what is skipped, slow or right', async () => {
    const { failures } = await run(part.cases);
    expect(failures).toHaveLength(2);
    expect(failures[0]).toContain('tried broken: Error: out of order');
    expect(failures[1]).toBe('tried wrong: differs by 2');
    expect((await run(['fast', 'right', 'small', 'missing'])).failures).toEqual([]);
  });

  it('shows what was found, what was skipped and why, and the machine', async () => {
    const { report } = await run(part.cases);
    const text = textOf(report);
    expect(text).toMatchInlineSnapshot(`
      "bench  case  subject  baseline  ratio  target       ms  baseline ms  runs  figures
      -----  ----  -------  --------  -----  -----------  --  -----------  ----  -------
      tried  fast  ours     theirs    0.500  reaches 0.6  12  25           5
      tried  fast  ours     others    0.500  misses 0.4   12  25           5

      bench  case   subject          figures
      -----  -----  -------  ------  -------------------------------------
      tried  right  sum      passed  error 1.5e-7
      tried  wrong  sum      FAILED  error 2.00, cosine none; differs by 2

      skipped: tried, small: one core
      skipped: tried, missing: no Python

      2026-01-02T00:00:00.000Z, abacus, 2 cores, 8 GiB; node 20"
    `);
  });
});

it.each([
  ['a ratio of nothing', { results: [{ bench: 'b', case: 'c', ...comparison, ratio: 0 }] }],
  ['an unknown field', { results: [{ bench: 'b', case: 'c', ...comparison, speed: 1 }] }],
  [
    'a figure that is no number',
    { checks: [{ bench: 'b', case: 'c', subject: 's', passed: true, figures: { x: NaN } }] },
  ],
  ['a skip without a reason', { skipped: [{ bench: 'b', case: 'c', reason: '' }] }],
])('the schema refuses %s', (_, changes) => {
  const empty = {
    schema: 'facet.bench/v1',
    machine,
    date: date.toISOString(),
    results: [],
    checks: [],
    skipped: [],
  };
  expect(BenchReport.safeParse(empty).success).toBe(true);
  expect(BenchReport.safeParse({ ...empty, ...changes }).success).toBe(false);
});
