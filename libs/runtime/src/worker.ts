/**
 * One handler at work: takes deliveries, runs the handler, publishes what it returns and only then settles. The only
 * place where an error becomes a nak or a term. Every outcome leaves a trace: an ack with its events, another
 * attempt, a dead letter, or the message back in its stream.
 */
import { type Bus, type Clock, type Delivery, type Message } from '@facet/bus';
import { type DeadLetter } from '@facet/contracts';
import { type Ended, processing, sending } from '@facet/telemetry';
import { keepWorking, limited } from './attempt.js';
import { type Backoff, backoffMs } from './backoff.js';
import { encodeDeadLetter } from './dead-letter.js';
import { decodeEvent, derivedId, encodeEvent, type SentEvent } from './envelope.js';
import { errorLine } from './error-chain.js';
import { type RetryableError, TerminalError } from './errors.js';
import { type Handler, lastDelivery } from './handler.js';
import { type Log, withFields } from './log.js';
import { type Progress } from './progress.js';
import { type OutgoingEvent, type ReceivedEvent, type Registry } from './registry.js';

/** What every handler of a process shares. */
export interface WorkerPorts<R extends Registry> {
  readonly bus: Bus;
  readonly registry: R;
  readonly log: Log;
  readonly progress: Progress;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: Backoff;
  readonly isTerminal: (error: unknown) => boolean;
}

type Outcome<R extends Registry> =
  | { readonly kind: 'done'; readonly published: number }
  | { readonly kind: 'again'; readonly afterMs: number; readonly error: unknown }
  | { readonly kind: 'handed-back' }
  | {
      readonly kind: 'given-up';
      readonly reason: DeadLetter['reason'];
      readonly error: unknown;
      /** Absent where the message could not be read. */
      readonly event: ReceivedEvent<R> | undefined;
    };

/** Beyond the attempt itself: publishing and settling, also while the bus comes and goes. */
const SETTLE_LIMIT_MS = 10 * 60_000;

/** After which one delivery has been dealt with, whatever happens; else something hangs. */
export const longestMs = ({ attemptLimitMs }: { readonly attemptLimitMs: number }): number =>
  attemptLimitMs + SETTLE_LIMIT_MS;

export class Worker<R extends Registry> {
  private readonly lastDelivery: number;

  /** @param halt aborts when running attempts must be handed back */
  constructor(
    private readonly handler: Handler<R>,
    private readonly ports: WorkerPorts<R>,
    private readonly halt: AbortSignal,
  ) {
    this.lastDelivery = lastDelivery(handler);
  }

  /** Takes one delivery to its end. Never rejects: what cannot be settled comes again by itself. */
  process(delivery: Delivery): Promise<void> {
    const { message, attempt } = delivery;
    const { name: handler, pool } = this.handler;
    return processing({ message, attempt, handler, pool }, (ended) => this.take(delivery, ended));
  }

  /** Keeps a delivery ours until something else is over. */
  async hold(delivery: Delivery, until: Promise<unknown>): Promise<void> {
    const stop = this.keep(delivery, this.logOf(delivery));
    await until.finally(stop);
  }

  private async take(delivery: Delivery, ended: (end: Ended) => void): Promise<void> {
    const log = this.logOf(delivery);
    const stop = this.keep(delivery, log);
    try {
      const outcome = await this.attempt(delivery, log);
      await this.settle(delivery, outcome, log);
      ended({ ...outcome, outcome: outcome.kind });
    } catch (error) {
      ended({ outcome: 'unsettled', error });
      if (!this.halt.aborted) log.warn('could not be settled, and will come again', { error });
      await delivery.nak().catch(() => undefined);
    } finally {
      stop();
    }
  }

  private logOf({ message, attempt }: Delivery): Log {
    return withFields(this.ports.log, { handler: this.handler.name, event: message.id, attempt });
  }

  private keep(delivery: Delivery, log: Log): () => void {
    const onError = (error: unknown) => log.warn('a heartbeat was lost', { error });
    return keepWorking(delivery, { capMs: longestMs(this.handler), clock: this.ports.clock, onError });
  }

