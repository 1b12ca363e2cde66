/**
 * How much of an evaluation is computation by the model? The default plan over the demo's network and 1,000 images, from its
 * request to its report, beside the time that its workers spend inside the sessions of the compute library. The rest is
 * decoding and encoding images, the search's own arithmetic, opening sessions, writing and joining results, the report,
 * and waiting for any of them; the profile of the workers says what.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { publishModel } from '@facet/catalog';
import { Engine } from '@facet/engine';
import { ingest, openRenderer } from '@facet/ingestion';
import { preset } from '@facet/plans';
import { FolderStore } from '@facet/store';
import { trainedModel } from '../attack/trained.js';
import { evaluateOnce } from '../evaluation/evaluate.js';
import { WorkerProfiler } from '../evaluation/profile.js';
import { shares } from '../evaluation/shares.js';
import { compared, timed, timingOf } from '../frame/interleave.js';
import type { Part } from '../frame/part.js';

const IMAGES = 1_000;
const THREADS = Math.min(2, availableParallelism());
/** At most 5 % of the time outside the sessions. */
const TARGET = 1 / 0.95;

const plan = { ...preset('default', 0), samples: IMAGES };
const dataset = { name: 'faces', version: '1' };
const model = { name: 'network', version: '1' };

async function render(store: FolderStore): Promise<void> {
  const renderer = openRenderer(THREADS);
  const samples = { train: plan.priorSamples, dev: 256, test: IMAGES };
  try {
    await ingest(
      { store, renderer },
      dataset,
      { kind: 'synthetic', seed: 1, size: 64, samples, variant: 'standard', heldOut: [] },
      { signal: new AbortController().signal, onProgress: () => undefined },
    );
  } finally {
    await renderer.close();
  }
}

export const evaluation: Part = {
  name: 'evaluation',
  about: `the default plan over ${IMAGES} images, beside the time inside the compute library's sessions`,
  cases: ['default'],
  async *run(_, { log }) {
    const root = await mkdtemp(join(tmpdir(), 'facet-bench-'));
    let engine: Engine | undefined;
    try {
      const store = await FolderStore.open(root);
      const { bytes, manifest } = await trainedModel(log);
      await publishModel(store, bytes, { ...manifest, ...model });
      log(`rendering ${IMAGES} images`);
      await render(store);
      const profiler = await WorkerProfiler.start();
      engine = new Engine({ threads: THREADS });
      let wallMs!: number;
      await evaluateOnce({ store, model, dataset }, engine, plan, async (work) => {
        ({ wallMs } = await timed(work));
      });
      const profiles = (await profiler.stop()).filter(({ name }) => name.startsWith('engine-'));
      const { sessions, ...others } = shares(profiles, wallMs * THREADS);
      yield compared({
        subject: ['evaluation', timingOf([{ wallMs }])],
        baseline: ['its sessions', timingOf([{ wallMs: sessions * wallMs }])],
        target: TARGET,
        figures: others,
      });
    } finally {
      await engine?.close();
      await rm(root, { recursive: true });
    }
  },
};
