/** A network that was trained, and faces that it decides rightly: what attacks are compared on. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LIVE, ModelManifest, SPOOF } from '@facet/contracts';
import { decodePng, readShard, type StoredSample, toPlanes } from '@facet/datasets';
import { type AttackSource, type Engine, share } from '@facet/engine';
import { cacheFolder } from '../peers/cache.js';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const MODEL = join('store', 'models', 'demo', 'full-seed-0');
const TEST = join('store', 'datasets', 'synthetic-faces', 'full-seed-0', 'test');

export interface Trained {
  /** The ONNX file. */
  readonly file: string;
  readonly source: AttackSource;
  readonly samples: readonly StoredSample[];
  /** 0 live, 1 spoof. */
  readonly labels: Uint8Array;
  /** 8-bit images [n, 3, side, side], RGB. */
  readonly planes: Uint8Array;
}

/** The demo, which trains the network, run once as anybody runs it. */
async function demo(log: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(), 'attacks', 'demo');
  if (existsSync(join(folder, 'report.json'))) return folder;
  log(`training the demo's network into ${folder}: some minutes, once`);
  const script = join(ROOT, 'tools', 'facet.mjs');
  const child = spawn(process.execPath, [script, 'demo', '--out', folder], { stdio: 'ignore' });
  const code = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve));
  if (code !== 0) throw new Error(`facet demo ended with ${String(code)}`);
  return folder;
}

async function* samplesOf(folder: string): AsyncGenerator<StoredSample> {
  for (const name of (await readdir(join(folder, TEST))).sort())
    yield* readShard(await readFile(join(folder, TEST, name)), { name });
}

/** The demo's network. */
export async function trainedModel(log: (line: string) => void) {
  const folder = await demo(log);
  const file = join(folder, MODEL, 'model.onnx');
  const manifest = ModelManifest.parse(
    JSON.parse(await readFile(join(folder, MODEL, 'manifest.json'), 'utf8')),
  );
  return { folder, file, bytes: await readFile(file), manifest };
}

/** @param n how many of the test split's first images that are decided rightly. Errors: Error where there are fewer. */
export async function trained(engine: Engine, n: number, log: (line: string) => void): Promise<Trained> {
  const { folder, file, bytes: read, manifest } = await trainedModel(log);
  const bytes = share(read);
  const { input, output } = manifest;
  const source: AttackSource = {
    digest: createHash('sha256').update(bytes).digest('hex'),
    bytes,
    manifest,
    fit: 'none',
    probes: [],
    attacked: { input, output, texture: { tensor: '' }, facets: [] },
  };
  const all: StoredSample[] = [];
  for await (const sample of samplesOf(folder)) all.push(sample);
  const images = { photos: all, prepared: true };
  const { scores } = await engine.describe({ source, images, batch: 32, features: [] });
  const samples = all.filter(({ labels }, i) => scores[i] >= 0 === (labels.label === 'live')).slice(0, n);
  if (samples.length < n) throw new Error(`${samples.length} images are decided rightly, ${n} are needed`);
  const planes = new Uint8Array(n * 3 * input.height * input.width);
  for (const [i, { png }] of samples.entries())
    toPlanes(
      (await decodePng(png)).data,
      planes.subarray((i * planes.length) / n, ((i + 1) * planes.length) / n),
    );
  const labels = Uint8Array.from(samples, (sample) => (sample.labels.label === 'live' ? LIVE : SPOOF));
  return { file, source, samples, labels, planes };
}
