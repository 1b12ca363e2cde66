/** What a service is: handlers, each a function from an event to events, with the limits that it runs under. */
import { type ConsumerConfig } from '@facet/bus';
import { type DeadLetter } from '@facet/contracts';
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

/** What is known of a handler before anything is opened: enough to make its consumer and its permissions. */
export interface HandlerDeclaration<R extends Registry, T extends TypeOf<R> = TypeOf<R>> {
  /** Of its durable consumer and its dead letters: letters, digits, dashes. It must never change. */
  readonly name: string;
  /** Types of one stream. */
  readonly consumes: readonly T[];
  /** Everything that it may send, also when it gives an event up. Its bus user can send nothing else. */
  readonly publishes: readonly TypeOf<R>[];
  /** For jobs: whose jobs it takes. */
  readonly pool?: string;
  /** How long a killed worker's event waits for another one; heartbeats prolong it while the handler runs. */
  readonly ackWaitMs: number;
  /** The time that one attempt may take. */
  readonly attemptLimitMs: number;
  /** Attempts before an event is given up. */
  readonly maxDeliver: number;
}

/**
 * Handlers are idempotent: an event may come twice, also at the same time. What they store, they store under keys
 * that depend only on the event, and before they return; the returned events are published before the ack.
 */
export interface Handler<R extends Registry, T extends TypeOf<R> = TypeOf<R>> extends HandlerDeclaration<
  R,
  T
> {
  /** Events at a time in this process. */
  readonly concurrency: number;
  handle(event: ReceivedEvent<R, T>, context: HandlerContext): Promise<readonly OutgoingEvent<R>[]>;
  /** What others must hear when an event is given up, such as that its evaluation lacks a shard. */
  onGivenUp?(event: ReceivedEvent<R, T>, reason: GivenUp): readonly OutgoingEvent<R>[];
}

/** Checks a declaration's types against the registry; gives the declaration. */
export function declareHandler<R extends Registry, const T extends TypeOf<R>>(
  _registry: R,
  declaration: HandlerDeclaration<R, T>,
): HandlerDeclaration<R, T> {
  return declaration;
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
 * as a delivery but reports nothing. From the last one on nothing is run: the event is only given up.
 */
const SPARE_DELIVERIES = 3;

/** Giving up may be interrupted too, again and again; a message that the bus gives up itself would be lost silently. */
const GIVING_UP_DELIVERIES = 1000;

/** Far above what all workers of a consumer hold together. */
const MAX_ACK_PENDING = 1000;

/** The delivery from which on an event is given up unseen. */
export const lastDelivery = ({ maxDeliver }: Pick<HandlerDeclaration<Registry>, 'maxDeliver'>): number =>
  maxDeliver + SPARE_DELIVERIES;

/** The handler's durable consumer, as a bootstrap creates it before the first worker starts. */
export function consumerOf<R extends Registry>(registry: R, handler: HandlerDeclaration<R>): ConsumerConfig {
  const { name, pool, consumes, ackWaitMs } = handler;
  const streams = new Set(consumes.map((type) => registry[type].stream));
  const [stream] = streams;
  if (streams.size !== 1) throw new Error(`handler ${name} must consume types of one stream`);
  return {
    name: pool === undefined ? name : `${name}-${pool}`,
    stream,
    subjects: consumes.map((type) => registry[type].subject(pool)),
    ackWaitMs,
    maxDeliver: lastDelivery(handler) + GIVING_UP_DELIVERIES,
    maxAckPending: MAX_ACK_PENDING,
  };
}
