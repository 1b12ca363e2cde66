/** What evaluations are measured on: the demo's network and new faces, in a store of their own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishModel } from '@facet/catalog';
import type { EvaluationPlan } from '@facet/contracts';
import { ingest, openRenderer } from '@facet/ingestion';
import { FolderStore } from '@facet/store';
import { trainedModel } from '../attack/trained.js';
import { THREADS } from '../frame/machine.js';
import type { Subject } from './evaluate.js';

const dataset = { name: 'faces', version: '1' };
const model = { name: 'network', version: '1' };

async function render(store: FolderStore, { samples, priorSamples }: EvaluationPlan): Promise<void> {
  const renderer = openRenderer(THREADS);
  try {
    await ingest(
      { store, renderer },
      dataset,
      {
        kind: 'synthetic',
        seed: 1,
        size: 64,
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

/** With faces for the plan; nothing is left of it behind `work`. */
export async function withSubject<T>(
  plan: EvaluationPlan,
  log: (line: string) => void,
  work: (subject: Subject) => Promise<T>,
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'facet-bench-'));
  try {
    const store = await FolderStore.open(root);
    const { bytes, manifest } = await trainedModel(log);
    await publishModel(store, bytes, { ...manifest, ...model });
    log(`rendering ${plan.samples} images`);
    await render(store, plan);
    return await work({ store, model, dataset });
  } finally {
    await rm(root, { recursive: true });
  }
}
