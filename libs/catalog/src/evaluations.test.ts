import {
  Cell,
  type DatasetManifest,
  EvaluationId,
  EvaluationPlan,
  NORMS,
  OBJECTIVES,
  Policy,
  type SearchConfig,
} from '@facet/contracts';
import { InputError } from '@facet/runtime';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  evaluationId,
  loadPlan,
  loadRequest,
  makeCell,
  type PlannedEvaluation,
  savePlan,
  saveRequest,
  shardIndices,
  shardsPerCell,
} from './evaluations.js';
import { openStore } from './store.fixture.js';

const DIGEST = 'ab'.repeat(32);
const MODEL = { ref: { name: 'net', version: '1' }, digest: DIGEST };
const datasetOf = (...shards: number[]): DatasetManifest => ({
  schema: 'facet.dataset/v1',
  name: 'faces',
  version: '1',
  description: '',
  size: 'native',
  maps: [],
  splits: {
    train: [],
    dev: [],
    test: shards.map((samples, i) => ({ key: `${i}`, samples, sha256: DIGEST })),
  },
  digest: DIGEST,
});
const planOf = (change: object = {}): EvaluationPlan =>
  EvaluationPlan.parse({
    schema: 'facet.plan/v1',
    name: 'quick',
    seed: 7,
    samples: 100,
    batch: 16,
    shard: 32,
    attacks: [
      { objectives: ['sfa'], searches: [{ name: 'fgsm' }], threats: [{ norm: 'linf', epsilon: '2/255' }] },
    ],
    ...change,
  });
const POLICY = Policy.parse({ schema: 'facet.policy/v1', name: 'gate', clean: { maxAcer: 0.1 } });

describe('evaluationId', () => {
  it('is the same for the same question, however it is written', () => {
    const id = evaluationId(MODEL, datasetOf(10), planOf(), POLICY);
    const rewritten = Object.fromEntries(Object.entries(planOf()).reverse()) as EvaluationPlan;
    expect(evaluationId({ ...MODEL }, datasetOf(10), rewritten, POLICY)).toBe(id);
    const threats = [{ norm: 'linf', epsilon: 2 / 255 }];
    const computed = planOf({ attacks: [{ ...planOf().attacks[0], threats }] });
    expect(evaluationId(MODEL, datasetOf(10), computed, POLICY)).toBe(id);
    expect(id).toMatch(/^net-[0-9a-f]{16}$/);
  });

  it('is another for another model, dataset, plan or policy', () => {
    const data = datasetOf(10);
    const ids = [
      evaluationId(MODEL, data, planOf(), POLICY),
      evaluationId(MODEL, data, planOf(), undefined),
      evaluationId(MODEL, data, planOf(), { ...POLICY, clean: { maxAcer: 0.2 } }),
      evaluationId(MODEL, data, planOf({ seed: 8 }), POLICY),
      evaluationId(MODEL, data, planOf({ samples: 99 }), POLICY),
      evaluationId(MODEL, data, planOf({ batch: 8 }), POLICY),
      evaluationId(MODEL, { ...data, digest: 'cd'.repeat(32) }, planOf(), POLICY),
      evaluationId({ ...MODEL, digest: 'cd'.repeat(32) }, data, planOf(), POLICY),
      evaluationId({ ...MODEL, ref: { name: 'net', version: '2' } }, data, planOf(), POLICY),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('fits a key, however long the name of the model', () => {
    const long = { ...MODEL, ref: { name: `a${'-'.repeat(62)}`, version: '1' } };
    expect(EvaluationId.safeParse(evaluationId(long, datasetOf(1), planOf(), undefined)).success).toBe(true);
  });
});

const search: fc.Arbitrary<SearchConfig> = fc.oneof(
  fc.constant<SearchConfig>({ name: 'fgsm' }),
  fc
    .record(
      {
        name: fc.constant('pgd' as const),
        steps: fc.integer({ min: 1, max: 1000 }),
        restarts: fc.integer({ min: 1, max: 100 }),
        relativeStep: fc.double({ min: 1e-9, max: 10, noNaN: true }),
      },
      { requiredKeys: ['name', 'steps', 'restarts'] },
    )
    .map((config): SearchConfig => config),
);
const epsilon = fc.oneof(
  fc.integer({ min: 1, max: 255 }).map((levels) => levels / 255),
  fc.integer({ min: 1, max: 255 }).map((levels) => Math.min(1, (levels + 1e-9) / 255)),
  fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }),
);
const cell = fc.record({
  facet: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/),
  objective: fc.constantFrom(...OBJECTIVES),
  search,
  threat: fc.record({ norm: fc.constantFrom(...NORMS), epsilon }),
});

