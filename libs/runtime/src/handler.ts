/** What a service is: handlers, each a function from an event to events, with the limits that it runs under. */
import { type ConsumerConfig } from '@facet/bus';
import { type DeadLetter } from './dead-letter.js';
import { type Log } from './log.js';
import { type Progress } from './progress.js';
import { type OutgoingEvent, type ReceivedEvent, type Registry, type TypeOf } from './registry.js';

export interface HandlerContext {
  /** Aborts when the attempt has run out of time or the process ends; the handler should stop soon then. */
  readonly signal: AbortSignal;
  /** Its lines carry the handler, the event and the attempt. */
  readonly log: Log;
  readonly progress: Progress;
  /** 1 for the first. */
  readonly attempt: number;
}

/** Why an event was given up. */
export interface GivenUp {
  readonly reason: DeadLetter['reason'];
  /** One line for people. */
  readonly message: string;
  readonly attempts: number;
}

/**
 * Handlers are idempotent: an event may come twice, also at the same time. What they store, they store under keys
 * that depend only on the event, and before they return; the returned events are published before the ack.
 */
export interface Handler<R extends Registry, T extends TypeOf<R> = TypeOf<R>> {
  /** Of its durable consumer and its dead letters: letters, digits, dashes. It must never change. */
  readonly name: string;
  /** Types of one stream. */
  readonly consumes: readonly T[];
  /** For jobs: whose jobs it takes. */
  readonly pool?: string;
  /** Events at a time in this process. */
  readonly concurrency: number;
  /** How long a killed worker's event waits for another one; heartbeats prolong it while the handler runs. */
  readonly ackWaitMs: number;
  /** The time that one attempt may take. */
  readonly attemptLimitMs: number;
  /** Attempts before an event is given up. */
  readonly maxDeliver: number;
  handle(event: ReceivedEvent<R, T>, context: HandlerContext): Promise<readonly OutgoingEvent<R>[]>;
  /** What others must hear when an event is given up, such as that its evaluation lacks a shard. */
  onGivenUp?(event: ReceivedEvent<R, T>, reason: GivenUp): readonly OutgoingEvent<R>[];
}

/** Checks a handler's types against the registry; gives the handler. */
export function defineHandler<R extends Registry, const T extends TypeOf<R>>(
  _registry: R,
  handler: Handler<R, T>,
): Handler<R, T> {
  return handler;
}

/**
 * Deliveries beyond `maxDeliver`. An attempt whose worker is killed, or which is handed back at a shutdown, counts
 * as a delivery but reports nothing. The very last delivery runs nothing: it only gives the event up.
 */
const SPARE_DELIVERIES = 3;

/** Far above what all workers of a consumer hold together. */
const MAX_ACK_PENDING = 1000;

/** The handler's durable consumer, as a bootstrap creates it before the first worker starts. */
export function consumerOf<R extends Registry>(registry: R, handler: Handler<R>): ConsumerConfig {
  const { name, pool, consumes, ackWaitMs, maxDeliver } = handler;
  const streams = new Set(consumes.map((type) => registry[type].stream));
  const [stream] = streams;
  if (streams.size !== 1) throw new Error(`handler ${name} must consume types of one stream`);
  return {
    name: pool === undefined ? name : `${name}-${pool}`,
    stream,
    subjects: consumes.map((type) => registry[type].subject(pool)),
    ackWaitMs,
    maxDeliver: maxDeliver + SPARE_DELIVERIES,
    maxAckPending: MAX_ACK_PENDING,
  };
}
