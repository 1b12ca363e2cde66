/**
 * A service as a process: reads its environment, connects, runs its handlers until it is told to stop, drains, closes.
 * Its exit code says how it went: 0 after a stop that was asked for, 1 where it could not go on.
 */
import { once } from 'node:events';
import { type Bus, type NatsBus, type StreamReader } from '@facet/bus';
import { type ObjectLinks, type ObjectStore, type S3Store } from '@facet/store';
import { observedStore, startTelemetry } from '@facet/telemetry';
import { readConfig } from '../config.js';
import { errorLine } from '../error-chain.js';
import { type Handler } from '../handler.js';
import { Lifecycle } from '../lifecycle.js';
import { createLog, type Log, logOptions } from '../log.js';
import { runHandlers } from '../run-handlers.js';
import { VOCABULARY } from '../vocabulary.js';
import { ServiceConfig } from './config.js';
import { watchBacklog } from './backlog.js';
import { connectBus, connectStore } from './connect.js';
import { type ServiceDeclaration } from './declaration.js';
import { serveHealth } from './health.js';
import { consumersOf } from './rights.js';

export interface ServicePorts {
  readonly store: ObjectStore;
  /** Links to objects of that store. */
  readonly links: ObjectLinks;
  /** For who looks into streams or publishes beside its handlers. */
  readonly bus: Bus & StreamReader;
  /** Worker threads for compute. */
  readonly threads: number;
  /** Who is opened here is closed with the process. */
  readonly lifecycle: Lifecycle;
  /**
   * Has `work` begun at the stop, beside the handlers' own drain, and waited for: what clients have under way here, as they
   * cannot be handed back.
   */
  onDrain(work: (limitMs: number) => Promise<void>): void;
  /** Ends the process with code 1: something beside the handlers cannot go on, and trying again is pointless. */
  fail(error: Error): void;
  readonly log: Log;
}

/** Handlers of different events have types of their own. */
export type AnyHandler = Handler<typeof VOCABULARY>;

/** After the drain, what does not close by itself is left behind. */
const CLOSE_LIMIT_MS = 5_000;

/** @param version Facet's own */
export async function runService(
  declaration: ServiceDeclaration,
  version: string,
  open: (ports: ServicePorts) => readonly AnyHandler[] | Promise<readonly AnyHandler[]>,
): Promise<void> {
  const { name } = declaration;
  const log = createLog(logOptions(process.env));
  const lifecycle = new Lifecycle();
  process.exitCode = 1;
  try {
    const config = readConfig(ServiceConfig, process.env);
    const telemetry = await startTelemetry({ service: `facet-${name}`, version, log });
    lifecycle.own('telemetry', telemetry, (t) => t.close());
    const s3 = lifecycle.own('store', connectStore(config), (s) => s.close());
    const { signal } = lifecycle;
    const nats = lifecycle.own('bus', await connectBus(name, config, { log, signal }), (b) => b.close());
    const { FACET_THREADS: threads, FACET_DRAIN_MS: drainMs } = config;
    const drains: ((limitMs: number) => Promise<void>)[] = [];
    const onDrain: ServicePorts['onDrain'] = (work) => void drains.push(work);
    let fail!: (error: Error) => void;
    const failing = new Promise<never>((_, reject) => (fail = reject));
    failing.catch(() => undefined);
    const handlers = await open({
      ...{ store: observedStore(s3), links: s3, bus: nats, threads, lifecycle, log },
      ...{ onDrain, fail },
    });
    const asked = signal.aborted ? Promise.resolve() : once(signal, 'abort');
    const stopped = asked.then(() => Promise.all(drains.map((drain) => drain(drainMs))));
    stopped.catch(() => undefined);
    const running = runHandlers({ bus: nats, registry: VOCABULARY, handlers, log, signal, drainMs });
    const at = { host: config.FACET_HEALTH_HOST, port: config.FACET_HEALTH_PORT };
    const ready = () => whetherReady(signal, nats, s3);
    const health = await serveHealth(at, { trouble: () => running.trouble(), ready });
    lifecycle.own('health', health, (h) => h.close());
    const consumers = consumersOf(declaration);
    lifecycle.own('backlog', watchBacklog({ bus: nats, consumers, log }), (stop) => stop());
    log.info('started', { service: name, version, threads, health: health.port });
    await Promise.race([running.drained, failing]);
    if (signal.aborted) await stopped;
    log.info('drained', { service: name });
    process.exitCode = 0;
  } catch (error) {
    if (lifecycle.signal.aborted) process.exitCode = 0;
    else log.error(`${name} ends: ${errorLine(error)}`, { error });
  }
  // Whatever hangs now has nothing left to save.
  setTimeout(() => process.exit(), CLOSE_LIMIT_MS).unref();
  await lifecycle.close().catch((error: unknown) => log.warn('not everything could be closed', { error }));
}

async function whetherReady(signal: AbortSignal, nats: NatsBus, s3: S3Store): Promise<void> {
  if (signal.aborted) throw new Error('it is stopping');
  await Promise.all([nats.check(), s3.check()]);
}
