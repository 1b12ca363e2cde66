/**
 * `facet demo`: synthetic faces, a small multitask network trained on them, and its whole evaluation, which its
 * publication starts by itself. Run again, it goes on from what is stored.
 */
import { saveStanding } from '@facet/catalog';
import { formatRef } from '@facet/contracts';
import { defineHandler, type OutgoingEvent, VOCABULARY } from '@facet/runtime';
import { finish } from './finish.js';
import { demoSize } from './presets.js';
import { runSession } from './session.js';
import type { AnyHandler, System } from './system.js';

export interface DemoOptions {
  readonly out: string;
  readonly seed: number;
  readonly quick: boolean;
  readonly version: string;
}

export function demo({ out, seed, quick, version }: DemoOptions): Promise<number> {
  const { dataset: source, recipe, plan } = demoSize(seed, quick);
  const edition = `${quick ? 'quick' : 'full'}-seed-${seed}`;
  const dataset = { name: 'synthetic-faces', version: edition };
  const model = { name: 'demo', version: edition };
  /** The demo's one wish: once its dataset is there, a network is trained on it. */
  const trainOnDataset = defineHandler(VOCABULARY, {
    name: 'demo',
    consumes: ['dataset.ingested'],
    publishes: ['training.requested'],
    concurrency: 1,
    ackWaitMs: 30_000,
    attemptLimitMs: 30_000,
    maxDeliver: 1,
    handle: (): Promise<OutgoingEvent<typeof VOCABULARY>[]> =>
      Promise.resolve([
        { type: 'training.requested', subject: formatRef(model), data: { model, dataset, recipe } },
      ]),
  });
  const begin = async (system: System): Promise<AnyHandler[]> => {
    await saveStanding(system.store, {
      schema: 'facet.standing/v1',
      name: 'demo',
      models: model.name,
      version: model.version,
      dataset,
      plan,
    });
    await system.publish({ type: 'ingestion', subject: formatRef(dataset), data: { dataset, source } });
    return [trainOnDataset as AnyHandler];
  };
  return runSession(
    { out, version, models: [model] },
    { begin, end: ({ store }, [completed]) => finish(store, out, completed) },
  );
}
