import { formatSearch, NORMS, SearchConfig } from '@facet/contracts';
import { Random } from '@facet/random';
import { describe, expect, it } from 'vitest';
import { type Budget, budgetOf } from '../threat/budget.js';
import { dequantise, quantise } from '../threat/quantise.js';
import { BentOracle, fooled, images, run, SIZE, SteppingOracle } from './oracles.fixture.js';
import { stepsBySigns } from './presets.js';

const N = 12;
const clean = images(N);

interface How {
  readonly steps: number;
  readonly restarts: number;
  readonly abandon?: number;
}

/**
 * PGD as a textbook has it, for one sample by itself: every step of every restart is taken, every image on the way is
 * rounded and judged, and the first that fools counts; else the worst of the last ones. With `abandon` it ends where the
 * ball has been crossed, the score is still too far from the boundary, and the last two steps of ten promise too little.
 */
async function plainPgd(
  { steps, restarts, abandon = Infinity }: How,
  budget: Budget,
  index: number,
  label: number,
): Promise<Uint8Array> {
  const oracle = new BentOracle();
  const bytes = clean.subarray(index * SIZE, (index + 1) * SIZE);
  const origin = dequantise(bytes);
  const wrong = async (image: Uint8Array): Promise<number> =>
    (label === 0 ? -1 : 1) * (await oracle.scores(dequantise(image), 1))[0];
  let worst: { image: Uint8Array; wrong: number } = { image: Uint8Array.from(bytes), wrong: -Infinity };
  let first: Uint8Array | undefined = fooled((await oracle.scores(origin, 1))[0], label) ? bytes : undefined;
  const distance = Math.abs((await oracle.scores(origin, 1))[0]);
  let lost = false;
  for (let restart = 0; restart < restarts && !lost; restart++) {
    const pixels = Float32Array.from(origin);
    budget.start(origin, pixels, new Random(7, `sample-${index}`, restart));
    const nearest: number[] = [];
    for (let step = 0; step <= steps && !lost; step++) {
      const image = quantise(pixels, bytes, budget.threat);
      const [hint] = await oracle.scores(pixels, 1);
      const [score] = await oracle.scores(dequantise(image), 1);
      nearest.push(Math.min(...nearest, fooled(hint, label) ? 0 : Math.abs(hint)));
      const now = nearest[step];
      const gain = step < 2 ? Infinity : (nearest[step - 2] - now) / 2;
      lost = step >= 8 && step < steps && now > abandon * distance && now > gain * (steps - step);
      const last = step === steps || lost;
      if ((fooled(hint, label) || last) && fooled(score, label)) first ??= image;
      if (last && (await wrong(image)) > worst.wrong) worst = { image, wrong: await wrong(image) };
      const batch = { n: 1, pixels, labels: Uint8Array.of(label), targets: new Map<string, never>() };
      budget.step(pixels, (await oracle.gradient(batch)).gradient, (2.5 / steps) * budget.threat.epsilon);
      budget.project(pixels, origin);
    }
  }
  return first ?? worst.image;
}

const BACKENDS = [
  ...NORMS.map((norm) => ({ norm, gives: 'gradients', backend: new BentOracle() })),
  { norm: 'linf' as const, gives: 'steps', backend: new SteppingOracle() },
];

describe.each(BACKENDS)(
  'samples that leave when they are fooled, on $norm by $gives',
  ({ norm, backend }) => {
    it.each<[How, number]>([
      [{ steps: 6, restarts: 1 }, 3],
      [{ steps: 6, restarts: 1 }, 8],
      [{ steps: 5, restarts: 4 }, 5],
      [{ steps: 10, restarts: 2, abandon: 0.02 }, 1],
      [{ steps: 10, restarts: 2, abandon: 0.1 }, 2],
      [{ steps: 10, restarts: 2, abandon: 0.3 }, 2],
    ])('end as in the plain loop: %j at %i levels', async (how, levels) => {
      const epsilon = levels / 255;
      // Some are decided wrongly from the start.
      const oracle = new BentOracle();
      const scores = await oracle.scores(dequantise(clean), N);
      const labels = Uint8Array.from(scores, (score, i) => Number(score >= 0 === (i % 5 === 0)));
      const { images: found, scores: after } = await run(
        { name: 'pgd', ...how },
        { clean, norm, epsilon, labels, oracle: backend },
      );
      for (let i = 0; i < N; i++) {
        const plain = await plainPgd(how, budgetOf({ norm, epsilon }), i, labels[i]);
        expect(found.subarray(i * SIZE, (i + 1) * SIZE)).toEqual(plain);
      }
      // Otherwise one of the two ways to leave was not tried.
      const fallen = labels.filter((label, i) => fooled(after[i], label)).length;
      expect(fallen).toBeGreaterThan(N / 5 + 1);
      expect(fallen).toBeLessThanOrEqual(N);
    });
  },
);

