import { keys, StandingEvaluation } from '@facet/contracts';
import { StoreError } from '@facet/store';
import { describe, expect, it } from 'vitest';
import { matches, saveStanding, standingFor } from './standing.js';
import { openStore } from './store.fixture.js';

const standing = (name: string, models: string, version?: string): StandingEvaluation =>
  StandingEvaluation.parse({
    schema: 'facet.standing/v1',
    name,
    models,
    ...(version !== undefined && { version }),
    dataset: { name: 'faces', version: '1' },
    plan: {
      schema: 'facet.plan/v1',
      name: 'quick',
      seed: 7,
      samples: 100,
      batch: 16,
      shard: 32,
      attacks: [
        { objectives: ['sfa'], searches: [{ name: 'fgsm' }], threats: [{ norm: 'linf', epsilon: '2/255' }] },
      ],
    },
  });

describe('a standing evaluation', () => {
  it.each([
    ['net', undefined, true],
    ['net*', undefined, true],
    ['ne*', undefined, true],
    ['*', undefined, true],
    ['ne', undefined, false],
    ['net-small', undefined, false],
    ['net-*', undefined, false],
    ['et*', undefined, false],
    ['net', '1.0', true],
    ['*', '1.0', true],
    ['net', '1.1', false],
    ['*', '1', false],
  ])('of models %s, version %s: %s for net@1.0', (models, version, taken) => {
    expect(matches(standing('x', models, version), { name: 'net', version: '1.0' })).toBe(taken);
  });

  it('is found by the publication of a model that it matches', async () => {
    const store = await openStore();
    const model = { name: 'net', version: '1.0' };
    expect(await standingFor(store, model)).toEqual([]);
    const [nightly, all, other] = [
      standing('nightly', 'net*'),
      standing('all', '*'),
      standing('other', 'trunk'),
    ];
    for (const one of [nightly, all, other]) await saveStanding(store, one);
    expect(await standingFor(store, model)).toEqual([all, nightly]);
    await saveStanding(store, standing('nightly', 'trunk'));
    expect(await standingFor(store, model)).toEqual([all]);
  });

  it('that cannot be read is named, not passed over', async () => {
    const store = await openStore();
    await store.put(keys.standing.one('broken'), new TextEncoder().encode('{}'));
    const found = standingFor(store, { name: 'net', version: '1' });
    await expect(found).rejects.toThrow(StoreError);
    await expect(found).rejects.toThrow(/standing\/broken\.json/);
  });
});
