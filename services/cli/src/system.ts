/**
 * The whole system in one process: every service's handlers on the in-process bus, a folder as the object store, one
 * engine for all. Nothing else differs from a cluster.
 */
import { attacksHandler } from '@facet/attacks';
import { type Bus, InProcessBus, type StreamReader } from '@facet/bus';
import { STREAMS } from '@facet/contracts';
import { type Engine, openEngine } from '@facet/engine';
import { evaluationHandlers, openPageRenderer } from '@facet/evaluation';
import { featuresHandler } from '@facet/features';
import { ingestionHandler, openRenderer } from '@facet/ingestion';
import {
  encodeEvent,
  type Handler,
  type Lifecycle,
  type Log,
  type OutgoingEvent,
  type Progress,
  derivedId,
  runHandlers,
  VOCABULARY,
} from '@facet/runtime';
import { observedStore, sending } from '@facet/telemetry';
import { FolderStore, type ObjectStore } from '@facet/store';
import { openBackend, trainingHandlers } from '@facet/training';

export interface SystemOptions {
  /** Folder of the object store. */
  readonly folder: string;
  readonly log: Log;
  readonly progress: Progress;
  readonly version: string;
}

export type AnyHandler = Handler<typeof VOCABULARY>;

export interface System {
  readonly store: ObjectStore;
  readonly bus: Bus & StreamReader;
  readonly engine: Engine;
  /** Starts every service's handlers, and `further` ones beside them. */
  start(further: readonly AnyHandler[]): void;
  /** Tells a fact or queues a job; the same one twice is one. */
  publish(event: OutgoingEvent<typeof VOCABULARY>): Promise<void>;
}

/** Of the services by which an evaluation comes to its report. */
export const evaluatingHandlers = (dependencies: Parameters<typeof evaluationHandlers>[0]): AnyHandler[] =>
  [
    featuresHandler(dependencies),
    attacksHandler(dependencies),
    ...evaluationHandlers(dependencies),
  ] as AnyHandler[];

export async function openSystem(lifecycle: Lifecycle, options: SystemOptions): Promise<System> {
  const { log, progress, version } = options;
  const store = observedStore(await FolderStore.open(options.folder));
  const bus = lifecycle.own('bus', new InProcessBus(STREAMS), (b) => b.close());
  const opened = await openEngine({}, (line) => log.info(line));
  const engine = lifecycle.own('engine', opened, (e) => e.close());
  const faces = lifecycle.own('renderer of faces', openRenderer(engine.threads), (pool) => pool.close());
  const pages = lifecycle.own('renderer of pages', openPageRenderer(), (pool) => pool.close());
  // Not for a log that nobody may have asked for: what trains is another thing than what was asked.
  const backend = openBackend((line) => process.stderr.write(`facet: ${line}\n`));
  const handlers = [
    ingestionHandler({ store, renderer: faces }),
    ...evaluatingHandlers({ store, engine, renderer: pages, version }),
    ...trainingHandlers({ store, engine, backend }),
  ] as AnyHandler[];
  return {
    store,
    bus,
    engine,
    start(further) {
      const running = runHandlers({
        bus,
        registry: VOCABULARY,
        handlers: [...handlers, ...further],
        log,
        progress,
        signal: lifecycle.signal,
        // A shard that is under way is cheaper to do again than to wait for.
        drainMs: 0,
      });
      lifecycle.own('handlers', running, (r) => r.stop());
    },
    async publish(event) {
      const id = derivedId('cli', event.type, JSON.stringify(event.data));
      const time = new Date().toISOString();
      const message = encodeEvent(VOCABULARY, { ...event, id, source: '/facet/cli', time });
      await sending(message, (traced) => bus.publish(traced));
    },
  };
}
