import { describe, expect, it } from 'vitest';
import { Comparison } from './findings.js';
import { compared, interleave, median, timed } from './interleave.js';

const pace = { minimum: 2, maximum: 5, budgetMs: 100 };

/** A clock that only runs when somebody works. */
function workshop(log: string[] = []) {
  let time = 0;
  const contender = (name: string, wallMs: number[], cpuMs?: number) => () => {
    log.push(name);
    const runs = log.filter((one) => one === name).length - 1;
    const took = wallMs[runs % wallMs.length];
    time += took;
    return Promise.resolve({ wallMs: took, ...(cpuMs !== undefined && { cpuMs }) });
  };
  return { now: () => time, contender };
}

describe('interleave', () => {
  it('takes turns after a round that does not count, and gives medians', async () => {
    const log: string[] = [];
    const { now, contender } = workshop(log);
    const { a, b } = await interleave(
      { a: contender('a', [1000, 1, 2, 90, 4, 3], 7), b: contender('b', [1]) },
      { ...pace, budgetMs: 1e6, now },
    );
    expect(log.join('')).toBe('ab'.repeat(6));
    expect(a).toEqual({ medianMs: 3, cpuMs: 7, runs: 5 });
    expect(b).toEqual({ medianMs: 1, runs: 5 });
  });

  it('ends when its time is up, but not before it has enough', async () => {
    for (const [took, runs] of [
      [500, 2],
      [40, 3],
      [1, 5],
    ]) {
      const { now, contender } = workshop();
      expect((await interleave({ a: contender('a', [took]) }, { ...pace, now })).a.runs).toBe(runs);
    }
  });

  it('ends with the error of a contender', async () => {
    await expect(interleave({ a: () => Promise.reject(new Error('broken')) }, pace)).rejects.toThrow(
      'broken',
    );
  });
});

it('median takes the middle, or between the two in the middle', () => {
  expect(median([5])).toBe(5);
  expect(median([10, 2, 3])).toBe(3);
  expect(median([10, 2, 4, 3])).toBe(3.5);
  expect(() => median([])).toThrow(RangeError);
});

it('timed counts the CPU time of the work', async () => {
  const busy = await timed(() => {
    const { user } = process.cpuUsage();
    while (process.cpuUsage().user - user < 5000);
    return Promise.resolve();
  });
  expect(busy.cpuMs).toBeGreaterThanOrEqual(5);
  expect(busy.wallMs).toBeGreaterThan(0);
});

describe('compared', () => {
  const ours = { medianMs: 30, cpuMs: 29, runs: 7 };

  it('divides the subject by the baseline', () => {
    const finding = compared({
      subject: ['ours', ours],
      baseline: ['theirs', { medianMs: 40, runs: 7 }],
      target: 0.8,
      figures: { steps: 10 },
    });
    expect(finding).toEqual({
      comparison: {
        subject: 'ours',
        baseline: 'theirs',
        ratio: 0.75,
        medianMs: 30,
        baselineMedianMs: 40,
        runs: 7,
        cpuMs: 29,
        target: 0.8,
        figures: { steps: 10 },
      },
    });
    if (!('comparison' in finding)) throw new Error('is no comparison');
    expect(Comparison.parse({ bench: 'b', case: 'c', ...finding.comparison }).ratio).toBe(0.75);
  });

  it('refuses timings that were not taken in turns', () => {
    expect(() =>
      compared({ subject: ['ours', ours], baseline: ['theirs', { medianMs: 1, runs: 6 }] }),
    ).toThrow('not in turns');
  });
});
