import { describe, expect, it } from 'vitest';
import { Comparison } from './findings.js';
import { compared, interleave, median, timed, timingOf } from './interleave.js';

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
    expect(log.join('')).toBe('ababbaabbaab');
    const samples = [1, 2, 90, 4, 3].map((wallMs) => ({ wallMs, cpuMs: 7 }));
    expect(a).toEqual({ medianMs: 3, cpuMs: 7, samples });
    expect(b).toEqual({ medianMs: 1, samples: samples.map(() => ({ wallMs: 1 })) });
  });

  it('ends when its time is up, but not before it has enough', async () => {
    for (const [took, runs] of [
      [500, 2],
      [40, 3],
      [1, 5],
    ]) {
      const { now, contender } = workshop();
      expect((await interleave({ a: contender('a', [took]) }, { ...pace, now })).a.samples).toHaveLength(
        runs,
      );
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
  const ours = timingOf([32, 30, 28].map((wallMs) => ({ wallMs, cpuMs: 29 })));
  const theirs = timingOf([40, 40, 40].map((wallMs) => ({ wallMs })));

  it('divides the subject by the baseline, round by round', () => {
    const pair = { subject: ['ours', ours], baseline: ['theirs', theirs] } as const;
    const finding = compared({ ...pair, target: 0.8, figures: { steps: 10 } });
    if (!('comparison' in finding)) throw new Error('is no comparison');
    expect(finding.comparison.ratio).toBeCloseTo(0.75, 2);
    expect(finding.comparison).toMatchObject({
      subject: 'ours',
      baseline: 'theirs',
      medianMs: 30,
      baselineMedianMs: 40,
      runs: 3,
      cpuMs: 29,
      target: 0.8,
      figures: { steps: 10 },
    });
    expect(Comparison.parse({ bench: 'b', case: 'c', ...finding.comparison })).toMatchObject({ runs: 3 });
  });

  it('refuses timings that were not taken in turns', () => {
    const fewer = timingOf(theirs.samples.slice(1));
    expect(() => compared({ subject: ['ours', ours], baseline: ['theirs', fewer] })).toThrow('not timed in');
  });
});
