/**
 * What is wrong with an input is said once, by file and field, and leaves nothing behind that looks finished. Long, since
 * every mistake is a row of one table.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { facet, type Run, scratch } from './facet.js';
import { bare, deciding, type Given, plan, policy, SIZE, withValue } from './given.fixture.js';
import { type Faces, facesOf, networkOf, writeFiles } from './inputs.fixture.js';

let folder: Awaited<ReturnType<typeof scratch>>;
let faces: Faces;
let good: Given;
beforeAll(async () => {
  folder = await scratch();
  faces = await facesOf(SIZE, { train: 0, dev: 0, test: 4 });
  good = { ...networkOf(SIZE), ...faces, plan, policy };
});
afterAll(() => folder.remove());

let runs = 0;
/** Runs `facet evaluate` on what is given, in a folder of its own. */
async function evaluate(given: Given, at = `run-${++runs}`) {
  const path = (...parts: string[]) => folder.path(at, ...parts);
  const { model, manifest, dataset, images, plan, policy } = given;
  await writeFiles(path(), {
    'model.onnx': model,
    'manifest.json': manifest,
    'plan.yaml': plan,
    'policy.yaml': policy,
    ...(dataset !== undefined && { 'faces/dataset.json': dataset }),
  });
  await writeFiles(path('faces'), images);
  const options = {
    model: 'model.onnx',
    manifest: 'manifest.json',
    dataset: 'faces',
    plan: 'plan.yaml',
    policy: 'policy.yaml',
    out: 'out',
  };
  const args = Object.entries(options).flatMap(([name, file]) => [`--${name}`, path(file)]);
  return { path, run: await facet(['evaluate', ...args]) };
}

const PROGRESS = /^[a-z]+: \d+\/\d+ [a-z]+( \(.*\))?$/;

/** Exit code 1, nothing on stdout, and on stderr beside progress one message that says all of `says`. */
function expectRefusal({ code, stdout, stderr }: Run, says: readonly string[]): void {
  const lines = stderr.split('\n').filter((line) => line !== '' && !PROGRESS.test(line));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^facet: /);
  for (const part of says) expect(lines[0]).toContain(part);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
}

async function expectNothingFinished(out: string): Promise<void> {
  const files = existsSync(out) ? await readdir(out, { recursive: true }) : [];
  expect(files.filter((name) => /(report\.[a-z.]+|manifest\.json|model\.onnx)$/.test(name))).toEqual([]);
}

type Case = [name: string, change: () => Partial<Given>, ...says: string[]];
const manifestWith = (path: readonly (string | number)[], value: unknown) => () => ({
  manifest: withValue(good.manifest, path, value),
});
const planWith = (path: readonly (string | number)[], value: unknown) => () => ({
  plan: withValue(plan, path, value),
});
const datasetWith = (path: readonly (string | number)[], value: unknown) => () => ({
  dataset: withValue(good.dataset, path, value),
});
const group = plan.attacks[0];
const many = <T>(value: T): T[] => Array.from({ length: 1000 }, () => value);

