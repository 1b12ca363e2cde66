/** Models as they go into production: quantised to 8 bits. They are attacked through floats and decide as they are. */
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { dequantise } from '@facet/adversary';
import { type ModelCrop, ModelManifest } from '@facet/contracts';
import { cropFace, encodePng, type RawImage, readFolder } from '@facet/datasets';
import { GraphBuilder, type Model, modelOf, scalarF32, writeModel } from '@facet/onnx';
import { Random } from '@facet/random';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { keysOf, photos, planesOf, SIZE, sourceOf } from './engine.fixture.js';
import { type AttackSource, type ModelSource, share } from './model-source.js';
import type { AttackTask, Photo } from './tasks.js';

const engine = new Engine({ threads: 2 });
afterAll(() => engine.close());

const attackSource = (source: ModelSource): AttackSource => ({
  ...source,
  fit: 'none',
  probes: [],
  attacked: {
    input: source.manifest.input,
    output: source.manifest.output,
    texture: { tensor: '' },
    facets: [],
  },
});

const taskOf = (
  source: ModelSource,
  given: readonly Photo[],
  labels: Uint8Array,
  steps: number,
): AttackTask => ({
  source: attackSource(source),
  facet: undefined,
  objective: 'direct',
  search: { name: 'pgd', steps, restarts: 1, stop: 'never' },
  threat: { norm: 'linf', epsilon: 4 / 255 },
  threshold: 0,
  seed: 11,
  batch: 4,
  images: { photos: given, prepared: true },
  keys: keysOf(given.length),
  labels,
  truth: {},
});

/** One convolution over the whole image, quantised dynamically; `batch` is what the file declares. */
function dynamic(batch: number | string): Model {
  const b = new GraphBuilder();
  b.input('pixels', 'float32', [batch, 3, SIZE, SIZE]);
  const [x, scale, zero] = b.nodes('DynamicQuantizeLinear', ['pixels'], {}, ['q', 'scale', 'zero']);
  const random = new Random(8);
  const weights = b.initializer('weights', {
    type: 'int8',
    dims: [2, 3, SIZE, SIZE],
    data: Int8Array.from({ length: 6 * SIZE * SIZE }, () => 80 * (random.uniform() - 0.5)),
  });
  const sums = b.node('Cast', [b.node('ConvInteger', [x, weights, zero])], { to: 1 });
  const scaled = b.node('Mul', [sums, b.node('Mul', [scale, b.constant(scalarF32(0.01))])]);
  b.node('Reshape', [scaled, b.i64([batch === 1 ? 1 : -1, 2])], {}, 'live');
  b.output('live', 'float32', [batch, 2]);
  return modelOf(b.build('dynamic'));
}

/** Every picture has its own brightest pixel, so that a batch of them has another scale. */
async function pictures(): Promise<Photo[]> {
  const [one, ...others] = await photos(5);
  const dark = Uint8Array.from({ length: 3 * SIZE * SIZE }, (_, i) => (i * 7) % 60);
  return [one, { png: await encodePng({ data: dark, width: SIZE, height: SIZE }) }, ...others];
}

describe.each([1, 'N'] as const)('a dynamically quantised model of batch %s', (batch) => {
  const model = dynamic(batch);
  const output = { kind: 'logits' as const, name: 'live', classes: 2, live: [0] };
  const source = sourceOf({ output, facets: {}, texture: undefined }, model);

  it('gives a sample the score of the file, whatever it is batched with', async () => {
    const given = await pictures();
    const { scores } = await engine.describe({
      source,
      images: { photos: given, prepared: true },
      batch: 4,
      features: [],
    });
    const bytes = await planesOf(given.map(({ png }) => png));
    const session = await InferenceSession.create(writeModel(model), { intraOpNumThreads: 1 });
    const alone = async (data: Uint8Array): Promise<Float32Array> => {
      const n = data.length / (3 * SIZE * SIZE);
      const { live } = await session.run({
        pixels: new Tensor('float32', dequantise(data), [n, 3, SIZE, SIZE]),
      });
      return live.data as Float32Array;
    };
    for (const [i, score] of scores.entries()) {
      const [live, spoof] = await alone(bytes.subarray(i * 3 * SIZE * SIZE, (i + 1) * 3 * SIZE * SIZE));
      expect(score).toBe(live - spoof);
    }
    if (batch === 'N') {
      const together = await alone(bytes);
      expect(Array.from(scores, (_, i) => together[2 * i] - together[2 * i + 1])).not.toEqual(
        Array.from(scores),
      );
    }
    await session.release();
  });

  it('is attacked, and scores its stored images one by one', async () => {
    const given = await pictures();
    const labels = Uint8Array.from(given, (_, i) => i % 2);
    const { cleanScores, adversarialScores, pngs } = await engine.attack(taskOf(source, given, labels, 3));
    const images = { photos: pngs.map((png) => ({ png })), prepared: true };
    expect(adversarialScores).toEqual(
      (await engine.describe({ source, images, batch: 1, features: [] })).scores,
    );
    for (const [i, label] of labels.entries())
      expect((1 - 2 * label) * (cleanScores[i] - adversarialScores[i])).toBeGreaterThan(0);
  });
});

