/** Tells how much lies before a process's consumers, as long as there is telemetry to tell it to. */
import { type Backlog, type ConsumerConfig } from '@facet/bus';
import { isTelemetryOn, record } from '@facet/telemetry';
import { type Log } from '../log.js';

const INTERVAL_MS = 15_000;

export interface BacklogPorts {
  readonly bus: { backlog(consumer: ConsumerConfig): Promise<Backlog> };
  readonly consumers: readonly ConsumerConfig[];
  readonly log: Log;
}

/** @returns what stops it */
export function watchBacklog({ bus, consumers, log }: BacklogPorts): () => void {
  if (!isTelemetryOn()) return () => undefined;
  const tell = async () => {
    for (const consumer of consumers) {
      const { waiting, unsettled } = await bus.backlog(consumer);
      record('facet.queue.messages', waiting, { consumer: consumer.name, state: 'waiting' });
      record('facet.queue.messages', unsettled, { consumer: consumer.name, state: 'unsettled' });
    }
  };
  const tick = () =>
    void tell().catch((error: unknown) => log.debug('the backlog cannot be told now', { error }));
  const timer = setInterval(tick, INTERVAL_MS).unref();
  tick();
  return () => clearInterval(timer);
}
