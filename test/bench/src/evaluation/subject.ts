/** What evaluations are measured on: a model and new faces, in a store of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishModel } from '@facet/catalog';
import type { EvaluationPlan, ModelManifest } from '@facet/contracts';
import { ingest, openRenderer } from '@facet/ingestion';
import { FolderStore } from '@facet/store';
import { THREADS } from '../frame/machine.js';
import type { Subject } from './evaluate.js';

const dataset = { name: 'faces', version: '1' };
const model = { name: 'network', version: '1' };

/** How many images; of the train split as many as priors are fitted to. */
type Size = Pick<EvaluationPlan, 'samples' | 'priorSamples'>;

async function render(store: FolderStore, { samples, priorSamples }: Size, side: number): Promise<void> {
  const renderer = openRenderer(THREADS);
  try {
    await ingest(
      { store, renderer },
      dataset,
      {
        kind: 'synthetic',
        seed: 1,
        size: side,
        samples: { train: priorSamples, dev: 256, test: samples },
        variant: 'standard',
        heldOut: [],
      },
      { signal: new AbortController().signal, onProgress: () => undefined },
    );
  } finally {
    await renderer.close();
  }
}

/** A model and new faces as large as it wants them, in a store in `folder`; nothing is left of it behind `work`. */
export async function withModel<T>(
  { bytes, manifest }: { readonly bytes: Uint8Array; readonly manifest: ModelManifest },
  size: Size,
  log: (line: string) => void,
  work: (subject: Subject, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'facet-bench-'));
  try {
    const store = await FolderStore.open(folder);
    await publishModel(store, bytes, { ...manifest, ...model });
    log(`rendering ${size.priorSamples + size.samples} images`);
    await render(store, size, manifest.input.height);
    return await work({ store, model, dataset }, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}
