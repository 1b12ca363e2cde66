import { formatSearch, needsGradient, NORMS, SearchConfig } from '@facet/contracts';
import { describe, expect, it } from 'vitest';
import { largestChange, rootMeanSquare } from '../threat/budget.js';
import { dequantise } from '../threat/quantise.js';
import {
  BentOracle,
  fooled,
  images,
  type Oracle,
  run,
  SIZE,
  successes,
  unbeatable,
  withoutGradient,
} from './oracles.fixture.js';

const N = 6;
const EPSILON = 6 / 255;
const SEARCHES: SearchConfig[] = [
  { name: 'fgsm' },
  { name: 'fgsm', stop: 'never' },
  { name: 'bim' },
  { name: 'pgd', steps: 5 },
  { name: 'pgd', steps: 4, restarts: 3, schedule: 'cosine' },
  { name: 'pgd', steps: 8, schedule: 'halving', stop: 'never' },
  { name: 'pgd', steps: 6, restarts: 2, relativeStep: 1, schedule: 'cosine', abandon: 0.4 },
  { name: 'mi-fgsm' },
  { name: 'ni-fgsm' },
  { name: 'mi-fgsm', di: 0.7, ti: 3, si: 3 },
  { name: 'apgd', steps: 20, restarts: 2 },
  { name: 'square', queries: 300 },
  { name: 'hop-skip-jump', queries: 600 },
  { name: 'minimal-epsilon', search: { name: 'pgd', steps: 5 } },
  { name: 'auto' },
].map((search) => SearchConfig.parse(search));

const MODELS: [string, () => Oracle, (config: SearchConfig) => boolean][] = [
  ['a model with gradients', () => new BentOracle(), () => true],
  ['a model without', () => withoutGradient(new BentOracle()), (config) => !needsGradient(config)],
];
const TABLE = MODELS.flatMap(([model, oracle, possible]) =>
  SEARCHES.filter(possible).flatMap((config) =>
    NORMS.map((norm) => ({ name: formatSearch(config), config, norm, model, oracle })),
  ),
);

describe.each(TABLE)('$name on $norm against $model', ({ config, norm, oracle }) => {
  const clean = images(N);
  const given = { norm, epsilon: EPSILON, clean };
  const length = norm === 'l2' ? rootMeanSquare : largestChange;
  const rows = (data: Uint8Array): Float32Array[] =>
    Array.from({ length: data.length / SIZE }, (_, i) => dequantise(data.subarray(i * SIZE, (i + 1) * SIZE)));

  it('stays inside the budget as stored, and its scores are those of what is stored', async () => {
    const { images: found, scores } = await run(config, { ...given, oracle: oracle() });
    const before = rows(clean);
    rows(found).forEach((image, i) => expect(length(image, before[i])).toBeLessThanOrEqual(EPSILON + 1e-6));
    expect(scores).toEqual(await new BentOracle().scores(dequantise(found), N));
  });

  it('is never worse than no attack, on either side of the boundary', async () => {
    const before = await new BentOracle().scores(dequantise(clean), N);
    for (const labels of [undefined, new Uint8Array(N), new Uint8Array(N).fill(1)]) {
      const { scores, labels: sides } = await run(config, {
        ...given,
        oracle: oracle(),
        ...(labels && { labels }),
      });
      sides.forEach((side, i) => {
        if (fooled(before[i], side)) expect(fooled(scores[i], side)).toBe(true);
      });
    }
  });

  it('is the same twice, and the same for a sample in a smaller batch', async () => {
    const donors = { live: [clean.slice(0, SIZE)], spoof: [clean.slice(SIZE, 2 * SIZE)] };
    const using = { ...given, changes: { donors } };
    const whole = await run(config, { ...using, oracle: oracle() });
    const again = await run(config, { ...using, oracle: oracle() });
    const part = await run(config, {
      ...using,
      oracle: oracle(),
      clean: clean.subarray(2 * SIZE, 4 * SIZE),
      from: 2,
    });
    expect(again.images).toEqual(whole.images);
    expect(part.images).toEqual(whole.images.subarray(2 * SIZE, 4 * SIZE));
  });

  it('succeeds where the budget is large, and no less for a larger one', async () => {
    const rates: number[] = [];
    for (const levels of [1, 4, 16, 60])
      rates.push(successes(await run(config, { ...given, oracle: oracle(), epsilon: levels / 255 })));
    expect(rates).toEqual([...rates].sort((a, b) => a - b));
    expect(rates.at(-1)).toBe(N);
  });

  it('ends when it is aborted: before it begins, and between two steps', async () => {
    const reason = new Error('enough');
    const at = (passes: number): Promise<unknown> => {
      const controller = new AbortController();
      let left = passes;
      if (left === 0) controller.abort(reason);
      // Nothing is ever fooled, so that no search is done before it is stopped.
      const { labels, changes: unbeaten } = unbeatable(N);
      const changes = {
        ...unbeaten,
        signal: controller.signal,
        onStep: () => {
          if (--left === 0) controller.abort(reason);
        },
      };
      return run(config, { ...given, oracle: oracle(), labels, changes });
    };
    await expect(at(0)).rejects.toBe(reason);
    await expect(at(1)).rejects.toBe(reason);
  });
});

describe('a model without gradients', () => {
  it.each(SEARCHES.filter(needsGradient).map((config) => ({ name: formatSearch(config), config })))(
    'is refused by $name',
    async ({ config }) => {
      const attack = run(config, { clean: images(2), oracle: withoutGradient(new BentOracle()) });
      await expect(attack).rejects.toThrow('there is no gradient through the model');
    },
  );

  it('is attacked by its decisions alone where its scores say nothing', async () => {
    const clean = images(4);
    const oracle = (): Oracle => withoutGradient(new BentOracle(), true);
    for (const norm of NORMS) {
      const found = await run({ name: 'auto' }, { clean, oracle: oracle(), norm, epsilon: 60 / 255 });
      expect(found.labels.every((label, i) => fooled(found.scores[i], label))).toBe(true);
    }
  });
});
