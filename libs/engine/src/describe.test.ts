import { CONTROL_DIRECTIONS, fitPrior, fitProbe, Moments } from '@facet/adversary';
import { decodePng, encodePng } from '@facet/datasets';
import type { Model } from '@facet/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { keysOf, labelsOf, network, openDirectly, photos, SIZE, sourceOf } from './engine.fixture.js';
import { type Photo, TEXTURE } from './tasks.js';

const engine = new Engine({ threads: 1 });
afterAll(() => engine.close());

const source = sourceOf();
const N = 22;
const [TYPES, DEPTH] = [network.facets['spoof-type'].feature, network.facets['depth'].feature];
const { texture } = network;
let given: Photo[];
beforeAll(async () => {
  given = await photos(N);
});

const mean = (values: Float32Array): number => values.reduce((sum, v) => sum + v, 0) / values.length;
const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, digits = 5): void => {
  expect(actual.length).toBe(expected.length);
  Array.from(expected).forEach((value, i) => expect(actual[i]).toBeCloseTo(value, digits));
};

describe('describe', () => {
  it('says what the published network says', async () => {
    const side = SIZE / 8;
    const direct = await openDirectly({
      [TYPES]: ['N', 32],
      [DEPTH]: ['N', 32, side, side],
      [texture]: ['N', 'C', 'H', 'W'],
    });
    const expected = await direct(given.map(({ png }) => png));
    const task = { source, images: { photos: given, prepared: true }, features: [TYPES, DEPTH], texture };
    const { scores, features } = await engine.describe({ ...task, batch: 8 });

    const logits = expected['live'];
    close(
      scores,
      keysOf(N).map((_, i) => logits[2 * i] - logits[2 * i + 1]),
    );
    expect(new Set(scores).size).toBe(N);
    close(features[TYPES], expected[TYPES]);
    const rows = (data: Float32Array, count: number): Float32Array[] =>
      Array.from({ length: count }, (_, i) =>
        data.subarray((i * data.length) / count, ((i + 1) * data.length) / count),
      );
    close(features[DEPTH], rows(expected[DEPTH], N * 32).map(mean));

    const channels = features[TEXTURE].length / (2 * N);
    const maps = rows(expected[texture], N * channels);
    const deviation = (map: Float32Array): number =>
      Math.sqrt(mean(map.map((v) => v * v)) - mean(map) ** 2 + 1e-5);
    const statistics = Array.from({ length: N }, (_, i) => {
      const own = maps.slice(i * channels, (i + 1) * channels);
      return [...own.map(mean), ...own.map(deviation)];
    });
    close(features[TEXTURE], statistics.flat(), 3);
  });

  it('crops what is not prepared, and refuses what claims to be prepared and is not', async () => {
    const [{ png }] = given;
    const { data } = await decodePng(png);
    const wide = new Uint8Array(3 * SIZE * 2 * SIZE).fill(9);
    for (let y = 0; y < SIZE; y++)
      wide.set(data.subarray(3 * y * SIZE, 3 * (y + 1) * SIZE), 3 * y * 2 * SIZE);
    const large = { png: await encodePng({ data: wide, width: 2 * SIZE, height: SIZE }) };
    const scoreOf = async (photo: Photo, prepared: boolean): Promise<number> => {
      const images = { photos: [photo], prepared };
      return (await engine.describe({ source, images, batch: 1, features: [] })).scores[0];
    };
    const whole = await scoreOf({ png }, true);
    expect(await scoreOf({ ...large, box: { x: 0, y: 0, width: SIZE, height: SIZE } }, false)).toBe(whole);
    expect(await scoreOf(large, false)).not.toBe(whole);
    await expect(scoreOf(large, true)).rejects.toThrow('image 0 is 32x16, the model wants 16x16');
  });

  it('tells models apart that have one file and different manifests', async () => {
    const images = { photos: given, prepared: true };
    const scoresOf = async (changed: typeof source): Promise<number[]> => [
      ...(await engine.describe({ source: changed, images, batch: N, features: [] })).scores,
    ];
    const own = await scoresOf(source);
    const swapped = await scoresOf(sourceOf({ input: { colour: 'bgr' } }));
    const shifted = await scoresOf(sourceOf({ input: { mean: [0.5, 0.5, 0.5] } }));
    expect(swapped).not.toEqual(own);
    expect(shifted).not.toEqual(own);
    expect(shifted).not.toEqual(swapped);
    expect(await scoresOf(source)).toEqual(own);
  });

  it('opens a model that was exported for one image', async () => {
    const one = <T extends { dims: readonly (number | string)[] }>(value: T): T => ({
      ...value,
      dims: [1, ...value.dims.slice(1)],
    });
    const { graph } = network.model;
    const fixed: Model = {
      ...network.model,
      graph: { ...graph, inputs: graph.inputs.map(one), outputs: graph.outputs.map(one) },
    };
    const images = { photos: given, prepared: true };
    const task = { images, batch: 8, features: [TYPES] };
    expect(await engine.describe({ ...task, source: sourceOf({}, fixed) })).toEqual(
      await engine.describe({ ...task, source }),
    );
  });
});

