/** Every search against every kind of model through ONNX Runtime: one table, the same invariants in each row. */
import { dequantise, largestChange, rootMeanSquare } from '@facet/adversary';
import {
  concernsDecision,
  formatSearch,
  type ModelOutput,
  needsGradient,
  type Norm,
  type ObjectiveName,
  SearchConfig,
} from '@facet/contracts';
import { GraphBuilder, type Model, modelOf, tensorF32 } from '@facet/onnx';
import { Random } from '@facet/random';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { attackSourceOf, keysOf, photos, planesOf, SIZE, sourceOf } from './engine.fixture.js';
import type { AttackSource } from './model-source.js';
import type { AttackResult, AttackTask, Photo } from './tasks.js';

const N = 6;
const EPSILON = 3 / 255;

/** Conv, Relu, and what `decide` makes of the map [N, 6, SIZE, SIZE]. */
function small(
  output: readonly (number | string)[],
  decide: (b: GraphBuilder, map: string) => string,
): Model {
  const b = new GraphBuilder();
  b.input('pixels', 'float32', ['N', 3, SIZE, SIZE]);
  const conv = b.node('Conv', ['pixels', weights(b, 6, 3, 3, 3)], { pads: [1, 1, 1, 1] });
  b.output(decide(b, b.node('Relu', [conv])), 'float32', output, 'y');
  return modelOf(b.build('small'));
}
function weights(b: GraphBuilder, ...dims: number[]): string {
  const random = new Random(3, dims.length);
  const count = dims.reduce((product, dim) => product * dim, 1);
  return b.constant(
    tensorF32(
      dims,
      Array.from({ length: count }, () => random.normal()),
    ),
  );
}
const flat = (b: GraphBuilder, map: string): string =>
  b.node('Flatten', [b.node('AveragePool', [map], { kernel_shape: [4, 4], strides: [4, 4] })]);

const sigmoid = small(['N', 1], (b, map) =>
  b.node('Sigmoid', [b.node('MatMul', [flat(b, map), weights(b, 96, 1)])]),
);
const mapped = small(['N', 1, SIZE, SIZE], (b, map) =>
  b.node('Sigmoid', [b.node('Conv', [map, weights(b, 1, 6, 1, 1)])]),
);
/** Its activations are rounded to 1/64, which has no slope. */
const rounded = small(['N', 2], (b, map) => {
  const steps = b.node('Round', [b.node('Mul', [map, b.f32(64)])]);
  return b.node('MatMul', [flat(b, b.node('Div', [steps, b.f32(64)])), weights(b, 96, 2)]);
});

/** The same without its texture tensor. */
const untextured = <T extends object>(given: T): Omit<T, 'texture'> =>
  Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'texture')) as Omit<T, 'texture'>;

const bare = (output: ModelOutput, model: Model): AttackSource => {
  const source = untextured(sourceOf({ output, facets: {} }, model));
  const manifest = untextured(source.manifest);
  const { input } = manifest;
  return {
    ...source,
    manifest,
    fit: '',
    probes: [],
    attacked: { input, output, facets: [], texture: { tensor: '' } },
  };
};

type Kind = 'heads' | 'sigmoid' | 'map' | 'no gradient';
const engine = new Engine({ threads: 2 });
const sources: Partial<Record<Kind, AttackSource>> = {
  sigmoid: bare({ kind: 'sigmoid', name: 'y', high: 'spoof' }, sigmoid),
  map: bare({ kind: 'map', name: 'y', high: 'live' }, mapped),
  'no gradient': bare({ kind: 'logits', name: 'y', classes: 2, live: [1] }, rounded),
};
const clean = new Map<Kind, { threshold: number; labels: Uint8Array }>();
let given: Photo[];

beforeAll(async () => {
  sources.heads = await attackSourceOf(engine, sourceOf());
  given = await photos(N, 4);
  for (const [kind, source] of Object.entries(sources) as [Kind, AttackSource][]) {
    const images = { photos: given, prepared: true };
    const { scores } = await engine.describe({ source, images, batch: N, features: [] });
    // Between two samples in the middle: half of them are live, and all are decided rightly.
    const sorted = [...scores].sort((a, b) => a - b);
    const threshold = (sorted[N / 2 - 1] + sorted[N / 2]) / 2;
    clean.set(kind, { threshold, labels: Uint8Array.from(scores, (score) => (score >= threshold ? 0 : 1)) });
  }
});
afterAll(() => engine.close());

const taskOf = (kind: Kind, changes: Partial<AttackTask>): AttackTask => ({
  source: sources[kind]!,
  facet: undefined,
  objective: 'direct',
  search: { name: 'fgsm' },
  threat: { norm: 'linf', epsilon: EPSILON },
  seed: 3,
  batch: N,
  images: { photos: given, prepared: true },
  keys: keysOf(N),
  truth: {},
  ...clean.get(kind)!,
  ...changes,
});

