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

/** The network of example 1 and its faces, taken out of its store into labelled folders; stored shards are tar files. */
export function demoFiles() {
  const demo = join(OUT, 'demo');
  facet('demo', '--quick', '--out', demo);
  const store = join(demo, 'store');
  const dataset = join(OUT, 'faces');
  const { splits } = readJson(join(store, 'datasets', 'synthetic-faces', 'quick-seed-0', 'manifest.json'));
  const samples = [];
  for (const [split, shards] of Object.entries(splits)) {
    const folder = join(dataset, split);
    mkdirSync(folder, { recursive: true });
    for (const { key } of shards) {
      const { status } = spawnSync('tar', ['-xf', '-'], {
        cwd: folder,
        input: readFileSync(join(store, key)),
      });
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
  const model = join(store, 'models', 'demo', 'quick-seed-0');
  return { model: join(model, 'model.onnx'), manifest: join(model, 'manifest.json'), dataset };
}
