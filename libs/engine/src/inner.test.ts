import {
  attackedPerPart,
  type LabelledBatch,
  planAttack,
  publishedState,
  trainingSpec,
} from '@facet/learning';
import { AdversarialTraining, ATTRIBUTES } from '@facet/contracts';
import { inferenceModel } from '@facet/onnx';
import { dequantise } from '@facet/adversary';
import { Random } from '@facet/random';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { labelsOf, network, photos, planesOf, SIZE, sourceOf } from './engine.fixture.js';
import { OnnxTrainer, type OnnxTrainerOptions } from './trainer.js';

const N = 64;
const PARTS = 2;
const spec = trainingSpec(network, { lossWeights: {} });
const updating = { optimiser: { kind: 'sgd', momentum: 0.9, nesterov: false, weightDecay: 0 } } as const;
const config = (changes: object = {}): AdversarialTraining =>
  AdversarialTraining.parse({ threat: { norm: 'linf', epsilon: '4/255' }, ...changes });

function batch(): LabelledBatch {
  const random = new Random(3);
  const floats = (length: number) => Float32Array.from({ length }, () => random.uniform());
  const bits = (length: number) => Float32Array.from({ length }, () => random.integer(2));
  const classes = (count: number) => BigInt64Array.from({ length: N }, () => BigInt(random.integer(count)));
  const labels = Uint8Array.from({ length: N }, (_, i) => i % 2);
  const all = new Float32Array(N).fill(1);
  const area = (SIZE / 8) ** 2;
  return {
    size: N,
    parts: PARTS,
    pixels: floats(N * 3 * SIZE * SIZE),
    labels,
    targets: {
      live: BigInt64Array.from(labels, BigInt),
      attributes: bits(N * ATTRIBUTES.length),
      'spoof-type': classes(11),
      illumination: classes(5),
      depth: floats(N * area),
      reflection: floats(N * area),
    },
    masks: {
      live: all,
      attributes: all.map((_, i) => Number(i % 2 === 0)),
      'spoof-type': all,
      illumination: all,
      depth: all.map((_, i) => Number(i % 3 > 0)),
      reflection: all,
    },
  };
}

const given = batch();
const facets = Object.entries(network.facets)
  .filter(([facet]) => facet !== 'live')
  .map(([facet, { feature, head }]) => ({ facet, feature, head, source: 'head' as const }));
const options = (adversarial: AdversarialTraining): OnnxTrainerOptions => ({
  model: network.model,
  spec,
  updating,
  parts: PARTS,
  network: {
    attacked: {
      input: network.input,
      output: network.output,
      facets,
      texture: { tensor: network.texture },
    },
    search: adversarial.search,
    norm: adversarial.threat.norm,
  },
});
const samples = { pixels: given.pixels, labels: given.labels, targets: {}, masks: {} };

let engine: Engine;
beforeAll(() => {
  engine = new Engine({ threads: 2 });
});
afterAll(() => engine.close());

const plan = (adversarial: AdversarialTraining, step = 0) =>
  planAttack(adversarial, {
    seed: 1,
    step,
    batch: N,
    parts: PARTS,
    facets: facets.map(({ facet }) => facet),
  });

const changed = (pixels: Float32Array): number[] => {
  const size = pixels.length / N;
  return Array.from({ length: N }, (_, i) => {
    let most = 0;
    for (let j = i * size; j < (i + 1) * size; j++)
      most = Math.max(most, Math.abs(pixels[j] - given.pixels[j]));
    return most;
  });
};

describe('the inner maximisation', () => {
  it.each([
    ['one step', config()],
    ['PGD', config({ search: { name: 'pgd', steps: 3 } })],
    ['whole batch', config({ share: 1 })],
    ['TRADES', config({ search: { name: 'trades', steps: 2 } })],
    [
      'a mix',
      config({
        mix: [
          { objective: 'direct' },
          { objective: 'facet' },
          { objective: 'sfa', weight: 2 },
          { objective: 'prior-only', facets: ['depth'] },
          { objective: 'clean' },
        ],
      }),
    ],
  ])('attacks the rows of its plan inside the budget, and no other: %s', async (_, adversarial) => {
    const trainer = new OnnxTrainer(engine, options(adversarial));
    await trainer.fitPriors(samples);
    for (const step of [0, 1, 2, 3, 4]) {
      const attack = plan(adversarial, step);
      const pixels = await trainer.attack(given, attack);
      const rows = new Set(
        attack.parts.flatMap((groups, part) =>
          groups.flatMap((group) => group.rows.map((row) => (part * N) / PARTS + row)),
        ),
      );
      changed(pixels).forEach((most, row) => {
        if (rows.has(row)) expect(most).toBeGreaterThan(0);
        else expect(most).toBe(0);
        expect(most).toBeLessThanOrEqual(4 / 255 + 1e-6);
      });
      expect(pixels.every((v) => v >= 0 && v <= 1)).toBe(true);
    }
  });

  it('makes the decision worse, by the weights of the state', async () => {
    const adversarial = config({ search: { name: 'pgd', steps: 5 } });
    const trainer = new OnnxTrainer(engine, options(adversarial));
    for (let step = 0; step < 3; step++) await trainer.step(given, { learningRate: 0.05, step });
    const { clean, attacked } = await trainer.score(samples, { epsilon: 4 / 255, seed: 1 });
    const better = given.labels.filter((label, i) =>
      label === 0 ? attacked![i] < clean[i] : attacked![i] > clean[i],
    );
    expect(better.length).toBe(N);
  });

  it('scores what would be published', async () => {
    const trainer = new OnnxTrainer(engine, options(config()));
    for (let step = 0; step < 3; step++) await trainer.step(given, { learningRate: 0.05, step });
    const trained = inferenceModel(network.model, publishedState(await trainer.state(), updating));
    const images = await photos(7);
    const { scores } = await engine.describe({
      source: sourceOf({}, trained),
      images: { photos: images, prepared: true },
      batch: 7,
      features: [],
    });
    const pixels = dequantise(await planesOf(images.map(({ png }) => png)));
    const shown = { pixels, labels: labelsOf(7), targets: {}, masks: {} };
    const { clean, attacked } = await trainer.score(shown, undefined);
    clean.forEach((score, i) => expect(score).toBeCloseTo(scores[i], 3));
    expect(attacked).toBeUndefined();
  });

  it('gives the same bits on any number of workers', async () => {
    const adversarial = config({ mix: [{ objective: 'direct' }, { objective: 'sfa' }] });
    const one = new Engine({ threads: 1 });
    try {
      const [first, second] = await Promise.all(
        [engine, one].map(async (own) => {
          const trainer = new OnnxTrainer(own, options(adversarial));
          await trainer.fitPriors(samples);
          return trainer.attack(given, plan(adversarial, 1));
        }),
      );
      expect(first).toEqual(second);
    } finally {
      await one.close();
    }
  });
});

it('attacks as many of every part as the share says', () => {
  const adversarial = config({ share: 0.25 });
  expect(plan(adversarial).parts.map((groups) => groups.flatMap(({ rows }) => rows).length)).toEqual(
    [0, 1].map(() => attackedPerPart(adversarial, N, PARTS)),
  );
  expect(plan(adversarial)).toEqual(plan(adversarial));
  expect(plan(adversarial, 1)).not.toEqual(plan(adversarial));
});
