import { ATTRIBUTES } from '@facet/contracts';
import {
  layoutOf,
  nextState,
  optimiserOf,
  splitBatch,
  type TrainerState,
  type TrainingBatch,
  trainingSpec,
  withInitialMemory,
} from '@facet/learning';
import {
  bare,
  compileTraining,
  gradientOf,
  initialState,
  lossOf,
  nextOf,
  tensorF32,
  writeModel,
} from '@facet/onnx';
import { Random } from '@facet/random';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { network, SIZE } from './engine.fixture.js';
import { sessionOptions } from './session-options.js';
import { OnnxTrainer } from './trainer.js';
import { inBlocks } from './worker/blocks.js';

const { model } = network;
const spec = trainingSpec(network, { lossWeights: { depth: 2 } });
const updating = {
  optimiser: { kind: 'adamw', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 1e-3 },
  clipNorm: 2,
  averageDecay: 0.99,
} as const;
const options = { learningRate: 0.001, step: 0 };
const SAMPLES = 12;
/** Rounding of float32, of a tensor's largest value. */
const TOLERANCE = 1e-6;

/** Images of noise with labels of every kind; attributes are unknown of every third. */
function batchOf(parts: number, seed = 1): TrainingBatch {
  const size = SAMPLES;
  const random = new Random(seed);
  const floats = (length: number, draw: () => number): Float32Array => Float32Array.from({ length }, draw);
  const classes = (count: number): BigInt64Array =>
    BigInt64Array.from({ length: size }, () => BigInt(random.integer(count)));
  const area = (SIZE / 8) ** 2;
  const all = new Float32Array(size).fill(1);
  return {
    size,
    parts,
    pixels: floats(size * 3 * SIZE * SIZE, () => random.uniform()),
    targets: {
      live: classes(2),
      attributes: floats(size * ATTRIBUTES.length, () => random.integer(2)),
      'spoof-type': classes(11),
      illumination: classes(5),
      depth: floats(size * area, () => random.uniform()),
      reflection: floats(size * area, () => random.uniform()),
    },
    masks: {
      live: all,
      attributes: all.map((_, i) => Number(i % 3 > 0)),
      'spoof-type': all,
      illumination: all,
      depth: all,
      reflection: all,
    },
  };
}

const compiled = compileTraining(model, spec);
const layout = layoutOf(compiled);
const optimiser = optimiserOf(updating);

/** One step in a session of this thread, and one update of all. */
async function stepDirectly(
  session: InferenceSession,
  state: TrainerState,
  batch: TrainingBatch,
  step: number,
) {
  const dims = new Map(compiled.model.graph.inputs.map((input) => [input.name, input.dims]));
  const losses: Record<string, number> = {};
  const parts: Float32Array[] = [];
  for (const part of splitBatch(batch)) {
    const feed = (name: string, data: Float32Array | BigInt64Array): [string, Tensor] => {
      const shape = dims.get(name)!.map((dim) => (typeof dim === 'number' ? dim : part.size));
      return [name, new Tensor(data instanceof BigInt64Array ? 'int64' : 'float32', data as never, shape)];
    };
    const results = await session.run(
      Object.fromEntries([
        feed(spec.input, part.pixels),
        ...spec.losses.flatMap(({ name, target, mask }) => [
          feed(target, part.targets[name]),
          feed(mask, part.masks[name]),
        ]),
        ...[...layout.weights, ...layout.moments].map(({ name }) =>
          feed(name, state.get(name)!.data as Float32Array),
        ),
      ]),
    );
    const given = new Float32Array(layout.partSize);
    for (const { name, offset } of layout.weights)
      given.set(results[gradientOf(name)].data as Float32Array, offset);
    for (const { name, offset } of layout.moments)
      given.set(results[nextOf(name)].data as Float32Array, offset);
    parts.push(given);
    for (const { name } of spec.losses)
      losses[name] = (losses[name] ?? 0) + Number(results[lossOf(name)].data[0]) / batch.parts;
  }
  return { state: nextState(layout, updating, state, parts, { ...options, step }), losses };
}

