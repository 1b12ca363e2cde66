/**
 * Extracts features in a process of its own, whose memory is then theirs alone: `node alone.js FOLDER MODEL DATASET SAMPLES
 * THREADS`, where the folder is a store that holds version 1 of both. The last line of standard output is an `Alone` as JSON.
 */
import { Engine } from '@facet/engine';
import { extractFeatures } from '@facet/features';
import { FolderStore } from '@facet/store';
import type { Alone } from '../attack/alone.js';

const [folder, model, dataset, ...rest] = process.argv.slice(2);
const [priorSamples, threads] = rest.map(Number);
const ref = (name: string) => ({ name, version: '1' });
const store = await FolderStore.open(folder);
const engine = new Engine({ threads });
const began = performance.now();
try {
  await extractFeatures(
    { store, engine },
    { model: ref(model), dataset: ref(dataset), priorSamples, seed: 0 },
    { signal: new AbortController().signal, onProgress: () => undefined },
  );
} finally {
  await engine.close();
}
const alone: Alone = {
  peakMiB: process.resourceUsage().maxRSS / 1024,
  // One step is all images.
  stepMs: performance.now() - began,
};
console.log(JSON.stringify(alone));