const BEFORE_WORK: readonly Case[] = [
  ['a truncated model', () => ({ model: good.model.slice(0, 5000) }), 'model.onnx: is no ONNX model'],
  ['an empty model', () => ({ model: '' }), 'model.onnx: is no ONNX model'],
  ['text for a model', () => ({ model: 'This is no network.\n' }), 'model.onnx: is no ONNX model'],
  [
    'an operator that nobody knows',
    () => ({ model: deciding('Frobnicate'), manifest: bare }),
    'model.onnx',
    "'odd/Frobnicate'",
    'Frobnicate',
  ],
  [
    'an operator without a shape rule',
    () => ({ model: deciding('Det'), manifest: bare }),
    'model.onnx',
    "'odd/Det'",
    'no rule for Det',
  ],
  [
    'a decision that cannot be differentiated',
    () => ({
      model: deciding('Hardmax'),
      manifest: { ...bare, facets: { early: { feature: 'early' } } },
    }),
    'model.onnx',
    'odd/Hardmax',
    'Hardmax',
    'no gradient',
    'live cannot be attacked by following one',
    'by gradients early, and the decision (live, direct) by the searches square, hop-skip-jump and auto',
  ],
  [
    'a manifest that is no document',
    () => ({ manifest: 'schema: "facet\nname: [' }),
    'manifest.json',
    'line 2',
  ],
  ['a manifest of nothing', () => ({ manifest: '' }), 'manifest.json'],
  [
    'a feature that the model lacks',
    manifestWith(['facets', 'depth', 'feature'], 'nowhere'),
    'manifest.json: facets.depth.feature: ',
    '"nowhere"',
  ],
  [
    'a head that the model lacks',
    manifestWith(['facets', 'depth', 'head', 'output'], 'nowhere'),
    'manifest.json: facets.depth.head.output: ',
  ],
  [
    'an output that the model lacks',
    manifestWith(['output', 'name'], 'nowhere'),
    'manifest.json: output.name: ',
  ],
  [
    'an input that the model lacks',
    manifestWith(['input', 'name'], 'nowhere'),
    'manifest.json: input.name: ',
  ],
  ['an input of another size', manifestWith(['input', 'height'], 32), 'pixels', '32'],
  ['a size out of range', manifestWith(['input', 'height'], 5000), 'manifest.json: input.height: ', '1024'],
  [
    'a colour that is none',
    manifestWith(['input', 'colour'], 'rbg'),
    'manifest.json: input.colour: ',
    '"rgb"',
  ],
  ['a field that nobody knows', manifestWith(['input', 'color'], 'rgb'), 'manifest.json: input: ', '"color"'],
  ['a class that is none', manifestWith(['output', 'live'], [2]), 'manifest.json: output.live[0]: '],
  ['more classes than the output has', manifestWith(['output', 'classes'], 3), 'manifest.json: output'],
  ['a digest of other bytes', manifestWith(['sha256'], '0'.repeat(64)), 'manifest.json: sha256: '],
  ['no dataset.json', () => ({ dataset: undefined }), 'dataset.json', 'no such file'],
  ['a dataset.json that is no JSON', () => ({ dataset: '{"schema":' }), 'dataset.json', 'JSON'],
  ['a dataset without samples', datasetWith(['samples'], []), 'dataset.json: samples: '],
  [
    'a label that is none',
    datasetWith(['samples', 1, 'label'], 'fake'),
    'dataset.json: samples[1].label: ',
    '"spoof"',
  ],
  [
    'attributes of a wrong length',
    datasetWith(['samples', 2, 'attributes'], [1, 0, 1]),
    'dataset.json: samples[2].attributes: ',
    '40',
  ],
  [
    'a dataset without test samples',
    () => ({
      dataset: {
        ...faces.dataset,
        samples: faces.dataset.samples.map((one) => ({ ...one, split: 'train' })),
      },
    }),
    'dataset.json: samples: none is in the split "test"',
  ],
  [
    'an epsilon of 300',
    planWith(['attacks', 0, 'threats', 0, 'epsilon'], 300),
    'plan.yaml: attacks[0].threats[0].epsilon: ',
    'at most 1',
  ],
  [
    'a facet that the model lacks',
    planWith(['attacks', 0, 'facets', 0], 'deepth'),
    'plan.yaml: attacks[0].facets[0]: ',
    'depth',
  ],
  [
    'negative steps',
    planWith(['attacks', 0, 'searches'], [{ name: 'pgd', steps: -1 }]),
    'plan.yaml: attacks[0].searches[0].steps: ',
  ],
  [
    'a negative step length',
    planWith(['attacks', 0, 'searches'], [{ name: 'pgd', relativeStep: -0.1 }]),
    'plan.yaml: attacks[0].searches[0].relativeStep: ',
  ],
  [
    'no restarts',
    planWith(['attacks', 0, 'searches'], [{ name: 'pgd', restarts: 0 }]),
    'searches[0].restarts: ',
  ],
  ['a norm that is none', planWith(['attacks', 0, 'threats', 0, 'norm'], 'l7'), 'threats[0].norm: ', '"l2"'],
  ['a negative epsilon', planWith(['attacks', 0, 'threats', 0, 'epsilon'], '-2/255'), 'threats[0].epsilon: '],
  [
    'a base that is no preset',
    planWith(['extends'], 'thorugh'),
    'plan.yaml: extends: "thorugh" is none of quick',
  ],
  [
    'a plan above its own budget',
    planWith(['budget'], { passes: 3 }),
    'plan.yaml: budget.passes: is 3, ',
    '"samples" at 3',
  ],
  [
    'an objective that is none',
    planWith(['attacks', 0, 'objectives'], ['everything']),
    'plan.yaml: attacks[0].objectives[0]: ',
    '"sfa"',
  ],
  [
    'a billion cells',
    planWith(['attacks', 0], {
      facets: many('live'),
      objectives: group.objectives,
      searches: many(group.searches[0]),
      threats: many(group.threats[0]),
    }),
    'plan.yaml: attacks[0]: ',
    '100000',
  ],
  [
    'a rate of 2',
    () => ({ policy: withValue(policy, ['attacks', 0, 'maxAttackSuccessRate'], 2) }),
    'policy.yaml: attacks[0].maxAttackSuccessRate: ',
  ],
  ['a seed below 0', planWith(['seed'], -1), 'plan.yaml: seed: '],
];

