/** A network of our own on a folder of labelled images: through its heads, and as if it had none. */
import { readdir, readFile } from 'node:fs/promises';
import { AUXILIARY_FACETS, type ModelManifest, Report } from '@facet/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, scratch } from './facet.js';
import { facesOf, networkOf, writeFiles } from './inputs.fixture.js';

const SIZE = 32;
const OBJECTIVES = ['direct', 'facet', 'sfa', 'prior-only', 'control'];

const plan = {
  schema: 'facet.plan/v1',
  name: 'all-objectives',
  seed: 4,
  samples: 16,
  batch: 16,
  shard: 16,
  priorSamples: 240,
  attacks: [
    {
      objectives: OBJECTIVES,
      searches: [{ name: 'pgd', steps: 3 }],
      threats: [{ norm: 'linf', epsilon: '8/255' }],
    },
  ],
};
const policy = {
  schema: 'facet.policy/v1',
  name: 'anything-goes',
  clean: { minAccuracy: 0 },
  attacks: [{ objective: 'direct', maxAttackSuccessRate: 1 }],
};

/** The same network as its decision alone would be published, with tensors of its graph as facets. */
const withoutHeads = (manifest: ModelManifest): ModelManifest => ({
  ...manifest,
  version: '2',
  facets: Object.fromEntries(
    Object.entries(manifest.facets).map(([name, { feature }]) => [name, { feature }]),
  ),
});

describe('a network on a folder of images', () => {
  let folder: Awaited<ReturnType<typeof scratch>>;
  const network = networkOf(SIZE);

  beforeAll(async () => {
    folder = await scratch();
    const { dataset, images } = await facesOf(SIZE, { train: 240, dev: 60, test: 60 });
    await writeFiles(folder.path(), {
      'model.onnx': network.model,
      'heads.json': network.manifest,
      'tensors.json': withoutHeads(network.manifest),
      'plan.json': plan,
      'policy.json': policy,
      'faces/dataset.json': dataset,
    });
    await writeFiles(folder.path('faces'), images);
  });
  afterAll(() => folder.remove());

  function argsFor(manifest: string): string[] {
    const files = {
      model: 'model.onnx',
      manifest,
      dataset: 'faces',
      plan: 'plan.json',
      policy: 'policy.json',
      out: 'out',
    };
    return ['evaluate', ...Object.entries(files).flatMap(([name, file]) => [`--${name}`, folder.path(file)])];
  }

  async function evaluate(manifest: string): Promise<Report> {
    const { code, stderr, stdout } = await facet(argsFor(manifest));
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('Policy anything-goes: passed');
    return Report.parse(JSON.parse(await readFile(folder.path('out', 'report.json'), 'utf8')));
  }

  it('can be interrupted, and says that it goes on', async () => {
    const { code, stdout, stderr } = await facet(argsFor('heads.json'), {
      killWhen: /attacks: /,
      signal: 'SIGINT',
    });
    expect(stderr.trim().split('\n').at(-1)).toBe(
      'facet: stopped by SIGINT; the same command again goes on from what is stored',
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(await readdir(folder.path('out'))).toEqual(['store']);
  });

  it.each([
    ['its heads', 'heads.json', Object.fromEntries(AUXILIARY_FACETS.map((name) => [name, 'head']))],
    [
      'probes and plain tensors, where it has no heads',
      'tensors.json',
      {
        attributes: 'probe',
        'spoof-type': 'probe',
        illumination: 'probe',
        depth: 'tensor',
        reflection: 'tensor',
      },
    ],
  ])('is attacked by every objective through %s', async (_, manifest, sources) => {
    const { facets, cells, clean, notes, gains } = await evaluate(manifest);
    expect(Object.fromEntries(facets.map(({ facet: name, source }) => [name, source]))).toEqual(sources);
    for (const { probeAccuracy, priorSamples } of facets) {
      expect(priorSamples).toEqual({ live: 120, spoof: 120 });
      expect(probeAccuracy).not.toBeNull();
    }
    // Of an untrained network some features tell live from spoof no better than chance, but not all.
    expect(Math.max(...facets.map(({ probeAccuracy }) => probeAccuracy!))).toBeGreaterThan(0.6);
    expect(notes).toEqual([]);
    expect(clean).toMatchObject({ samples: 60, thresholdSource: 'dev-eer' });
    expect(gains[0].gain).not.toBeNull();

    const found = cells.map(({ facet: name, objective }) => `${name} ${objective}`);
    const expected = AUXILIARY_FACETS.flatMap((name) =>
      OBJECTIVES.slice(1).map((objective) => `${name} ${objective}`),
    );
    expect(found.sort()).toEqual(['live direct', ...expected].sort());
    for (const { samples, maxLinf } of cells) {
      expect(samples).toBe(16);
      expect(maxLinf).toBeGreaterThan(0);
      expect(maxLinf).toBeLessThanOrEqual(8 / 255 + 1e-6);
    }
  });
});