describe('readouts', () => {
  it('are linear functions of the features, which stay in the worker', async () => {
    const images = { photos: given, prepared: true };
    const { features } = await engine.describe({ source, images, batch: 8, features: [TYPES] });
    const weights = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i));
    const readouts = { two: { feature: TYPES, weights, bias: [0.5, -1] } };
    const task = { source, images, batch: 8, features: [], readouts };
    const described = await engine.describe(task);
    expect(described.features).toEqual({});
    const value = (i: number, k: number): number =>
      features[TYPES].subarray(32 * i, 32 * i + 32).reduce(
        (sum, z, j) => sum + z * weights[32 * k + j],
        [0.5, -1][k],
      );
    close(
      described.readouts['two'],
      Array.from({ length: 2 * N }, (_, at) => value(at >> 1, at % 2)),
      4,
    );
  });
});

describe('moments and fit', () => {
  it('are those of the described features, however the images were cut', async () => {
    const images = { photos: await photos(60), prepared: true };
    const labels = labelsOf(60);
    const { features } = await engine.describe({ source, images, batch: 16, features: [TYPES], texture });
    const expected = (name: string, wanted: (i: number) => boolean): Moments => {
      const size = features[name].length / 60;
      const moments = new Moments(size);
      for (let i = 0; i < 60; i++)
        if (wanted(i)) moments.add(features[name].subarray(i * size, (i + 1) * size));
      return moments;
    };
    /** Of three classes; every fourth image has none. */
    const thirdOf = (i: number): number => (i % 4) - 1;
    const indicatorsOf = (third: number): number[] => [0, 1, 2].map((one) => Number(one === third));
    const chunks = await Promise.all(
      [
        [0, 25],
        [25, 60],
      ].map(([from, to]) => {
        const part = { photos: images.photos.slice(from, to), prepared: true };
        const index = Int16Array.from(labels.slice(from, to));
        const thirds = index.map((_, i) => thirdOf(from + i));
        const labelled = thirds.map((third) => Math.min(third, 0));
        const indicators = Uint8Array.from([...thirds].flatMap(indicatorsOf));
        return engine.moments({
          source,
          images: part,
          batch: 16,
          groupings: [
            { id: 'types', of: { feature: TYPES }, groups: 2, index },
            { id: 'texture', of: { texture }, groups: 2, index },
            { id: 'thirds', of: { feature: TYPES }, groups: 1, index: labelled, indicators },
          ],
        });
      }),
    );
    const merged = (id: string) =>
      chunks[0][id].map((_, group) => Moments.merged(chunks.map((chunk) => chunk[id][group])).data);
    const { priors, controls, probes } = await engine.fit([
      { id: 'types', kind: 'prior', groups: merged('types'), seed: 0 },
      { id: 'texture', kind: 'prior', groups: merged('texture'), seed: 0 },
      { id: 'thirds', kind: 'probe', outputs: 3, joined: merged('thirds')[0] },
    ]);
    for (const [id, name] of [
      ['types', TYPES],
      ['texture', TEXTURE],
    ]) {
      const prior = fitPrior(
        expected(name, (i) => labels[i] === 0),
        expected(name, (i) => labels[i] === 1),
      );
      const scale = Math.max(...prior.weights.map(Math.abs));
      close(
        priors[id].weights.map((w) => w / scale),
        prior.weights.map((w) => w / scale),
        4,
      );
      expect(priors[id].bias / scale).toBeCloseTo(prior.bias / scale, 4);
      expect(controls[id]).toHaveLength(CONTROL_DIRECTIONS);
    }
    const size = features[TYPES].length / 60;
    const joined = new Moments(size + 3);
    for (let i = 0; i < 60; i++)
      if (thirdOf(i) >= 0)
        joined.add([...features[TYPES].subarray(i * size, (i + 1) * size), ...indicatorsOf(thirdOf(i))]);
    const probe = fitProbe(joined, 3);
    expect(probes['thirds'].classes).toBe(3);
    close(probes['thirds'].bias, probe.bias, 2);
  });
});

describe('compare', () => {
  it('shows the clean image and an amplified difference around grey', async () => {
    const { data } = await decodePng(given[0].png);
    const changed = data.map((value, i) => (i === 0 ? value + 3 : i === 1 ? value - 1 : value));
    const adversarial = await encodePng({ data: changed, width: SIZE, height: SIZE });
    const shown = await engine.compare({ manifest: source.manifest, original: given[0], adversarial });
    expect(shown.amplification).toBe(40);
    expect((await decodePng(shown.original)).data).toEqual(data);
    const difference = (await decodePng(shown.difference)).data;
    expect([...difference.subarray(0, 4)]).toEqual([128 + 120, 128 - 40, 128, 128]);
  });
});