const IN_WORK: readonly Case[] = [
  [
    'an image that is missing',
    datasetWith(['samples', 3, 'file'], 'nowhere.png'),
    'dataset.json: samples[3].file: ',
    '"nowhere.png" does not exist',
  ],
  [
    'an image that leads out of its folder',
    datasetWith(['samples', 3, 'file'], '../model.onnx'),
    'dataset.json: samples[3].file: ',
  ],
  [
    'a damaged image',
    () => ({
      images: new Map([...good.images].map(([name, png], i) => [name, i === 1 ? png.slice(0, 200) : png])),
    }),
    'dataset.json: samples[1].file: ',
    'cannot be read as an image',
  ],
  [
    'a box outside its image',
    datasetWith(['samples', 0, 'box'], { x: 500, y: 500, width: 9, height: 9 }),
    'dataset.json: samples[0].box: ',
    'outside the image',
  ],
];

describe('facet evaluate', () => {
  it.concurrent.each(BEFORE_WORK)('refuses %s before any work', async (_, change, ...says) => {
    const { run, path } = await evaluate({ ...good, ...change() });
    expectRefusal(run, says);
    expect(existsSync(path('out'))).toBe(false);
  });

  it.concurrent.each(IN_WORK)('stops at %s', async (_, change, ...says) => {
    const { run, path } = await evaluate({ ...good, ...change() });
    expectRefusal(run, says);
    await expectNothingFinished(path('out'));
  });
});

describe('a plan of which nothing is left', () => {
  it('fails, and says why the data does not allow it', async () => {
    const wanted = {
      facets: ['depth'],
      objectives: ['sfa'],
      searches: group.searches,
      threats: group.threats,
    };
    const { run, path } = await evaluate({ ...good, plan: { ...plan, attacks: [wanted] } });
    expectRefusal(run, ['attacks: no facet offers what the plan asks for', '0 live and 0 spoof samples']);
    expect(await readdir(path('out'))).toEqual(['store']);
  });
});

describe('a published version', () => {
  it('never changes: other bytes, another manifest and other samples are refused', async () => {
    const first = await evaluate(good, 'version');
    expect(first.run.code, first.run.stderr).toBe(0);
    const contents = async () => {
      const out = first.path('out', 'store');
      const names = (await readdir(out, { recursive: true })).filter((name) =>
        /^(models|datasets)/.test(name),
      );
      return names.sort();
    };
    const before = await contents();
    const bytes = await readFile(first.path('out', 'store', 'models', 'network', '1', 'model.onnx'));

    const named = { name: 'network', version: '1' };
    const others: [Partial<Given>, string[]][] = [
      [
        { model: deciding('Softmax'), manifest: { ...bare, ...named } },
        ['manifest.json: version: network@1 is published already with other bytes'],
      ],
      [
        { manifest: withValue(good.manifest, ['threshold'], 0.5) },
        ['manifest.json: version: network@1 is published already with another manifest'],
      ],
      [
        { dataset: { ...faces.dataset, samples: faces.dataset.samples.slice(1) } },
        ['dataset.json: version: faces@1 is stored already with other samples'],
      ],
    ];
    for (const [change, says] of others)
      expectRefusal((await evaluate({ ...good, ...change }, 'version')).run, says);
    expect(await contents()).toEqual(before);
    expect(await readFile(first.path('out', 'store', 'models', 'network', '1', 'model.onnx'))).toEqual(bytes);
  });
});

describe('the command line', () => {
  it.concurrent.each([
    ['a seed below 0', ['demo', '--quick', '--seed', '-1'], '--seed'],
    ['a seed that is no number', ['demo', '--quick', '--seed', 'x'], '--seed'],
    ['an option that nobody knows', ['demo', '--qick'], '--qick'],
    ['a command that nobody knows', ['demonstrate'], 'demonstrate'],
    ['an evaluation without a model', ['evaluate'], '--model'],
    [
      'a plan that is neither a preset nor a path',
      [...'evaluate --model m.onnx --manifest m.json --dataset d --plan thorugh'.split(' ')],
      'thorugh: is none of the plans quick, default, thorough, paper',
    ],
    ['an evaluation with a seed below 0', ['evaluate', '--seed', '-1'], '--seed'],
  ])('refuses %s', async (_, args, says) => {
    const out = folder.path(`command-${args.join('')}`);
    const command = args.length > 0 ? [...args, '--out', out] : [];
    expectRefusal(await facet(command), [says]);
    expect(existsSync(out)).toBe(false);
  });

  it('refuses an output folder that is a file', async () => {
    const file = folder.path('file');
    await writeFile(file, '');
    expectRefusal(await facet(['demo', '--quick', '--out', file]), [file]);
  });
});
