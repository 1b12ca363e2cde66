/** What is evaluated: a store with a dataset and a model, the plan, and the report of a run that nobody disturbs. */
import { InProcessBus } from '@facet/bus';
import { loadModel, saveStanding } from '@facet/catalog';
import { awaitConclusion, evaluatingHandlers } from '@facet/cli';
import { type EvaluationPlan, keys, type Ref, STREAMS } from '@facet/contracts';
import { Engine } from '@facet/engine';
import { openPageRenderer } from '@facet/evaluation';
import {
  type AnyHandler,
  encodeEvent,
  NO_LOG,
  packageVersion,
  runHandlers,
  VOCABULARY,
} from '@facet/runtime';
import type { ObjectStore } from '@facet/store';

export interface Subject {
  readonly store: ObjectStore;
  readonly model: Ref;
  readonly dataset: Ref;
  readonly plan: EvaluationPlan;
}

export interface Undisturbed {
  readonly evaluation: string;
  /** Of `report.json`. */
  readonly report: Uint8Array;
}

/** The message with which everything begins. */
export async function publication({ store, model }: Subject) {
  const { digest } = await loadModel(store, model);
  const time = '2026-01-01T00:00:00Z';
  const event = { id: 'published', type: 'model.published' as const, source: '/chaos', time };
  return encodeEvent(VOCABULARY, { ...event, data: { model, digest } });
}

export const standing = ({ model, dataset, plan }: Subject) => ({
  schema: 'facet.standing/v1' as const,
  name: 'chaos',
  models: model.name,
  version: model.version,
  dataset,
  plan,
});

/** Evaluates it in this process, by its own plan alone. */
export async function undisturbed(subject: Subject): Promise<Undisturbed> {
  const { store } = subject;
  for await (const { key } of store.list(keys.standing.all)) await store.delete(key);
  await saveStanding(store, standing(subject));
  const bus = new InProcessBus(STREAMS);
  const engine = new Engine({ threads: 2 });
  const renderer = openPageRenderer();
  const stopping = new AbortController();
  const { handler, completed } = awaitConclusion([subject.model]);
  const version = packageVersion(import.meta.url);
  const running = runHandlers({
    bus,
    registry: VOCABULARY,
    handlers: [...evaluatingHandlers({ store, engine, renderer, version }), handler as AnyHandler],
    log: NO_LOG,
    signal: stopping.signal,
  });
  try {
    await bus.publish(await publication(subject));
    const [{ evaluation, report }] = await completed;
    return { evaluation, report: await (await store.get(report))!.bytes() };
  } finally {
    await running.stop();
    await Promise.all([bus.close(), engine.close(), renderer.close()]);
  }
}

/** Copies what an evaluation begins with, and nothing of an evaluation. */
export async function copyInputs(from: ObjectStore, to: ObjectStore): Promise<void> {
  for (const prefix of ['datasets/', 'models/'])
    for await (const { key } of from.list(prefix)) {
      const object = await from.get(key);
      if (object !== undefined) await to.put(key, await object.bytes());
    }
}