const FOLDER = process.env['FACET_CASES'];
/** 1,200 gradients of both networks; other work may share the machine. */
const TIMEOUT_MS = 240_000;
const SIDE = { height: 128, width: 128 };
const CROP: ModelCrop = { scale: 1.5, square: true, outside: 'reflect', interpolation: 'area' };
const PHOTOGRAPHS = [
  { file: 'live.jpg', label: 'live', spoofType: 'live', box: { x: 140, y: 80, width: 190, height: 235 } },
  { file: 'print.jpg', label: 'spoof', spoofType: 'photo', box: { x: 150, y: 110, width: 150, height: 190 } },
  {
    file: 'replay.jpg',
    label: 'spoof',
    spoofType: 'phone',
    box: { x: 130, y: 150, width: 240, height: 290 },
  },
];
const SHIFTS = [
  [0, 0],
  [4, 0],
  [0, 5],
  [-6, 3],
  [5, -6],
];

async function published(file: string): Promise<ModelSource> {
  const bytes = share(await readFile(join(FOLDER!, 'published', file)));
  const manifest = ModelManifest.parse({
    schema: 'facet.model/v1',
    name: 'minifas',
    version: '1',
    input: { name: 'input', ...SIDE, colour: 'rgb', white: 1 },
    crop: CROP,
    output: { kind: 'logits', name: 'output', classes: 2, live: [0] },
    facets: {},
  });
  return { digest: createHash('sha256').update(bytes).digest('hex'), bytes, manifest };
}

function varied({ data, ...size }: RawImage, mirrored: boolean, brighter: number): RawImage {
  const at = (i: number): number => {
    const [column, row] = [Math.floor(i / 3) % size.width, Math.floor(i / 3 / size.width)];
    return mirrored ? 3 * (row * size.width + size.width - 1 - column) + (i % 3) : i;
  };
  return { ...size, data: data.map((_, i) => Math.min(255, data[at(i)] + brighter)) };
}

/** The photographs' faces shifted, mirrored and brightened: 60 images. */
async function faces(): Promise<{ photo: Photo; label: number }[]> {
  const folder = await mkdtemp(join(tmpdir(), 'facet-photographs-'));
  try {
    for (const { file } of PHOTOGRAPHS) await copyFile(join(FOLDER!, 'published', file), join(folder, file));
    const manifest = { schema: 'facet.folder/v1', name: 'photographs', version: '1', samples: PHOTOGRAPHS };
    await writeFile(join(folder, 'dataset.json'), JSON.stringify(manifest));
    const found = [];
    for await (const { image, box, labels } of (await readFolder(folder)).samples())
      for (const [dx, dy] of SHIFTS) {
        const data = cropFace(image, { ...box!, x: box!.x + dx, y: box!.y + dy }, CROP, SIDE);
        for (const mirrored of [false, true])
          for (const brighter of [0, 16]) {
            const png = await encodePng(varied({ data, ...SIDE }, mirrored, brighter));
            found.push({ photo: { png }, label: labels.label === 'live' ? 0 : 1 });
          }
      }
    return found;
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe.skipIf(FOLDER === undefined)('minifas_int8 beside its float twin (FACET_CASES)', () => {
  it(
    'loses at 4/255 every decision that the float network loses to its own gradient',
    async () => {
      const given = await faces();
      expect(given).toHaveLength(60);
      const labels = Uint8Array.from(given, ({ label }) => label);
      const flipped = async (file: string): Promise<{ right: number; flips: Set<number> }> => {
        const source = await published(file);
        const { cleanScores, adversarialScores } = await engine.attack(
          taskOf(
            source,
            given.map(({ photo }) => photo),
            labels,
            10,
          ),
        );
        const right = (score: number, i: number): boolean => score >= 0 === (labels[i] === 0);
        const indices = [...labels.keys()].filter((i) => right(cleanScores[i], i));
        return {
          right: indices.length,
          flips: new Set(indices.filter((i) => !right(adversarialScores[i], i))),
        };
      };
      const [float, quantised] = await Promise.all(['minifas.onnx', 'minifas_int8.onnx'].map(flipped));
      expect(Math.min(float.right, quantised.right, float.flips.size)).toBeGreaterThan(50);
      expect([...float.flips].filter((i) => !quantised.flips.has(i))).toEqual([]);
    },
    TIMEOUT_MS,
  );
});
