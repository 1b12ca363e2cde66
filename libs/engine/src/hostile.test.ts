/** Files that are made to do harm, given to the engine as anybody's model is. The reader's own list is in `onnx`. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelManifest } from '@facet/contracts';
import { GraphBuilder, type Model, ModelError, modelOf, tensorF32, writeModel } from '@facet/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from './engine.js';
import { photos, SIZE, sourceOf } from './engine.fixture.js';
import { type ModelSource, share } from './model-source.js';
import { isMessage, type Message, parse, write } from './testing/wire.js';

const MIB = 2 ** 20;
const engine = new Engine({ threads: 1 });
afterAll(() => engine.close());

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

const manifest = ModelManifest.parse({
  schema: 'facet.model/v1',
  name: 'hostile',
  version: '1',
  input: { name: 'pixels', layout: 'nchw', height: SIZE, width: SIZE, colour: 'rgb', white: 1 },
  output: { kind: 'logits', name: 'live', classes: 2, live: [0] },
  facets: {},
});

const source = (bytes: Uint8Array): ModelSource => ({
  digest: createHash('sha256').update(bytes).digest('hex'),
  bytes: share(bytes),
  manifest,
});

/** live = the means of two channels of what `middle` makes of the image, plus two weights. */
function model(middle: (b: GraphBuilder, pixels: string) => string = (_, pixels) => pixels): Model {
  const b = new GraphBuilder();
  b.input('pixels', 'float32', ['N', 3, SIZE, SIZE]);
  const means = b.node('ReduceMean', [middle(b, 'pixels'), b.i64([2, 3])], { keepdims: 0 });
  const two = b.node('Slice', [means, b.i64([0]), b.i64([2]), b.i64([1])]);
  const weights = b.initializer('weights', tensorF32([2], [0.25, 0.5]));
  b.node('Add', [two, weights], {}, 'live');
  b.output('live', 'float32', ['N', 2]);
  return modelOf(b.build('hostile'));
}

async function refusal(bytes: Uint8Array, of = engine): Promise<ModelError> {
  const error: unknown = await of.check(source(bytes)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ModelError);
  return error as ModelError;
}

describe('a file that points to another', () => {
  const CANARY = 123.25;
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'facet-canary-'));
    writeFileSync(join(folder, 'canary.bin'), new Float32Array(64).fill(CANARY));
    symlinkSync('canary.bin', join(folder, 'link.bin'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Weights whose data are said to be in `location`. */
  function pointing(location: string): Uint8Array {
    const root = parse(writeModel(model()));
    const graph = root.fields.find(({ no }) => no === 7)!.value as Message;
    const tensor = graph.fields.find(
      ({ no, value }) =>
        no === 5 &&
        isMessage(value) &&
        value.fields.some(
          ({ no: field, value: name }) =>
            field === 8 && Buffer.from(name as Uint8Array).equals(text('weights')),
        ),
    )!.value as Message;
    tensor.fields.splice(
      tensor.fields.findIndex(({ no }) => no === 9),
      1,
    );
    const entry = {
      kind: 'entry',
      fields: [
        { no: 1, value: text('location') },
        { no: 2, value: text(location) },
      ],
    };
    tensor.fields.push({ no: 13, value: entry }, { no: 14, value: 1n });
    return write(root);
  }

  it('would be followed by ONNX Runtime, and shown in the outputs', () => {
    writeFileSync(join(folder, 'model.onnx'), pointing('canary.bin'));
    const script = `
      const { InferenceSession, Tensor } = await import('${import.meta.resolve('onnxruntime-node')}');
      const { readFileSync } = await import('node:fs');
      const session = await InferenceSession.create(readFileSync('model.onnx'), { graphOptimizationLevel: 'disabled' });
      const pixels = new Tensor('float32', new Float32Array(${3 * SIZE * SIZE}), [1, 3, ${SIZE}, ${SIZE}]);
      console.log(JSON.stringify(Array.from((await session.run({ pixels })).live.data)));
    `;
    const options = { cwd: folder, env: { ORT_DISABLE_TELEMETRY: '1' }, encoding: 'utf8' } as const;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], options);
    expect(JSON.parse(printed)).toEqual([CANARY, CANARY]);
  });

  it.each(['canary.bin', 'link.bin', './canary.bin', '../canary.bin', 'ABSOLUTE', '/etc/passwd', ''])(
    'is refused here before anything is read: %s',
    async (location) => {
      const place = location === 'ABSOLUTE' ? join(folder, 'canary.bin') : location;
      const { fault, where, message } = await refusal(pointing(place));
      expect({ fault, where }).toEqual({ fault: 'forbidden', where: "tensor 'weights'" });
      expect(message).toContain('another file');
    },
  );
});