describe('makeCell', () => {
  it('says what the cell is', () => {
    const made = makeCell({
      facet: 'spoof-type',
      objective: 'sfa',
      search: { name: 'pgd', steps: 10, restarts: 1 },
      threat: { norm: 'linf', epsilon: 2 / 255 },
    });
    expect(made.id).toBe('spoof-type.sfa.pgd-10.linf-2_255');
    expect(makeCell({ ...made, threat: { norm: 'l2', epsilon: 0.01 } }).id).not.toBe(made.id);
  });

  it('gives every cell an id of its own that a key can hold', () => {
    fc.assert(
      fc.property(cell, cell, (a, b) => {
        expect(Cell.parse(makeCell(a))).toEqual(makeCell(a));
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(makeCell(a).id).not.toBe(makeCell(b).id);
      }),
      { numRuns: 300 },
    );
  });

  it('tells budgets apart that are almost whole levels', () => {
    const at = (eps: number) =>
      makeCell({
        facet: 'live',
        objective: 'direct',
        search: { name: 'fgsm' },
        threat: { norm: 'linf', epsilon: eps },
      }).id;
    expect(at(0.00784313725)).not.toBe(at(2 / 255));
    for (let levels = 1; levels <= 255; levels++) expect(at(levels / 255)).toMatch(`linf-${levels}_255`);
  });
});

describe('shards', () => {
  it('part the selection: every sample in exactly one', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 200 }),
        (total, samples, shard) => {
          const plan = planOf({ samples, shard });
          const count = shardsPerCell(plan, datasetOf(Math.ceil(total / 2), Math.floor(total / 2)));
          const parts = Array.from({ length: count }, (_, i) => shardIndices(plan, total, i));
          const all = parts.flat();
          expect(all).toHaveLength(Math.min(total, samples));
          expect(all.every((index, i) => i === 0 || index > all[i - 1])).toBe(true);
          for (const part of parts) {
            expect(part.length).toBeGreaterThan(0);
            expect(part.length).toBeLessThanOrEqual(shard);
          }
          expect(shardIndices(plan, total, count)).toEqual([]);
        },
      ),
    );
  });

  it('need samples to attack', () => {
    expect(() => shardsPerCell(planOf(), datasetOf())).toThrow(
      new InputError('dataset faces@1 has no test samples to attack', { field: 'dataset' }),
    );
  });
});

describe('an evaluation in the store', () => {
  const id = 'net-0123456789abcdef';
  const dataset = { name: 'faces', version: '1' };

  it('keeps its request and its plan', async () => {
    const store = await openStore();
    const request = {
      schema: 'facet.request/v1' as const,
      evaluation: id,
      model: MODEL.ref,
      dataset,
      plan: planOf(),
    };
    const planned: PlannedEvaluation = {
      schema: 'facet.planned/v1',
      evaluation: id,
      model: MODEL.ref,
      dataset,
      plan: planOf(),
      features: 'features/x',
      cells: [
        makeCell({
          facet: 'live',
          objective: 'direct',
          search: { name: 'fgsm' },
          threat: { norm: 'linf', epsilon: 2 / 255 },
        }),
      ],
      shards: 4,
    };
    await saveRequest(store, request);
    await savePlan(store, planned);
    expect(await loadRequest(store, id)).toEqual(request);
    expect(await loadPlan(store, id)).toEqual(planned);
    await saveRequest(store, { ...request, policy: POLICY });
    expect((await loadRequest(store, id)).policy).toEqual(POLICY);
  });

  it('says that there is none', async () => {
    const store = await openStore();
    await expect(loadRequest(store, id)).rejects.toThrow(`evaluation: there is no evaluation ${id}`);
    await expect(loadPlan(store, id)).rejects.toThrow(`evaluation: evaluation ${id} has no plan`);
  });
});
