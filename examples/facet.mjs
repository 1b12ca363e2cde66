// What the examples share: Facet is run as anybody runs it, in a process of its own, with its output shown.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Where an example writes: its argument, or a folder that git ignores. */
export const OUT = resolve(process.argv[2] ?? join(ROOT, 'facet-out', 'examples'));

function command() {
  const built = join(ROOT, 'services', 'cli', 'dist', 'main.js');
  return existsSync(built) ? built : join(ROOT, 'tools', 'facet.mjs');
}

/** Runs `facet` and returns its exit code: 0, or 3 where a policy does not hold. An error ends the example. */
export function facet(...args) {
  const { status, error } = spawnSync(process.execPath, [command(), ...args], { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0 && status !== 3) process.exit(status ?? 1);
  return status;
}

/** Starts `facet up` on a free port; gives its address, a token, and what ends it. */
export async function serve(out) {
  const child = spawn(process.execPath, [command(), 'up', '--port', '0', '--out', out], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FACET_LOG_LEVEL: 'warn' },
  });
  // Also where the example ends by an error of its own.
  process.once('exit', () => child.kill());
  let said = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    said += chunk;
    const [, server] = /^export FACET_SERVER=(.+)$/m.exec(said) ?? [];
    const [, token] = /^export FACET_TOKEN=(.+)\n/m.exec(said) ?? [];
    if (token === undefined) continue;
    const ended = once(child, 'exit');
    return { server, token, end: () => (child.kill('SIGTERM'), ended) };
  }
  throw new Error(`facet up ended: ${said}`);
}

export const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));

export const percent = (rate) => `${(100 * rate).toFixed(1)} %`;

/** A dataset out of a store into a labelled folder, as `evaluate` and `transfer` take it; stored shards are tar files. */
export function unpacked(store, name, version, folder) {
  const { splits } = readJson(join(store, 'datasets', name, version, 'manifest.json'));
  const samples = [];
  for (const [split, shards] of Object.entries(splits)) {
    const into = join(folder, split);
    mkdirSync(into, { recursive: true });
    for (const { key } of shards) {
      const { status } = spawnSync('tar', ['-xf', '-'], { cwd: into, input: readFileSync(join(store, key)) });
      if (status !== 0) throw new Error(`tar could not unpack ${key}`);
    }
    for (const sidecar of readdirSync(into).filter((file) => file.endsWith('.json')))
      samples.push({
        file: `${split}/${sidecar.replace(/json$/, 'png')}`,
        split,
        ...readJson(join(into, sidecar)),
      });
  }
  const manifest = { schema: 'facet.folder/v1', name: 'unpacked-faces', version: '1', samples };
  writeFileSync(join(folder, 'dataset.json'), JSON.stringify(manifest));
  return folder;
}

/** The files of a published model in a store. */
export function modelFiles(store, { name, version }) {
  const folder = join(store, 'models', name, version);
  return { model: join(folder, 'model.onnx'), manifest: join(folder, 'manifest.json') };
}

/** The network of example 1 and its faces, taken out of its store. */
export function demoFiles() {
  const demo = join(OUT, 'demo');
  facet('demo', '--quick', '--out', demo);
  const store = join(demo, 'store');
  const version = 'quick-seed-0';
  const dataset = unpacked(store, 'synthetic-faces', version, join(OUT, 'faces'));
  return { ...modelFiles(store, { name: 'demo', version }), dataset };
}

/** The two networks of example 5, by the names of their features, and their faces. */
export function studyFiles() {
  const out = join(OUT, 'study');
  facet('study', '--study', join(ROOT, 'examples', '05-study', 'study.yaml'), '--out', out);
  const store = join(out, 'store');
  const report = readJson(join(out, 'study.json'));
  const [version] = readdirSync(join(store, 'datasets', 'study-faces'));
  return {
    report,
    models: report.networks.map(({ features, model }) => ({ features, ...modelFiles(store, model) })),
    dataset: () => unpacked(store, 'study-faces', version, join(OUT, 'study-faces')),
  };
}