const engines = { one: new Engine({ threads: 1 }), two: new Engine({ threads: 2 }) };
afterAll(() => Promise.all([engines.one.close(), engines.two.close()]));

const trainer = (parts: number, engine = engines.two): OnnxTrainer =>
  new OnnxTrainer(engine, { model, spec, updating, parts });

describe.each([1, 2])('a batch of %i parts', (parts) => {
  it('is trained on as one session in this thread would', async () => {
    const own = trainer(parts);
    // In blocks of channels as workers have it: in another order of sums, a ReLU falls the other way now and then.
    const graph = writeModel(bare(await inBlocks(compiled.model, SAMPLES / parts)));
    const session = await InferenceSession.create(graph, sessionOptions('fed', 'cpu'));
    let expected = withInitialMemory(layout, optimiser, initialState(model, compiled));
    expect(await own.state()).toEqual(expected);
    for (const step of [0, 1]) {
      const { losses } = await own.step(batchOf(parts, step), { ...options, step });
      const direct = await stepDirectly(session, expected, batchOf(parts, step), step);
      expected = direct.state;
      expect(Object.keys(losses).sort()).toEqual(Object.keys(network.facets).sort());
      for (const [name, loss] of Object.entries(direct.losses)) expect(losses[name]).toBeCloseTo(loss, 6);
      for (const [name, { data }] of await own.state()) {
        const wanted = expected.get(name)!.data as Float32Array;
        const scale = wanted.reduce((max, v) => Math.max(max, Math.abs(v)), 1e-6);
        const error = wanted.reduce((max, v, i) => Math.max(max, Math.abs(Number(data[i]) - v)), 0);
        expect(error / scale, name).toBeLessThan(TOLERANCE);
      }
    }
    await session.release();
  });

  it('gives the same bits on any number of threads', async () => {
    const runs = [trainer(parts, engines.one), trainer(parts, engines.two)];
    const results = await Promise.all(
      runs.map(async (own) => {
        const first = await own.step(batchOf(parts, 1), options);
        const second = await own.step(batchOf(parts, 2), options);
        return { first, second, state: await own.state() };
      }),
    );
    expect(results[1]).toEqual(results[0]);
  });

  it('goes on from a state that was taken out', async () => {
    const [first, second] = [trainer(parts), trainer(parts)];
    await first.step(batchOf(parts, 1), options);
    const middle = await first.state();
    await second.step(batchOf(parts, 9), options);
    await second.load(middle);
    expect(await second.state()).toEqual(middle);
    const results = [
      await first.step(batchOf(parts, 2), options),
      await second.step(batchOf(parts, 2), options),
    ];
    expect(results[1]).toEqual(results[0]);
    expect(await second.state()).toEqual(await first.state());
  });

  it('leaves the state as it was when a step fails', async () => {
    const [own, other] = [trainer(parts), trainer(parts)];
    await own.step(batchOf(parts, 1), options);
    await other.step(batchOf(parts, 1), options);
    const before = await own.state();
    const broken = batchOf(parts, 2);
    const half = { ...broken, targets: { ...broken.targets, live: broken.targets['live'].subarray(0, 7) } };
    await expect(own.step(half, options)).rejects.toThrow();
    const reason = new Error('enough');
    await expect(own.step(broken, { ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const late = new AbortController();
    const stopped = own.step(broken, { ...options, signal: late.signal });
    late.abort(reason);
    await expect(stopped).rejects.toBe(reason);
    expect(await own.state()).toEqual(before);
    expect(await own.step(batchOf(parts, 3), options)).toEqual(await other.step(batchOf(parts, 3), options));
    expect(await own.state()).toEqual(await other.state());
  });
});

describe('a trainer', () => {
  it('refuses batches of other parts, and states of other networks', async () => {
    const own = trainer(2);
    await expect(own.step(batchOf(1), options)).rejects.toThrow('the batch has 1 parts');
    const state = new Map(await own.state());
    const [name] = [...state.keys()];
    await expect(own.load(new Map([...state].slice(1)))).rejects.toThrow(`${name} has no values`);
    state.set(name, tensorF32([3], [1, 2, 3]));
    await expect(own.load(state)).rejects.toThrow(`${name} has 3 values`);
  });
});
