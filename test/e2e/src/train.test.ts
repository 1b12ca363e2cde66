/** Training from outside, as small as it can be: killed in the middle of an epoch, begun from other weights, refused. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256, writeSafetensors } from '@facet/catalog';
import { HardeningReport, TrainingHistory } from '@facet/contracts';
import { readModel } from '@facet/onnx';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, type Run, scratch } from './facet.js';
import { writeFiles } from './inputs.fixture.js';

const RECIPE = {
  schema: 'facet.recipe/v1',
  backbone: 'resnet-small',
  facets: ['depth'],
  epochs: 2,
  batch: 16,
  parts: 2,
  learningRate: 0.02,
  optimiser: { kind: 'adamw' },
  warmupSteps: 2,
  checkpointSteps: 2,
  averageDecay: 0.9,
  validation: { patience: 2 },
  adversarial: {
    threat: { norm: 'linf', epsilon: '4/255' },
    mix: [{ objective: 'direct' }, { objective: 'sfa' }],
    priors: { everySteps: 5, samples: 80 },
  },
};
const FACES = {
  name: 'faces',
  version: '1',
  source: { kind: 'synthetic', seed: 1, size: 16, samples: { train: 96, dev: 32, test: 32 } },
};
const CASES = process.env['FACET_CASES'];
const PUBLISHED = fileURLToPath(new URL('../../../examples/02-published-model/', import.meta.url));

let folder: Awaited<ReturnType<typeof scratch>>;
beforeAll(async () => {
  folder = await scratch();
  await writeFiles(folder.path(), {
    'recipe.yaml': RECIPE,
    'faces.yaml': FACES,
    'harden.yaml': { ...RECIPE, backbone: undefined, seed: 0, epochs: 1 },
  });
});
afterAll(() => folder.remove());

const train = (
  out: string,
  { more = [], ...options }: { more?: readonly string[] } & Parameters<typeof facet>[1] = {},
): Promise<Run> =>
  facet(
    [
      ...['train', '--recipe', folder.path('recipe.yaml'), '--dataset', folder.path('faces.yaml')],
      ...['--model', 'net@1', '--out', folder.path(out), ...more],
    ],
    options,
  );
const modelOf = (out: string): Promise<Uint8Array> => readFile(folder.path(out, 'model.onnx'));

describe('facet train', () => {
  let whole: Uint8Array;

  it('trains by its recipe, and says how every epoch went', async () => {
    const { code, stdout, stderr } = await train('whole');
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/training: .* images.*loss \d/);
    whole = await modelOf('whole');
    expect(stdout).toContain(`net@1  sha256 ${sha256(whole)}`);
    const history = TrainingHistory.parse(
      JSON.parse(await readFile(folder.path('whole', 'training.json'), 'utf8')),
    );
    expect(history.epochs.map(({ step }) => step)).toEqual([6, 12]);
    for (const { validation, losses } of history.epochs) {
      expect(validation!.robustAuc!).toBeLessThanOrEqual(validation!.auc! + 0.2);
      expect(Object.keys(losses).sort()).toEqual(['depth', 'live']);
    }
    const inspected = await facet(['inspect', folder.path('whole', 'model.onnx')]);
    expect(inspected.code, inspected.stderr).toBe(0);
  });

  it.each([
    ['killed in the middle of an epoch', 'SIGKILL'],
    ['asked to end in the middle of an epoch', 'SIGTERM'],
  ] as const)('%s it goes on, and ends in the same bytes', async (_, signal) => {
    const out = `stopped-${signal}`;
    const store = folder.path(out, 'store', 'trainings');
    const stopped = await train(out, { killWhen: /training: \d/, signal });
    expect(signal === 'SIGKILL' ? stopped.signal : stopped.code).toBe(signal === 'SIGKILL' ? signal : 1);
    expect(existsSync(folder.path(out, 'model.onnx'))).toBe(false);
    if (signal === 'SIGTERM') {
      expect(stopped.stderr).toContain('goes on from what is stored');
      expect(existsSync(store)).toBe(true);
    }
    const { code, stderr } = await train(out);
    expect(code, stderr).toBe(0);
    expect(await modelOf(out)).toEqual(whole);
  });

  it('begins from a network that was trained before, and from safetensors', async () => {
    const { graph } = readModel(whole);
    const floats = [...graph.initializers].filter(([, { type }]) => type === 'float32');
    const weights = writeSafetensors(
      new Map(floats.map(([name, { dims, data }]) => [name, { dims, data: data as Float32Array }])),
    );
    await writeFile(folder.path('weights.safetensors'), weights);
    const runs: Uint8Array[] = [];
    for (const file of [folder.path('whole', 'model.onnx'), folder.path('weights.safetensors')]) {
      const out = `from-${runs.length}`;
      const { code, stderr } = await train(out, { more: ['--weights', file] });
      expect(code, stderr).toBe(0);
      runs.push(await modelOf(out));
    }
    expect(runs[0]).toEqual(runs[1]);
    expect(runs[0]).not.toEqual(whole);
  });

  it.each<[string, object, object, string]>([
    ['a field that nobody knows', { momentum: 0.9 }, {}, 'recipe.yaml: Unrecognized key: "momentum"'],
    ['no backbone', { backbone: undefined }, {}, 'recipe.backbone: is missing'],
    [
      'a batch that the data do not fill',
      { batch: 128 },
      {},
      'recipe.batch: is 128, but there are only 96 train samples',
    ],
    ['a rate at which it diverges', { learningRate: 1e30 }, {}, 'training diverged: after step'],
    [
      'a facet that the network does not have',
      { adversarial: { ...RECIPE.adversarial, mix: [{ objective: 'facet', facets: ['reflection'] }] } },
      {},
      'recipe.adversarial.mix: names reflection; the network has depth',
    ],
    [
      'data without a dev split',
      {},
      { samples: { train: 96, dev: 0, test: 32 } },
      'has no samples in its split "dev"',
    ],
  ])('refuses %s', async (name, recipe, source, message) => {
    const at = name.replaceAll(' ', '-');
    await writeFiles(folder.path(at), {
      'recipe.yaml': { ...RECIPE, ...recipe },
      'faces.yaml': { ...FACES, source: { ...FACES.source, ...source } },
    });
    const { code, stderr } = await facet([
      ...['train', '--recipe', folder.path(at, 'recipe.yaml'), '--dataset', folder.path(at, 'faces.yaml')],
      ...['--model', 'net@1', '--out', folder.path(at, 'out')],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(existsSync(folder.path(at, 'out', 'model.onnx'))).toBe(false);
  });

  it('fails with what to do where a step outgrows the memory that it may take', async () => {
    const memory = folder.path('memory');
    await writeFiles(memory, {
      'recipe.yaml': { ...RECIPE, adversarial: undefined, batch: 96, parts: 1 },
      'faces.yaml': { ...FACES, source: { ...FACES.source, size: 64 } },
    });
    const { code, stderr } = await facet(
      [
        ...['train', '--recipe', join(memory, 'recipe.yaml'), '--dataset', join(memory, 'faces.yaml')],
        ...['--model', 'net@1', '--out', join(memory, 'out')],
      ],
      { env: { ...process.env, FACET_THREADS: '2', FACET_MEMORY_MIB: '64' } },
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(/a worker may hold \d+ MiB; take a smaller batch, in training more parts of it/);
  });
});

it('facet harden trains a network on and stands both side by side', async () => {
  const { code, stdout, stderr } = await facet([
    ...['harden', 'net@1', '--out', folder.path('whole'), '--recipe', folder.path('harden.yaml')],
    ...['--epsilon', '4/255'],
  ]);
  expect(code, stderr).toBe(0);
  const report = HardeningReport.parse(
    JSON.parse(await readFile(folder.path('whole', 'harden.json'), 'utf8')),
  );
  expect(report.splits.map(({ name }) => name)).toEqual(['test', 'shifted']);
  expect(report.parent).toMatchObject({ name: 'net', version: '1' });
  expect(report.hardened.version).toBe('1-hardened');
  for (const { attacks, evaluations } of report.splits) {
    expect(attacks).toHaveLength(3);
    expect(evaluations.parent).not.toBe(evaluations.hardened);
  }
  const lineage = JSON.parse(
    await readFile(
      join(folder.path('whole'), 'store', 'models', 'net', '1-hardened', 'lineage.json'),
      'utf8',
    ),
  ) as object;
  expect(lineage).toMatchObject({
    kind: 'training',
    parent: { name: 'net', version: '1' },
    dataset: { name: 'faces', version: '1' },
  });
  expect(stdout).toContain('success of direct pgd-10 4/255');
});

describe('facet harden --evaluation', () => {
  const harden = (...more: string[]): Promise<Run> =>
    facet([
      ...['harden', 'net@1', '--out', folder.path('whole'), '--recipe', folder.path('harden.yaml')],
      ...['--epsilon', '4/255', ...more],
    ]);
  const evaluations = async (name: 'test' | 'shifted'): Promise<string> => {
    const report = HardeningReport.parse(
      JSON.parse(await readFile(folder.path('whole', 'harden.json'), 'utf8')),
    );
    return report.splits.find((split) => split.name === name)!.evaluations.parent;
  };

  it.each([
    ['test', 'by which what is trained on it is judged'],
    ['shifted', 'by which the result is judged under another camera'],
  ] as const)('refuses the images of the %s split that judges', async (name, message) => {
    const { code, stderr } = await harden('--as', `net@${name}`, '--evaluation', await evaluations(name));
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });

  it('trains on the images by which another dataset broke the network, too', async () => {
    const evaluation = await evaluations('shifted');
    const others = { ...FACES, name: 'others', source: { ...FACES.source, seed: 5 } };
    await writeFiles(folder.path(), { 'others.yaml': others });
    const { code, stderr } = await harden(
      ...['--dataset', folder.path('others.yaml'), '--as', 'net@2', '--evaluation', evaluation],
    );
    expect(code, stderr).toBe(0);
    const lineage = await readFile(
      join(folder.path('whole'), 'store', 'models', 'net', '2', 'lineage.json'),
      'utf8',
    );
    expect(JSON.parse(lineage)).toMatchObject({ evaluation, dataset: { name: 'others', version: '1' } });
  });
});

describe.skipIf(!CASES)('models that others published (FACET_CASES)', () => {
  it('are trained on without heads, with frozen statistics, and still are what their manifest says', async () => {
    const { samples, ...about } = JSON.parse(await readFile(join(PUBLISHED, 'dataset.json'), 'utf8')) as {
      samples: { file: string }[];
    };
    for (const { file } of samples)
      await copyFile(join(CASES!, 'published', file), await made(folder.path('photographs'), file));
    const splits = ['train', 'train', 'train', 'train', 'dev', 'test'];
    await writeFiles(folder.path(), {
      'photographs/dataset.json': {
        ...about,
        samples: splits.flatMap((split) => samples.map((sample) => ({ ...sample, split }))),
      },
      'foreign.yaml': {
        schema: 'facet.recipe/v1',
        seed: 0,
        epochs: 2,
        batch: 6,
        parts: 2,
        learningRate: 0.0005,
        optimiser: { kind: 'sgd' },
        warmupSteps: 1,
        adversarial: { threat: { norm: 'linf', epsilon: '1/255' }, mix: [{ objective: 'direct' }] },
      },
    });
    const { code, stderr } = await facet([
      ...['harden', join(CASES!, 'published', 'minifas.onnx'), '--epsilon', '1/255'],
      ...['--manifest', join(PUBLISHED, 'minifas.manifest.json'), '--dataset', folder.path('photographs')],
      ...['--recipe', folder.path('foreign.yaml'), '--out', folder.path('foreign')],
    ]);
    expect(code, stderr).toBe(0);
    const report = HardeningReport.parse(
      JSON.parse(await readFile(folder.path('foreign', 'harden.json'), 'utf8')),
    );
    const [{ clean, attacks }] = report.splits;
    expect(clean.parent.auc).toBe(1);
    expect(clean.hardened.auc).toBe(1);
    expect(attacks).toHaveLength(3);
    expect(report.history.epochs).toHaveLength(2);
  });
});

async function made(at: string, file: string): Promise<string> {
  await mkdir(at, { recursive: true });
  return join(at, file);
}