  private async attempt({ message, attempt }: Delivery, log: Log): Promise<Outcome<R>> {
    const { handler, ports, halt } = this;
    const { attemptLimitMs: limitMs } = handler;
    let event: ReceivedEvent<R> | undefined;
    try {
      event = decodeEvent(ports.registry, message);
    } catch (error) {
      return { kind: 'given-up', reason: 'invalid', error, event };
    }
    if (attempt >= this.lastDelivery) {
      const error = new TerminalError('no attempt came to its end: the processes were killed or stopped');
      return { kind: 'given-up', reason: 'died', error, event };
    }
    const received = event;
    try {
      const events = await limited(
        (signal) => handler.handle(received, { signal, log, progress: ports.progress, attempt }),
        { limitMs, clock: ports.clock, halt },
      );
      for (const outgoing of this.messagesOf(received, events, 'handled')) await this.publish(outgoing);
      return { kind: 'done', published: events.length };
    } catch (error) {
      if (halt.aborted) return { kind: 'handed-back' };
      if (ports.isTerminal(error)) return { kind: 'given-up', reason: 'terminal', error, event };
      if (attempt >= handler.maxDeliver) return { kind: 'given-up', reason: 'exhausted', error, event };
      return { kind: 'again', afterMs: this.delayMs(attempt, error), error };
    }
  }

  private async settle(delivery: Delivery, outcome: Outcome<R>, log: Log): Promise<void> {
    switch (outcome.kind) {
      case 'done':
        await delivery.ack();
        log.debug('done', { published: outcome.published });
        return;
      case 'again':
        log.warn('failed, and will be tried again', { error: outcome.error, afterMs: outcome.afterMs });
        await delivery.nak(outcome.afterMs);
        return;
      case 'handed-back':
        log.info('handed back');
        await delivery.nak();
        return;
      case 'given-up':
        log.error('given up', { error: outcome.error, reason: outcome.reason });
        for (const message of this.lastWords(delivery, outcome, log)) await this.publishAtLast(message, log);
        await delivery.term();
    }
  }

  /** The dead letter, and what the handler wants others to hear. */
  private lastWords(
    { message, attempt: attempts }: Delivery,
    { reason, error, event }: Outcome<R> & { kind: 'given-up' },
    log: Log,
  ): Message[] {
    const { handler } = this;
    const time = this.time();
    const letter = encodeDeadLetter(message, { handler: handler.name, reason, attempts, time, error });
    if (event === undefined || handler.onGivenUp === undefined) return [letter];
    try {
      const events = handler.onGivenUp(event, { reason, message: reasonOf(error, reason), attempts });
      return [letter, ...this.messagesOf(event, events, 'given-up')];
    } catch (cause) {
      log.error('nobody hears that it was given up: onGivenUp failed', { error: cause });
      return [letter];
    }
  }

  /** There is no attempt after this one, so it tries until the bus takes the message or the process ends. */
  private async publishAtLast(message: Message, log: Log): Promise<void> {
    const { random, backoff, clock, isTerminal } = this.ports;
    for (let failures = 1; ; failures++) {
      try {
        await this.publish(message);
        return;
      } catch (error) {
        this.halt.throwIfAborted();
        if (isTerminal(error)) {
          log.error('a last word cannot be published', { error, subject: message.subject });
          return;
        }
        const afterMs = backoffMs(failures, random, backoff);
        log.warn('a last word was not published yet', { error, subject: message.subject, afterMs });
        await pause(afterMs, clock, this.halt);
      }
    }
  }

  private publish(message: Message) {
    const { bus } = this.ports;
    return sending(message, (traced) => bus.publish(traced, { signal: this.halt }));
  }

  private messagesOf(
    cause: ReceivedEvent<R>,
    events: readonly OutgoingEvent<R>[],
    role: 'handled' | 'given-up',
  ): Message[] {
    const { handler, ports } = this;
    const { traceparent, tracestate } = cause;
    const context = { source: `/facet/${handler.name}`, time: this.time(), traceparent, tracestate };
    return events.map((event, index) => {
      if (!handler.publishes.includes(event.type))
        throw new TerminalError(`handler ${handler.name} does not declare that it publishes ${event.type}`);
      const id = derivedId(handler.name, cause.id, role, event.type, event.key ?? index);
      return encodeEvent(ports.registry, { ...context, ...event, id } as SentEvent<R>);
    });
  }

  private delayMs(attempt: number, error: unknown): number {
    const { random, backoff } = this.ports;
    // By its field, as an error from a worker thread has lost its class.
    const asked = (error as Partial<RetryableError> | undefined)?.retryAfterMs;
    return typeof asked === 'number'
      ? Math.min(asked, backoff.longestMs)
      : backoffMs(attempt, random, backoff);
  }

  private time(): string {
    return new Date(this.ports.clock.now()).toISOString();
  }
}

/** For people: a refusal says all in its own words; of other troubles the causes matter too. */
const reasonOf = (error: unknown, reason: DeadLetter['reason']): string =>
  (reason === 'terminal' || reason === 'died') && error instanceof Error ? error.message : errorLine(error);

function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      stopTimer();
      reject(signal.reason as Error);
    };
    const stopTimer = clock.setTimer(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
