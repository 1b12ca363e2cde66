import { describe, expect, it } from 'vitest';
import {
  DatasetSource,
  FACTS,
  type FactType,
  factSubject,
  JOBS,
  type JobType,
  jobSubject,
  POOLS,
  StandingEvaluation,
  STREAMS,
} from './events.js';
import { FACT_SAMPLES, JOB_SAMPLES, VALID } from './samples.fixture.js';

const facts = Object.keys(FACTS) as FactType[];
const jobs = Object.keys(JOBS) as JobType[];

describe.each([
  ...facts.map((type) => [type, FACTS[type], FACT_SAMPLES[type]] as const),
  ...jobs.map((type) => [`job ${type}`, JOBS[type], JOB_SAMPLES[type]] as const),
])('%s', (_, schema, sample) => {
  it('takes its message and nothing that it does not know', () => {
    const parsed = schema.parse(sample);
    expect(schema.parse(JSON.parse(JSON.stringify(parsed)))).toEqual(parsed);
    expect(schema.safeParse({ ...sample, extra: 1 }).success).toBe(false);
  });

  it('misses no field silently', () => {
    const optional = ['policy', 'baseline'];
    for (const field of Object.keys(sample).filter((name) => !optional.includes(name))) {
      expect(schema.safeParse({ ...sample, [field]: undefined }).success, field).toBe(false);
    }
  });
});

describe('subjects', () => {
  const subjects = [
    ...facts.map(factSubject),
    ...jobs.flatMap((type) => POOLS.map((pool) => jobSubject(type, pool))),
  ];
  /** The streams that would take a subject; `>` stands for one token or more, at the end. */
  const streamsOf = (subject: string) =>
    STREAMS.filter(({ subjects: [filter] }) => {
      const prefix = filter.slice(0, -1);
      return filter.endsWith('.>') && subject.startsWith(prefix) && subject.length > prefix.length;
    }).map(({ name }) => name);

  it('are what the design says', () => {
    expect(factSubject('model.published')).toBe('facet.events.model.published.v1');
    expect(jobSubject('attacks', 'gpu')).toBe('facet.jobs.attacks.gpu');
  });

  it('are distinct and valid in NATS', () => {
    expect(new Set(subjects).size).toBe(subjects.length);
    for (const subject of subjects) expect(subject).toMatch(/^[a-z0-9]+(\.[a-z0-9]+)+$/);
  });

  it('go to exactly one stream each: facts to events, jobs to the work queue', () => {
    for (const type of facts) expect(streamsOf(factSubject(type))).toEqual(['FACET_EVENTS']);
    for (const type of jobs)
      for (const pool of POOLS) expect(streamsOf(jobSubject(type, pool))).toEqual(['FACET_JOBS']);
    expect(streamsOf('facet.dlq.attacks')).toEqual(['FACET_DLQ']);
  });

  it('leave the streams apart: no filter begins with another', () => {
    const prefixes = STREAMS.flatMap(({ subjects: filters }) => filters.map((filter) => filter.slice(0, -1)));
    for (const one of prefixes)
      for (const other of prefixes) if (one !== other) expect(one.startsWith(other)).toBe(false);
    expect(new Set(prefixes).size).toBe(STREAMS.length);
    expect(STREAMS.filter(({ retention }) => retention === 'work-queue').map(({ name }) => name)).toEqual([
      'FACET_JOBS',
    ]);
  });
});

describe('DatasetSource', () => {
  it('completes a synthetic one', () => {
    expect(DatasetSource.parse((JOB_SAMPLES.ingestion as { source: unknown }).source)).toMatchObject({
      variant: 'standard',
      heldOut: [],
    });
  });

  it.each([
    { kind: 'folder', path: '' },
    { kind: 'synthetic', seed: -1, size: 64, samples: { train: 0, dev: 0, test: 1 } },
    { kind: 'synthetic', seed: 0, size: 4096, samples: { train: 0, dev: 0, test: 1 } },
    { kind: 'synthetic', seed: 0, size: 64, samples: { train: 0, dev: 0, test: 0 } },
    { kind: 'url', path: 'https://example.org' },
  ])('refuses %j', (source) => {
    expect(DatasetSource.safeParse(source).success).toBe(false);
  });
});

it.each([
  ['*', true],
  ['net', true],
  ['net-*', true],
  ['*net', false],
  ['n*t', false],
  ['net**', false],
  ['', false],
  ['Net', false],
])('a standing evaluation of models %j: %s', (models, taken) => {
  expect(StandingEvaluation.safeParse({ ...VALID.standing, models }).success).toBe(taken);
});
