// Evaluates a network with a plan and a policy of one's own. The network and the faces are those of example 1, taken out
// of its store; the shards of a stored dataset are ordinary tar files.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { facet, OUT, readJson } from '../facet.mjs';

const demo = join(OUT, 'demo');
facet('demo', '--quick', '--out', demo);

const store = join(demo, 'store');
const dataset = join(OUT, 'own-plan', 'faces');
mkdirSync(dataset, { recursive: true });

const { splits } = readJson(join(store, 'datasets', 'synthetic-faces', 'quick-seed-0', 'manifest.json'));
const samples = [];
for (const [split, shards] of Object.entries(splits)) {
  const folder = join(dataset, split);
  mkdirSync(folder, { recursive: true });
  for (const { key } of shards) {
    const { status } = spawnSync('tar', ['-xf', '-'], { cwd: folder, input: readFileSync(join(store, key)) });
    if (status !== 0) throw new Error(`tar could not unpack ${key}`);
  }
  for (const sidecar of readdirSync(folder).filter((name) => name.endsWith('.json')))
    samples.push({
      file: `${split}/${sidecar.replace(/json$/, 'png')}`,
      split,
      ...readJson(join(folder, sidecar)),
    });
}
const manifest = { schema: 'facet.folder/v1', name: 'unpacked-faces', version: '1', samples };
writeFileSync(join(dataset, 'dataset.json'), JSON.stringify(manifest));

const beside = (name) => join(import.meta.dirname, name);
const model = join(store, 'models', 'demo', 'quick-seed-0');
const code = facet(
  'evaluate',
  ...['--model', join(model, 'model.onnx'), '--manifest', join(model, 'manifest.json')],
  ...['--dataset', dataset, '--plan', beside('plan.yaml'), '--policy', beside('policy.yaml')],
  ...['--out', join(OUT, 'own-plan')],
);
console.log(
  `A pipeline sees exit code ${code}: ${code === 0 ? 'the policy holds' : 'the policy does not hold'}.`,
);