describe('steps of a backend', () => {
  it.each([
    { name: 'fgsm' },
    { name: 'bim', steps: 5, schedule: 'halving' },
    { name: 'pgd', steps: 4, restarts: 2, schedule: 'cosine', stop: 'never' },
    { name: 'minimal-epsilon', search: { name: 'pgd', steps: 4 }, rounds: 3 },
  ])('lead where its gradients do: %j', async (plain) => {
    const config = SearchConfig.parse(plain);
    expect(stepsBySigns(config, 'linf')).toBe(true);
    const [own, gradients] = [{ clean, oracle: new SteppingOracle() }, { clean }];
    expect(await run(config, own)).toEqual(await run(config, gradients));
  });

  it('are of no use to searches that need more of a gradient', () => {
    const others = [
      { name: 'pgd', steps: 4, di: 0.5 },
      { name: 'mi-fgsm', steps: 4 },
      { name: 'apgd', steps: 4 },
      { name: 'square', queries: 9 },
      { name: 'auto' },
    ];
    for (const other of others) expect(stepsBySigns(SearchConfig.parse(other), 'linf')).toBe(false);
    expect(stepsBySigns(SearchConfig.parse({ name: 'fgsm' }), 'l2')).toBe(false);
  });
});

describe('what is saved', () => {
  const asked = async (config: object, levels: number): Promise<BentOracle['asked']> => {
    const oracle = new BentOracle();
    await run(SearchConfig.parse(config), { clean, oracle, epsilon: levels / 255 });
    return oracle.asked;
  };

  it('is every step, restart and stage after the one that fooled', async () => {
    expect((await asked({ name: 'pgd', steps: 50, restarts: 20 }, 60)).gradients).toBeLessThan(4 * N);
    const auto = await asked({ name: 'auto' }, 60);
    expect(auto.gradients + auto.scores).toBeLessThan(8 * N);
  });

  it('is every step of samples that come nowhere near, where a search may abandon them', async () => {
    const config = { name: 'pgd', steps: 20, restarts: 5, relativeStep: 1 };
    const all = await asked(config, 1);
    const some = await asked({ ...config, abandon: 0.2 }, 1);
    expect(some.gradients).toBeLessThan(all.gradients / 2);
  });

  it('is no success of a bisection', async () => {
    const search = { name: 'pgd', steps: 8, relativeStep: 1, abandon: 0.01 };
    const config = SearchConfig.parse({ name: 'minimal-epsilon', search });
    const { images: found, scores, labels } = await run(config, { clean, epsilon: 3 / 255 });
    const standing = [...labels.keys()].filter((i) => !fooled(scores[i], labels[i]));
    expect(standing.length).toBeGreaterThan(0);
    for (const i of standing)
      expect(found.subarray(i * SIZE, (i + 1) * SIZE)).toEqual(clean.subarray(i * SIZE, (i + 1) * SIZE));
  });

  it('is nothing where a search is told never to stop', async () => {
    const { gradients } = await asked({ name: 'pgd', steps: 5, restarts: 3, stop: 'never' }, 60);
    expect(gradients).toBe(5 * 3 * N);
  });

  it('leaves no trace in samples that still stand', async () => {
    const part = clean.subarray(0, SIZE);
    const config = SearchConfig.parse({ name: 'apgd', steps: 30, restarts: 2 });
    const alone = await run(config, { clean: part, epsilon: 3 / 255 });
    const among = await run(config, { clean, epsilon: 3 / 255 });
    expect(among.images.subarray(0, SIZE)).toEqual(alone.images);
    expect(formatSearch(config)).toBe('apgd-30x2');
  });
});