describe('a file that grows', () => {
  it.each<[string, (b: GraphBuilder, pixels: string) => string, string]>([
    [
      'constants',
      (b, x) =>
        b.node('Add', [x, b.node('ReduceMax', [b.node('ConstantOfShape', [b.i64([2 ** 20, 2 ** 20])])])]),
      'ConstantOfShape',
    ],
    [
      'an expansion',
      (b, x) =>
        b.node('Add', [x, b.node('ReduceMax', [b.node('Expand', [b.f32(1), b.i64([2 ** 40, 2 ** 40])])])]),
      'Expand',
    ],
    ['a tiling', (b, x) => b.node('Tile', [x, b.i64([1, 1, 2 ** 20, 2 ** 20])]), 'Tile'],
    ['a padding', (b, x) => b.node('Pad', [x, b.i64([0, 0, 2 ** 40, 0, 0, 0, 0, 2 ** 40])]), 'Pad'],
    [
      'a resizing',
      (b, x) => b.node('Resize', [x, '', b.constant(tensorF32([4], [1, 1, 1e9, 1e9]))]),
      'Resize',
    ],
    [
      'many tensors, each of them allowed',
      (b, x) => {
        let large = b.node('Tile', [x, b.i64([1, 1, 2 ** 9, 2 ** 9])]);
        for (let i = 0; i < 64; i++) large = b.node('Relu', [large]);
        return large;
      },
      'Relu',
    ],
  ])('by %s is refused before a session is opened', async (_, middle, operator) => {
    const { fault, where } = await refusal(writeModel(model(middle)));
    expect(fault).toBe('limit');
    expect(where).toMatch(new RegExp(`^node '.*' \\(${operator}\\)$`));
  });

  it('beyond what a worker may hold is refused by its sum', async () => {
    const small = new Engine({ threads: 1, vetting: { memoryBytes: 512 * MIB } });
    try {
      const { fault, where, problem } = await refusal(
        writeModel(
          model((b, x) => {
            const large = b.node('Tile', [x, b.i64([1, 1, 128, 128])]);
            return b.node('Add', [b.node('Exp', [large]), b.node('Add', [large, b.node('Sin', [large])])]);
          }),
        ),
        small,
      );
      expect({ fault, where }).toEqual({ fault: 'limit', where: 'memory' });
      expect(problem).toMatch(/needs about \d+ MiB, and a worker may hold \d+ MiB/);
    } finally {
      await small.close();
    }
  });
});

describe('a file that breaks the process that opens it', () => {
  // A real file that does it is a bug of ONNX Runtime, so the limits are made too small for an ordinary one instead.
  it('by its memory ends as one refusal, and the next model is opened', async () => {
    const small = new Engine({ threads: 1, vetting: { memoryBytes: 30 * MIB } });
    const long = model((b, x) => {
      let wave = b.node('Tile', [x, b.i64([1, 1, 16, 16])]);
      for (let i = 0; i < 200; i++) wave = b.node('Sin', [wave]);
      return wave;
    });
    try {
      const { fault, where, problem } = await refusal(writeModel(long), small);
      expect({ fault, where }).toEqual({ fault: 'limit', where: 'model' });
      expect(problem).toBe(
        'the process that opened it did not survive: it needed more memory than its limit, 30 MiB',
      );
      const images = { photos: await photos(1), prepared: true };
      const task = { source: source(writeModel(long)), images, batch: 1, features: [] };
      await expect(small.describe(task)).rejects.toThrow('did not survive');
    } finally {
      await small.close();
    }
    await expect(engine.check(sourceOf())).resolves.toMatchObject({ inputs: ['pixels'] });
  });

  it('by taking forever ends as one refusal', async () => {
    const hasty = new Engine({ threads: 1, vetting: { timeoutMs: 1 } });
    try {
      const { fault, problem } = await refusal(writeModel(model()), hasty);
      expect(fault).toBe('limit');
      expect(problem).toContain('it gave no sign of life for 0.001 s');
    } finally {
      await hasty.close();
    }
  });
});

describe('an operator that has no gradient', () => {
  it('is named, and its model is opened and scored all the same', async () => {
    const hard = source(writeModel(model((b, x) => b.node('Hardmax', [x], { axis: 1 }))));
    const facts = await engine.inspect({ bytes: hard.bytes });
    expect(facts.obstacle).toBeNull();
    expect(facts.gradient).toMatchObject({
      differentiable: false,
      obstacle: { operator: 'Hardmax' },
    });
    const images = { photos: await photos(2), prepared: true };
    const { scores } = await engine.describe({ source: hard, images, batch: 2, features: [] });
    expect(scores).toHaveLength(2);
    expect(scores.every(Number.isFinite)).toBe(true);
  });
});
