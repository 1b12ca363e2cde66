/** One evaluation by the service's own handlers on the in-process bus, from its request to its report. */
import { InProcessBus } from '@facet/bus';
import { awaitConclusion, evaluatingHandlers } from '@facet/cli';
import { type EvaluationPlan, type Ref, STREAMS } from '@facet/contracts';
import { type Engine } from '@facet/engine';
import { openPageRenderer } from '@facet/evaluation';
import { type AnyHandler, encodeEvent, NO_LOG, runHandlers, VOCABULARY } from '@facet/runtime';
import type { ObjectStore } from '@facet/store';
import { observedStore, sending } from '@facet/telemetry';

const TIME = '2026-01-01T00:00:00Z';

/** A store with a model and a dataset. */
export interface Subject {
  readonly store: ObjectStore;
  readonly model: Ref;
  readonly dataset: Ref;
}

/** What `time` says of it. Everything of an earlier one is forgotten first, which is not a part of `work`. */
export async function evaluateOnce<T>(
  { store: plain, model, dataset }: Subject,
  engine: Engine,
  plan: EvaluationPlan,
  time: (work: () => Promise<void>) => Promise<T>,
): Promise<T> {
  for (const prefix of ['evaluations/', 'features/'])
    for await (const { key } of plain.list(prefix)) await plain.delete(key);
  const store = observedStore(plain);
  const bus = new InProcessBus(STREAMS);
  const renderer = openPageRenderer();
  const stopping = new AbortController();
  const { handler, completed } = awaitConclusion([model]);
  const running = runHandlers({
    bus,
    registry: VOCABULARY,
    handlers: [...evaluatingHandlers({ store, engine, renderer, version: '0.0.0' }), handler as AnyHandler],
    log: NO_LOG,
    signal: stopping.signal,
    drainMs: 0,
  });
  const event = { id: 'asked', type: 'evaluation.requested' as const, source: '/bench', time: TIME };
  const message = encodeEvent(VOCABULARY, { ...event, data: { model, dataset, plan } });
  try {
    return await time(async () => {
      await sending(message, (traced) => bus.publish(traced));
      await completed;
    });
  } finally {
    await running.stop();
    await Promise.all([bus.close(), renderer.close()]);
  }
}