const SEARCHES = [
  { name: 'fgsm' },
  { name: 'bim', steps: 4 },
  { name: 'pgd', steps: 4, restarts: 2, schedule: 'cosine' },
  { name: 'pgd', steps: 3, loss: 'cross-entropy', stop: 'never' },
  { name: 'mi-fgsm', steps: 3, di: 0.8, ti: 3, si: 2 },
  { name: 'ni-fgsm', steps: 4 },
  { name: 'apgd', steps: 12 },
  { name: 'square', queries: 40 },
  { name: 'hop-skip-jump', queries: 160 },
  { name: 'minimal-epsilon', search: { name: 'pgd', steps: 3 } },
].map((search) => SearchConfig.parse(search));
const AUTO: SearchConfig = { name: 'auto' };
const FACETED = SEARCHES.filter((search) =>
  ['pgd-4x2-cosine', 'apgd-12', 'min-pgd-3-r6'].includes(formatSearch(search)),
);

interface Row {
  readonly kind: Kind;
  readonly objective: ObjectiveName;
  readonly search: SearchConfig;
  readonly norm: Norm;
  readonly name: string;
}
const row = (kind: Kind, objective: ObjectiveName, search: SearchConfig, norm: Norm): Row => ({
  kind,
  objective,
  search,
  norm,
  name: `${kind}: ${objective}, ${formatSearch(search)}, ${norm}`,
});
const NORMS = ['linf', 'l2'] as const;
const TABLE: Row[] = [
  ...(['heads', 'sigmoid', 'map', 'no gradient'] as const).flatMap((kind) =>
    SEARCHES.filter((search) => kind !== 'no gradient' || !needsGradient(search)).flatMap((search) =>
      NORMS.map((norm) => row(kind, 'direct', search, norm)),
    ),
  ),
  row('sigmoid', 'direct', AUTO, 'linf'),
  row('map', 'direct', AUTO, 'l2'),
  row('no gradient', 'direct', AUTO, 'linf'),
  ...(['facet', 'sfa', 'prior-only', 'control', 'all-facets'] as const).flatMap((objective) =>
    FACETED.map((search, i) => row('heads', objective, search, NORMS[i % 2])),
  ),
];

const rows = (data: Uint8Array): Float32Array[] =>
  Array.from({ length: N }, (_, i) =>
    dequantise(data.subarray((i * data.length) / N, ((i + 1) * data.length) / N)),
  );

describe.each(TABLE)('$name', ({ kind, objective, search, norm }) => {
  const facet = concernsDecision(objective) ? undefined : 'spoof-type';
  const attack = (changes: Partial<AttackTask> = {}): Promise<AttackResult> =>
    engine.attack(taskOf(kind, { objective, facet, search, threat: { norm, epsilon: EPSILON }, ...changes }));

  it('keeps the budget in what it stores, tells its scores, and no batch changes a sample', async () => {
    const { threshold, labels } = clean.get(kind)!;
    const whole = await attack();
    const length = norm === 'l2' ? rootMeanSquare : largestChange;
    const before = rows(await planesOf(given.map(({ png }) => png)));
    rows(await planesOf(whole.pngs)).forEach((image, i) => {
      expect(length(image, before[i])).toBeLessThanOrEqual(EPSILON + 1e-6);
      expect(norm === 'l2' ? whole.l2[i] : whole.linf[i]).toBeCloseTo(length(image, before[i]), 6);
    });
    const images = { photos: whole.pngs.map((png) => ({ png })), prepared: true };
    const { scores } = await engine.describe({ source: sources[kind]!, images, batch: N, features: [] });
    expect(whole.adversarialScores).toEqual(scores);
    labels.forEach((label, i) => expect(whole.cleanScores[i] >= threshold).toBe(label === 0));

    const alone = await attack({ batch: 1 });
    expect(alone).toEqual(whole);
    const order = [4, 1, 5, 0, 3, 2];
    const shuffled = await attack({
      batch: 4,
      images: { photos: order.map((i) => given[i]), prepared: true },
      keys: order.map((i) => keysOf(N)[i]),
      labels: Uint8Array.from(order, (i) => labels[i]),
    });
    expect(shuffled.pngs).toEqual(order.map((i) => whole.pngs[i]));
  });
});

describe.each(['heads', 'sigmoid', 'map', 'no gradient'] as const)('the decision of %s', (kind) => {
  const search: SearchConfig =
    kind === 'no gradient' ? { name: 'square', queries: 200 } : { name: 'pgd', steps: 8, restarts: 1 };

  it('falls to a budget that is large enough, and no later for a larger one', async () => {
    const { threshold, labels } = clean.get(kind)!;
    const fallen: number[] = [];
    for (const levels of [1, 4, 16, 60]) {
      const result = await engine.attack(
        taskOf(kind, { search, threat: { norm: 'linf', epsilon: levels / 255 } }),
      );
      fallen.push(
        labels.filter((label, i) => result.adversarialScores[i] >= threshold !== (label === 0)).length,
      );
    }
    expect(fallen).toEqual([...fallen].sort((a, b) => a - b));
    expect(fallen.at(-1)).toBe(N);
  });
});

describe('a model without a gradient', () => {
  it('says so where a search follows one', async () => {
    const attack = engine.attack(taskOf('no gradient', { search: { name: 'pgd', steps: 3, restarts: 1 } }));
    await expect(attack).rejects.toThrow(/Round/);
  });
});
